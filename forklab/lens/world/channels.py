"""What processes have open together and tell each other by: eventfds. Each has a name, the same in each run.

A channel is found by a descriptor of anybody's. Its name says who has made it: "eventfd P.1/2" is the second one of
P.1.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from forklab.lens.edge import descriptors
from forklab.lens.world.chronicle import Member


@dataclass(eq=False)
class Channels:
    """All that the program has made."""

    _names: dict[Hashable, str] = field(default_factory=dict)
    _made: dict[tuple[str, Member], int] = field(default_factory=dict)

    def made_eventfd(self, member: Member, descriptor: int) -> None:
        """The kernel uses their numbers again, so that one may have been another's."""
        number = descriptors.eventfd_of(member.pid, descriptor)
        if number is not None:
            self._names[number] = self._name("eventfd", member)

    def at(self, pid: int, descriptor: int) -> str | None:
        """The name of what a descriptor is open on; None if that is no channel of the program."""
        if not self._names:
            return None
        number = descriptors.eventfd_of(pid, descriptor)
        return None if number is None else self._names.get(number)

    def _name(self, kind: str, member: Member) -> str:
        number = self._made[kind, member] = self._made.get((kind, member), 0) + 1
        return f"{kind} {member.name}/{number}"
