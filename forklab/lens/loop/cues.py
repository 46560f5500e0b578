"""Who the actors of a play are, and the orders that were given to them: by a call that the lens answers.

Actors are the processes that execute one program of ours: the kernel says so, by the device and inode of what they
run. To everybody else that call does not exist. See `forklab.lens.calls.cueing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from forklab.lens.calls import cueing
from forklab.lens.world.chronicle import Member
from forklab.lens.world.surroundings import File, identity
from forklab.lens.world.tracees import Call, Tracee

_DEEDS_OF_ACTORS = (cueing.LISTEN, cueing.TELL, cueing.ANSWER)


class Director(Protocol):
    """Who gives the orders."""

    def born(self, member: Member) -> None:
        """Before it does anything. Its parent has just forked it, and has not gone on either."""

    def listens(self, member: Member) -> bool:
        """An actor asks for orders for the first time: whether it may."""

    def hears(self, member: Member, text: str) -> None:
        """An actor says something."""

    def called(self, member: Member) -> str:
        """As whom it plays, because of what it executes; empty if that is not why it plays."""

    def effects(self) -> object:
        """What processes have done that shows nowhere in the history: differs if something has."""


@dataclass(eq=False)
class Cues:
    """`actor` is the file that actors execute. `orders` are those that were given and not yet heard."""

    actor: File
    director: Director
    orders: dict[Member, list[str]] = field(default_factory=dict)
    _known: set[Member] = field(default_factory=set)
    _actors: set[Member] = field(default_factory=set)
    _heard: set[Member] = field(default_factory=set)  # they have answered, and wait for orders
    _begun: bool = False  # the first one, who has waited for being traced

    def give(self, member: Member, order: str) -> None:
        """It gets that as soon as it asks for orders."""
        self.orders.setdefault(member, []).append(order)

    def meets(self, member: Member) -> bool:
        """Whether it has just been born: then the director has been told."""
        if member in self._known:
            return False
        self._known.add(member)
        self.director.born(member)
        return True

    def begins(self, member: Member) -> None:
        """It executes another program."""
        self._begun = True
        self._actors.discard(member)
        self._heard.discard(member)

    def asks(self, tracee: Tracee, call: Call) -> bool:
        """Whether it waits for orders. Else its call has been answered, and it can go on."""
        deed, member = call.arguments[0], tracee.member
        if deed == cueing.BEGIN and not self._begun:
            cueing.answer(tracee, 0)
        elif not self._is_actor(member) or deed not in _DEEDS_OF_ACTORS:
            cueing.refuse(tracee)
        elif deed == cueing.TELL:
            if self._hear(tracee, call):
                cueing.answer(tracee, 0)
        elif deed == cueing.ANSWER and not self._answers(tracee, call):
            pass
        elif member in self._actors or self.director.listens(member):
            self._actors.add(member)
            return True
        else:
            cueing.refuse(tracee)
        return False

    def answer(self, tracee: Tracee, call: Call) -> str:
        """It hears its next order, which is answered here, too."""
        order = self.orders[tracee.member].pop(0)
        self._heard.discard(tracee.member)
        cueing.give(tracee, call, order)
        return order

    def _is_actor(self, member: Member) -> bool:
        return member in self._actors or identity(f"/proc/{member.pid}/exe") == self.actor

    def _answers(self, tracee: Tracee, call: Call) -> bool:
        """False: that cannot be heard. A signal may get it out of the call, and then it says the same once more."""
        if tracee.member not in self._heard and not self._hear(tracee, call):
            return False
        self._heard.add(tracee.member)
        return True

    def _hear(self, tracee: Tracee, call: Call) -> bool:
        """False: what it says is nowhere in its memory, so the call is refused."""
        try:
            text = cueing.text_of(tracee, call)
        except OSError:
            cueing.refuse(tracee)
            return False
        self.director.hears(tracee.member, text)
        return True
