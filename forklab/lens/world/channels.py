"""What processes have open together and tell each other by: eventfds, socketpairs, FIFOs, queues.

Each has a name, the same in each run, that says who has made it: "eventfd P.1/2" is the second one of P.1; or where it
is: "fifo /tmp/a", "queue /a". It is found by a descriptor of anybody's. It has sides where it makes a difference to
others who still has which of them open: the two of a socketpair, those who read from a FIFO and those who write.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.lens.edge import descriptors
from forklab.lens.world.chronicle import Member
from forklab.lens.world.digests import digest_of
from forklab.lens.world.packets import Packets
from forklab.lens.world.surroundings import File, identity
from forklab.steps.resources import may_have_queues
from forklab.steps.state import ONE, OTHER, End, Holders


class Opening(NamedTuple):
    """Of open(2) with a FIFO: which one, and what one has of it then."""

    file: File | None
    ends: tuple[End, ...]


@dataclass(eq=False)
class Channels:
    """All that the program has. `ends` are those with sides, by who has them open; `any`: there may be some.

    `opening`: who is in open(2) with a FIFO has its ends already, also while it waits for somebody at the other one.
    """

    any: bool = False
    ends: dict[Member, tuple[End, ...]] = field(default_factory=dict)
    opening: dict[Member, Opening] = field(default_factory=dict)
    shut: set[str] = field(default_factory=set)  # by shutdown(2): both sides may still be open
    sided: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    packets: Packets = field(default_factory=Packets)  # in those of unix(7) that are no streams
    past: dict[str, str] = field(default_factory=dict)  # of those, but for messages: a digest
    _known: dict[Hashable, End] = field(default_factory=dict)
    _mailboxes: dict[File, End] = field(default_factory=dict)
    _made: dict[tuple[str, Member], int] = field(default_factory=dict)

    def made_eventfd(self, member: Member, descriptor: int) -> None:
        """The kernel uses their numbers again, so that one may have been another's."""
        number = descriptors.eventfd_of(member.pid, descriptor)
        self._remember(number, End(self._name("eventfd", member), ""))

    def opened_queue(self, member: Member, descriptor: int, name: str) -> None:
        """A message queue of POSIX. One that has the name of another one counts as the same."""
        self._remember(_file(member.pid, descriptor), End(f"queue {name}", ""))

    def made_pair(self, member: Member, pair: Iterable[int], *, is_stream: bool) -> None:
        self.any = True
        name = self._name("socketpair", member)
        self.sided.add(name)
        if is_stream:
            self.streams.add(name)
        for side, descriptor in zip((ONE, OTHER), pair, strict=True):
            self._remember(_file(member.pid, descriptor), End(name, side))

    def bound(self, member: Member, descriptor: int, path: str) -> None:
        """A socket of unix(7) has this name now: a mailbox, of which who has the socket open has the only side."""
        self.any = True
        name, file = self._name("mailbox", member), identity(path)
        self.sided.add(name)
        self._remember(_file(member.pid, descriptor), End(name, ONE))
        if file is not None:
            self._mailboxes[file] = End(name, ONE)

    def bound_to(self, file: File) -> End | None:
        """The mailbox that has this name in a folder; None if it is not the program's."""
        return self._mailboxes.get(file)

    def noted(self, channel: str, *what: Hashable) -> None:
        """Something that is no message has happened there."""
        self.past[channel] = digest_of(self.past.get(channel, ""), *what)

    def forget(self, channel: str) -> None:
        """Nobody has it open any more."""
        self.packets.forget(channel)
        self.past.pop(channel, None)

    def fifo(self, path: str, flags: int) -> tuple[End, ...]:
        """What who opens it with these flags has then. Its name may be that of another one which was there before."""
        self.any = True
        name = f"fifo {path}"
        self.sided.add(name)
        readable, writable = End(name, ONE), End(name, OTHER)
        if flags & os.O_ACCMODE == os.O_RDWR:
            return readable, writable
        return (writable,) if flags & os.O_ACCMODE == os.O_WRONLY else (readable,)

    def keeps_apart(self, channel: str) -> bool:
        """Whether messages stay apart there: a socketpair of datagrams or packets."""
        return may_have_queues(channel) and channel not in self.streams

    @property
    def has_fifos(self) -> bool:
        """They are in the file system, where another run at the same time would find them."""
        return any(name.startswith("fifo ") for name in self.sided)

    def at(self, pid: int, descriptor: int) -> End | None:
        """What a descriptor is open on; None if that is no channel of the program."""
        return next(iter(self._ends_at(pid, descriptor)), None)

    def _ends_at(self, pid: int, descriptor: int) -> tuple[End, ...]:
        if not self._known and not self.any:
            return ()
        link = descriptors.link(pid, descriptor) or ""
        if link.startswith("anon_inode:[eventfd"):
            found = self._known.get(descriptors.eventfd_of(pid, descriptor))
        else:
            found = self._known.get(_file(pid, descriptor))
        if found is None and link.startswith("/") and is_fifo(f"/proc/{pid}/fd/{descriptor}"):
            path = link.removesuffix(" (deleted)")
            return self.fifo(path, descriptors.flags(pid, descriptor))
        return (found,) if found else ()

    def look_at(self, member: Member) -> None:
        """It has run: which sides has it open now? Two descriptors of one are as good as one."""
        found = {
            end
            for number in descriptors.all_of(member.pid)
            for end in self._ends_at(member.pid, number)
        }
        self.ends[member] = tuple(sorted(end for end in found if end.side))

    def ends_of(self, member: Member) -> tuple[End, ...]:
        """Also those that it is about to have."""
        opening = self.opening.get(member)
        return tuple(sorted({*self.ends.get(member, ()), *(opening.ends if opening else ())}))

    def holders(self, living: Iterable[Member]) -> dict[str, Holders]:
        """By channel: how many of these processes have which side open. Those that nobody has are no more."""
        open_ends = [end for member in living for end in self.ends_of(member)]
        for to, ends in self.packets.held():
            open_ends += ends if to in open_ends else ()
        return {
            name: Holders(
                open_ends.count(End(name, ONE)),
                open_ends.count(End(name, OTHER)),
                name in self.shut,
            )
            for name in {end.channel for end in open_ends}
        }

    def _remember(self, key: Hashable, end: End) -> None:
        if key is not None:
            self._known[key] = end

    def _name(self, kind: str, member: Member) -> str:
        number = self._made[kind, member] = self._made.get((kind, member), 0) + 1
        return f"{kind} {member.name}/{number}"


def _file(pid: int, descriptor: int) -> File | None:
    return identity(f"/proc/{pid}/fd/{descriptor}")


def is_fifo(path: str) -> bool:
    """Whether there is one, at the end of links."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
