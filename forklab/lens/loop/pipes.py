"""The pipes of a program: what is in each, and who has which ends open."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from forklab.lens.world.chronicle import Member
from forklab.lens.world.surroundings import File, identity


@dataclass(eq=False)
class Pipe:
    """A pipe of the program, by the name that it has here; `content` is what is in it."""

    name: str
    content: bytes = b""


@dataclass(eq=False)
class Pipes:
    """All pipes of a program. `any`: there may be some; until then nobody needs to look."""

    by_file: dict[File, Pipe] = field(default_factory=dict)
    ends: dict[Member, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    any: bool = False
    _made: dict[Member, int] = field(default_factory=dict)

    def find(self, tid: int, descriptor: int) -> Pipe | None:
        file = identity(f"/proc/{tid}/fd/{descriptor}") if self.any else None
        return self.by_file.get(file) if file else None

    def look_at(self, member: Member, outputs: frozenset[File]) -> None:
        """It has run: which ends has it open now?"""
        found = set()  # two descriptors of one end are as good as one
        folder = f"/proc/{member.pid}/fd"
        try:
            descriptors = sorted(map(int, os.listdir(folder)))
        except OSError:
            return
        for descriptor in descriptors:
            path = f"{folder}/{descriptor}"
            try:
                target = os.readlink(path)
            except OSError:
                continue
            file = identity(path) if target.startswith("pipe:") else None
            if file is None or file in outputs:
                continue
            reads = os.lstat(path).st_mode & 0o400  # of the link: how it was opened
            found.add((self._of(file, member).name, "read" if reads else "write"))
        self.ends[member] = tuple(sorted(found))

    def _of(self, file: File, member: Member) -> Pipe:
        """One that nobody has seen yet has been made by this process."""
        if file not in self.by_file:
            self._made[member] = self._made.get(member, 0) + 1
            self.by_file[file] = Pipe(f"{member.name}/{self._made[member]}")
        return self.by_file[file]
