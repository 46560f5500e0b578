"""The pipes of a program: what is in each, and who has which ends open."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from forklab.lens.edge import descriptors
from forklab.lens.world.chronicle import Member
from forklab.lens.world.surroundings import File, identity
from forklab.steps.state import PIPE_CAPACITY, READ_END, WRITE_END

MUCH = 24 << 10  # bytes; with less there is a page free in each pipe, however they were written
_PAGE = 4096
_TYPED = "input"  # no process of the program can have that name


@dataclass(eq=False)
class Pipe:
    """A pipe of the program, by the name that it has here; `content` is what is in it.

    `nonblocking`: at which sides O_NONBLOCK is set. `in_full_pages`: each page that it takes is full, so that what
    else has room can be told from how much is in it.
    """

    name: str
    content: bytes = b""
    nonblocking: set[str] = field(default_factory=set)
    in_full_pages: bool = True

    def write(self, content: bytes) -> None:
        self.in_full_pages = (self.in_full_pages or not self.content) and not len(content) % _PAGE
        self.content += content

    def read(self, size: int) -> bytes:
        content, self.content = self.content[:size], self.content[size:]
        fits = self.in_full_pages and not len(self.content) % _PAGE
        self.in_full_pages = fits or not self.content
        return content

    def may_have_no_room(self, size: int) -> bool:
        """Though there is, counted in bytes: a page with little in it takes as much room as a full one."""
        return not self.in_full_pages and len(self.content) + size > MUCH

    def has_room_for(self, size: int) -> bool:
        return len(self.content) + size <= PIPE_CAPACITY


@dataclass(eq=False)
class Pipes:
    """All pipes of a program but its output. `any`: there may be some; until then nobody needs to look.

    `typed` is its input, if somebody outside writes that, and has not ended it yet.
    """

    outputs: frozenset[File] = frozenset()
    by_file: dict[File, Pipe] = field(default_factory=dict)
    ends: dict[Member, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    any: bool = False
    typed: Pipe | None = None
    _made: dict[Member, int] = field(default_factory=dict)

    def begin_typing(self, file: File) -> None:
        """The input is this pipe."""
        self.any = True
        self.typed = self.by_file[file] = Pipe(_TYPED)

    def find(self, member: Member, descriptor: int) -> Pipe | None:
        if not self.any:
            return None
        file = identity(f"/proc/{member.pid}/fd/{descriptor}")
        if file and file not in self.by_file:
            self.look_at(member)
        return self.by_file.get(file) if file else None

    def look_at(self, member: Member) -> None:
        """It has run: which ends has it open now?"""
        found = set()  # two descriptors of one end are as good as one
        for descriptor in descriptors.all_of(member.pid):
            target = descriptors.link(member.pid, descriptor) or ""
            path = f"/proc/{member.pid}/fd/{descriptor}"
            file = identity(path) if target.startswith("pipe:") else None
            if file is None or file in self.outputs:
                continue
            side = side_of(member.pid, descriptor)
            if side is None:
                continue
            pipe = self._of(file, member)
            found.add((pipe.name, side))
            flags = descriptors.flags(member.pid, descriptor)
            (pipe.nonblocking.add if flags & os.O_NONBLOCK else pipe.nonblocking.discard)(side)
        self.ends[member] = tuple(sorted(found))

    def count(self, pipe: Pipe, side: str, living: Iterable[Member]) -> int:
        """How many of these processes, and of us outside, have that end of it open."""
        ours = pipe is self.typed and side == WRITE_END
        return ours + sum((pipe.name, side) in self.ends.get(member, ()) for member in living)

    def _of(self, file: File, member: Member) -> Pipe:
        """One that nobody has seen yet has been made by this process."""
        if file not in self.by_file:
            self._made[member] = self._made.get(member, 0) + 1
            self.by_file[file] = Pipe(f"{member.name}/{self._made[member]}")
        return self.by_file[file]


def side_of(pid: int, descriptor: int) -> str | None:
    """Which side of a pipe a descriptor is: the link in /proc can be read if that can be read. None: not open."""
    try:
        mode = os.lstat(f"/proc/{pid}/fd/{descriptor}").st_mode
    except OSError:
        return None
    return READ_END if mode & 0o400 else WRITE_END
