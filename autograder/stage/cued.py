"""Actors in virtual time: they have their orders from the lens, and the lens tells who they are.

    CuedActor    one of them
    CuedCast     all of them by name; it directs what the lens plays (forklab/lens/loop/directed.py)

An actor asks for orders by a call that the lens answers. Nobody tells us names: whoever is forked by order has the name
that the order gives. Whoever has that done, a play or a proof, is the `Prompter`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from autograder.language.roles import MAIN
from autograder.stage.actors import Actor, ActorLostError, Actors, Hello
from autograder.stage.condition import condition_of
from autograder.stage.errors import UnrulyError
from autograder.stage.watch import Stat, Watched
from forklab.lens.world.chronicle import Member

_MOST_BIRTHS = 100  # of processes that are no actors, until the play is at rest


class Prompter(Protocol):
    """Who brings the orders, as `forklab.lens.performance.Performance` does."""

    @property
    def everybody(self) -> Sequence[Member]:
        """In the order of their births."""

    def order(self, member: Member, order: str) -> None:
        """It gets that as soon as it asks for orders."""

    def caught_by(self, member: Member) -> list[tuple[int, str]]:
        """The signals that have come to it, and neither killed nor stopped it: number, and the sender's name or ""."""


@dataclass
class CuedActor(Actor):
    """One actor. `number_of` answers the pid, as actors see it, of a member by its name in the history."""

    member: Member
    prompter: Prompter
    number_of: Callable[[str], int]

    @property
    def flooded(self) -> bool:
        """The lens hears all signals, however many."""
        return False

    @property
    def cannot_act(self) -> bool:
        return self.member.dead or self.member.stopped

    @property
    def caught(self) -> list[tuple[int, int]]:
        """The signals that it has caught: number and sender's pid in its namespace, 0 for one from outside."""
        return [
            (number, self.number_of(sender))
            for number, sender in self.prompter.caught_by(self.member)
        ]


class CuedCast(Actors[CuedActor]):
    """The actors by name. It directs them: whoever is forked by order has the name that the order gives."""

    def __init__(self) -> None:
        super().__init__()
        self._by_member: dict[Member, CuedActor] = {}
        self._prompter: Prompter | None = None
        self._effects: Callable[[], object] = lambda: None
        self._on_birth: Callable[[Member], None] = lambda member: None
        self.stirred = True  # something has been ordered since the last rest
        self.strays: dict[Member, Watched] = {}
        self.births = 0  # of strays

    def begin(
        self,
        prompter: Prompter,
        effects: Callable[[], object],
        on_birth: Callable[[Member], None],
    ) -> None:
        self._prompter = prompter
        self._effects, self._on_birth = effects, on_birth

    def command(self, name: str, command: str) -> None:
        """Gives an order without waiting for its reply. Raises ActorLostError if the actor is gone."""
        actor = self._actors[name]
        if actor.member.dead:
            raise ActorLostError(name)
        self.stirred = True
        actor.owes.append(command)
        actor.prompter.order(actor.member, command)

    def hear(self, name: str) -> CuedActor:
        return self._actors[name]

    def reply(self, name: str) -> int:
        """The value of its next reply. Raises ActorLostError and ShortageError, as `Actor.take_reply` does."""
        return self._actors[name].take_reply()[1]

    def close(self) -> None:
        for process in (*(actor.process for actor in self), *self.strays.values()):
            process.close()

    # As a `Director` of forklab/lens/loop/directed.py.

    def born(self, member: Member) -> None:
        if member.parent is None:
            return
        parent = self._by_member.get(member.parent)
        name = _child_of_order(parent, member) if parent else ""
        if name and name not in self._actors:
            self._take_in(name, member)
        else:
            self._note_stray(member)
        self._on_birth(member)

    def listens(self, member: Member) -> bool:
        if member in self._by_member:
            return True
        if MAIN in self._actors:
            return False  # an init can start the actor program as often as it likes, but only once as main
        self._take_in(MAIN, member)
        return True

    def hears(self, member: Member, text: str) -> None:
        actor = self._by_member.get(member)
        if actor is not None:
            actor.replies.append(text)

    def effects(self) -> object:
        return self._effects()

    def _take_in(self, name: str, member: Member) -> None:
        process = self.strays.pop(member, None) or watched(member)
        assert self._prompter is not None
        self._actors[name] = self._by_member[member] = CuedActor(
            Hello(name, condition_of(process)), process, member, self._prompter, self._number_of
        )

    def _note_stray(self, member: Member) -> None:
        """Raises UnrulyError if there are too many."""
        self.births += 1
        if self.births > _MOST_BIRTHS:
            raise UnrulyError("it starts one process after the other")
        for gone in [stray for stray in self.strays if stray.reaped]:
            self.strays.pop(gone).close()
        self.strays[member] = watched(member)

    def _number_of(self, name: str) -> int:
        assert self._prompter is not None
        found = (member for member in self._prompter.everybody if member.name == name)
        return next((number_inside(member) for member in found), 0)


def _child_of_order(parent: CuedActor, child: Member) -> str:
    """The name for a newborn, if its parent was told to fork it: by the first order that it has not answered."""
    orders = parent.owes[len(parent.replies) :]
    order, _, name = (orders[0] if orders else "").partition(" ")
    return name if order == "fork" and child.parent is parent.member else ""


def number_inside(member: Member) -> int:
    """Its pid, as the play itself knows it."""
    return member.numbers[-1] if member.numbers else member.pid


def watched(member: Member) -> Watched:
    """What the kernel tells of it, where the lens does not know better: who is traced seems to stand still always."""
    return Watched(member.pid, known=lambda: _stat_of(member))


def _stat_of(member: Member) -> Stat | None:
    gone = member.reaped and member.parent is not None  # init is a zombie until the end of the play
    if gone:
        return None
    state = "Z" if member.dead else "T" if member.stopped else "S"
    stopped_by = member.stopped_by if state == "T" else 0
    return Stat(state, member.parent.pid if member.parent else 0, 1, stopped_by, leaving=False)
