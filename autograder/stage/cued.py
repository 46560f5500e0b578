"""Actors in virtual time: they have their orders from the lens, and the lens tells who they are.

    CuedActor    one of them
    CuedCast     all of them by name; it directs what the lens plays (forklab/lens/loop/directed.py)

An actor asks for orders by a call that the lens answers. Nobody tells us names: whoever is forked by order has the name
that the order gives, whoever executes a command is called as its file is, and main is the first that is none of these.
Whoever has that done, a play or a proof, is the `Prompter`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from autograder.language.roles import AS_EVER, MAIN, Casting, run_name
from autograder.stage.actors import Actor, ActorLostError, Actors, Hello
from autograder.stage.condition import condition_of
from autograder.stage.errors import UnrulyError
from autograder.stage.watch import Stat, Watched
from forklab.lens.world.chronicle import Member

_MOST_BIRTHS = 100  # of processes that are no actors, until the play is at rest
_COMMANDS = "bin"  # the folder of commands, as `Stage.put_commands` has it


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
    def next_order(self) -> str:
        """The first one that it has not answered; empty if there is none."""
        orders = self.owes[len(self.replies) :]
        return orders[0] if orders else ""

    @property
    def pid_inside(self) -> int:
        return number_inside(self.member)

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
    """The actors by name, and those who are none, the strays.

    `casting` says who may be an actor without that another one forks it.
    """

    def __init__(self, casting: Casting = AS_EVER) -> None:
        super().__init__()
        self._casting = casting
        self._runs: Counter[str] = Counter()  # of each command
        self._by_member: dict[Member, CuedActor] = {}
        self._executing: set[Member] = set()  # who is about to execute something else, by order
        self._prompter: Prompter | None = None
        self._effects: Callable[[], object] = lambda: None
        self._on_birth: Callable[[Member], None] = lambda member: None
        self.stirred = True  # something has been ordered since the last rest
        self._strays: dict[Member, WatchedMember | None] = {}  # None: nobody has looked at it yet
        self.unnamed: list[Member] = []  # all who have ever been strays, and are no actors
        self._births = 0  # of strays, until the play is at rest
        self._above = 0

    def begin(
        self,
        prompter: Prompter,
        effects: Callable[[], object] = lambda: None,
        on_birth: Callable[[Member], None] = lambda member: None,
        *,
        above: int = 0,
    ) -> None:
        """`effects` as a `Director` has it; `above`: the pid of whoever orphans come to, where that is none of them."""
        self._prompter = prompter
        self._effects, self._on_birth, self._above = effects, on_birth, above

    def command(self, name: str, command: str) -> None:
        """Gives an order without waiting for its reply. Raises ActorLostError if the actor is gone."""
        actor = self[name]
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

    def dismiss(self, name: str) -> CuedActor:
        actor = super().dismiss(name)
        if self._by_member[actor.member] is actor:  # it has not become one of another name
            del self._by_member[actor.member]
            self._note_stray(actor.member)
        self._executing.discard(actor.member)
        return actor

    def comes_to_rest(self) -> None:
        """From now on, whoever is born is counted anew."""
        self._births = 0

    def watch(self, member: Member) -> WatchedMember:
        """Raises ProcessLookupError if it has been reaped."""
        return WatchedMember(member, self._above)

    def strays(self) -> Iterator[WatchedMember]:
        """Those who are no actors, and have not been reaped."""
        for member in list(self._strays):
            if member.reaped:
                self._forget_stray(member)
            else:
                process = self._strays[member] or self.watch(member)
                self._strays[member] = process
                yield process

    def close(self) -> None:
        for member in list(self._strays):
            self._forget_stray(member)
        for actor in self:
            actor.process.close()

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
        if member in self._by_member and member not in self._executing:
            return True
        name = self._name_of_run(member)
        if name is None:
            return False
        if member in self._strays:
            self._births -= 1
            self.unnamed.remove(member)
            self._forget_stray(member)
        self._take_in(name, member)
        return True

    def hears(self, member: Member, text: str) -> None:
        actor = self._by_member.get(member)
        if actor is None:
            return
        if text.startswith("heard "):
            actor.heard.append(text.removeprefix("heard "))
        else:
            if actor.next_order.startswith("execute "):
                self._executing.add(member)
            actor.replies.append(text)

    def called(self, member: Member) -> str:
        actor = self._by_member.get(member)
        return actor.name if actor and self._casting.is_command(actor.name) else ""

    def effects(self) -> object:
        return self._effects()

    def _name_of_run(self, member: Member) -> str | None:
        """Of one that executes the actor program and has not been forked by order; None if it has no right to a name.

        An init can start the program as often as it likes, but only once as main.
        """
        command = _command_of(member)
        if command in self._casting.commands:
            self._runs[command] += 1
            return run_name(command, self._runs[command])
        return MAIN if not command and self._casting.main and MAIN not in self._actors else None

    def _take_in(self, name: str, member: Member) -> None:
        process = self.watch(member)
        condition = condition_of(process) if self._casting.notes_starts else None
        assert self._prompter is not None
        self._actors[name] = self._by_member[member] = CuedActor(
            Hello(name, condition), process, member, self._prompter, self._number_of
        )

    def _note_stray(self, member: Member) -> None:
        """Raises UnrulyError if there are too many."""
        self._births += 1
        if self._births > _MOST_BIRTHS:
            raise UnrulyError("it starts one process after the other")
        self._strays[member] = None
        self.unnamed.append(member)

    def _forget_stray(self, member: Member) -> None:
        process = self._strays.pop(member)
        if process is not None:
            process.close()

    def _number_of(self, name: str) -> int:
        assert self._prompter is not None
        found = (member for member in self._prompter.everybody if member.name == name)
        return next((number_inside(member) for member in found), 0)


def _child_of_order(parent: CuedActor, child: Member) -> str:
    """The name for a newborn, if its parent was told to fork it: by the first order that it has not answered."""
    order, _, name = parent.next_order.partition(" ")
    return name if order == "fork" and child.parent is parent.member else ""


def number_inside(member: Member) -> int:
    """Its pid, as the play itself knows it."""
    return member.numbers[-1] if member.numbers else member.pid


class WatchedMember(Watched):
    """What the kernel tells of it, where the lens does not know better: who is traced seems to stand still always.

    `above` is the pid of whose child it is if its parent is none of the play. Raises ProcessLookupError if it is gone.
    """

    def __init__(self, member: Member, above: int = 0) -> None:
        self.member = member
        super().__init__(member.pid, known=lambda: _stat_of(member, above))

    def ended(self) -> bool:
        return self.member.dead


def _stat_of(member: Member, above: int) -> Stat | None:
    is_subject = not member.born  # a zombie until the end of the play
    if member.reaped and not is_subject:
        return None
    state = "Z" if member.dead else "T" if member.stopped else "S"
    stopped_by = member.stopped_by if state == "T" else 0
    parent = member.parent.pid if member.parent else above
    return Stat(state, parent, 1, stopped_by, leaving=False)


def _command_of(member: Member) -> str:
    """The name of the command that it executes; empty if it executes something that stands elsewhere, or is gone."""
    try:
        file = PurePath(os.readlink(f"/proc/{member.pid}/exe"))
    except OSError:
        return ""
    return file.name if file.parent.name == _COMMANDS else ""
