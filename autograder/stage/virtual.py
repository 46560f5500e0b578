"""One play on the stage in virtual time: init, actors and all that they start run below the lens.

The lens knows who waits for what and until when, so nothing is guessed: a play is at rest when nobody can go on, time
costs nothing, and the same seed gives the same play. Actors have their orders from the lens itself, by a call that it
answers; who they are, whom they have forked and which signals have come to them, it sees. The sandbox is the same as in
real time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from autograder.language.roles import AS_EVER, BACKGROUND, INIT, MAIN, OUTSIDE
from autograder.stage.activity import Activity, Posture, doing
from autograder.stage.actors import ActorLostError, Hello
from autograder.stage.condition import condition_of
from autograder.stage.errors import (
    SHORTAGES,
    RestlessError,
    ShortageError,
    StageError,
    UnableError,
    UnrulyError,
)
from autograder.stage.made import Made
from autograder.stage.patience import Sleeper
from autograder.stage.quiescence import Rest, Settled
from autograder.stage.stage import Stage
from autograder.stage.start import AS_AT_LOGIN, Start
from autograder.stage.streams import Streams
from autograder.stage.watch import Stat, Watched
from forklab.lens.loop.rest import Kind
from forklab.lens.performance import Performance
from forklab.lens.world.chronicle import Member
from forklab.lens.world.limits import EndOfRunError

_MOST_BIRTHS = 100  # of processes that are no actors, until the play is at rest
_RESTS = {Kind.QUIET: Rest.QUIET, Kind.POLLING: Rest.POLLING, Kind.BUSY: Rest.SPINNING}


@dataclass
class CuedActor:
    """One actor. `owes` are its orders that it has not answered."""

    hello: Hello
    member: Member
    process: Watched
    performance: Performance
    everybody: Callable[
        [str], int
    ]  # the pid of a member by its name in the history, as actors see it
    owes: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.hello.name

    @property
    def pid_inside(self) -> int:
        return self.hello.condition.pid

    @property
    def owes_replies(self) -> int:
        return len(self.owes)

    @property
    def flooded(self) -> bool:
        """The lens hears all signals, however many."""
        return False

    @property
    def cannot_act(self) -> bool:
        return self.member.dead or self.member.stopped

    @property
    def heard(self) -> list[str]:
        """The lines that it has read: none, as nothing is typed."""
        return []

    @property
    def caught(self) -> list[tuple[int, int]]:
        """The signals that it has caught: number and sender's pid in its namespace, 0 for one from outside."""
        return [
            (number, self.everybody(sender))
            for number, sender in self.performance.caught_by(self.member)
        ]


class CuedCast:
    """The actors by name. It directs them: whoever is forked by order has the name that the order gives."""

    def __init__(self) -> None:
        self._actors: dict[str, CuedActor] = {}
        self._by_member: dict[Member, CuedActor] = {}
        self._born: dict[Member, str] = {}  # by order of their parents, and not yet heard of
        self._performance: Performance | None = None
        self._effects: Callable[[], object] = lambda: None
        self._on_birth: Callable[[Member], None] = lambda member: None
        self.stirred = True  # something has been ordered since the last rest
        self.strays: dict[Member, Watched] = {}
        self.births = 0  # of strays

    def begin(
        self,
        performance: Performance,
        effects: Callable[[], object],
        on_birth: Callable[[Member], None],
    ) -> None:
        self._performance = performance
        self._effects, self._on_birth = effects, on_birth

    def __getitem__(self, name: str) -> CuedActor:
        """Raises ActorLostError if there is none of this name yet."""
        if name not in self._actors:
            raise ActorLostError(name)
        return self._actors[name]

    def __contains__(self, name: object) -> bool:
        return name in self._actors

    def __iter__(self) -> Iterator[CuedActor]:
        return iter(self._actors.values())

    def command(self, name: str, command: str) -> None:
        """Gives an order without waiting for its reply. Raises ActorLostError if the actor is gone."""
        actor = self._actors[name]
        if actor.member.dead:
            raise ActorLostError(name)
        self.stirred = True
        actor.owes.append(command)
        assert self._performance is not None
        self._performance.order(actor.member, command)

    def hear(self, name: str) -> CuedActor:
        return self._actors[name]

    def reply(self, name: str) -> int:
        """As `Cast.reply` has it."""
        actor = self._actors[name]
        if not actor.replies:
            raise ActorLostError(name)
        order = actor.owes.pop(0).partition(" ")[0]
        word, value = actor.replies.pop(0).split(" ")
        if word == "error" and int(value) in SHORTAGES:
            raise ShortageError(f"{name} cannot {order}: {os.strerror(int(value))}")
        if word == "error":
            raise ActorLostError(name, int(value))
        return int(value)

    def close(self) -> None:
        for process in (*(actor.process for actor in self), *self.strays.values()):
            process.close()

    # As a `Director`.

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
        assert self._performance is not None
        self._actors[name] = self._by_member[member] = CuedActor(
            Hello(name, condition_of(process)),
            member,
            process,
            self._performance,
            self._number_of,
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
        assert self._performance is not None
        found = (m for m in self._performance.everybody if m.name == name)
        return next((number_inside(member) for member in found), 0)


class VirtualPlay:
    """A play that is on. Nobody of it is left once it is closed."""

    def __init__(
        self,
        stage: Stage,
        command: Sequence[str],
        *,
        terminal: bool = False,
        start: Start = AS_AT_LOGIN,
        seed: int | str = 0,
    ) -> None:
        """As `Play` has it; `seed` decides who is next where several can go on."""
        self._stage = stage
        self.subject = AS_EVER.subject
        self.start = start
        self._made = Made(self._watched_by_pid)
        self._sandbox = stage.sandbox
        self.mode = stage.sandbox.mode
        self.frozen = False
        self._closed = False
        self._settled: Settled | None = None
        self._late: Member | None = None  # main, that was frozen after init's fork
        self._streams = Streams(terminal=terminal)
        self.standard_files = self._streams.files
        self.nice_value = os.getpriority(os.PRIO_PROCESS, 0)
        untraced = replace(start, frozen=None)  # that is our own doing, as nobody else can trace it
        try:
            pid, _ = stage.sandbox.open_play(
                command,
                self._streams.standard,
                terminal=terminal,
                settings=[*stage.settings(untraced), f"stops {stage.sandbox.stage}/stops"],
            )
        finally:
            self._streams.are_handed_over()
        self.cast = CuedCast()
        try:
            actor = os.stat(stage.program)
            identity = (actor.st_dev, actor.st_ino, actor.st_rdev)
            self._performance = Performance(pid, identity, self.cast, seed=seed)
        except OSError as error:
            raise StageError(f"a play cannot be traced: {error}") from error
        self._first = self._performance.first
        self.init = watched(self._first)
        self.cast.begin(self._performance, self._streams.written, self._is_born)

    def wait_for_fork(self) -> None:
        """Nothing to wait for: who is to be frozen then is stopped by us, between birth and first instruction."""
        if self.start.frozen is not None:
            self.settle()

    def _is_born(self, member: Member) -> None:
        frozen = self.start.frozen
        if frozen is None or member.name != f"{self._first.name}.1":
            return
        if frozen == INIT:
            self.frozen = True
            self._performance.send(self._first, signal.SIGSTOP)
        else:
            self._late = member
            self._performance.send(member, signal.SIGSTOP)

    def thaw_main(self) -> None:
        if self._late is not None:
            self._performance.send(self._late, signal.SIGCONT)
        self._late = None
        self.cast.stirred = True

    def foreground(self) -> int | None:
        """As `Play` has it."""
        return self._streams.foreground()

    def foreground_at_start(self) -> int | None:
        """As `Play` has it."""
        if self.start.job == BACKGROUND or self._streams.foreground() is None:
            return self._streams.session()
        return self.init.pid

    def wait_for_main(self) -> Settled | None:
        """Waits until main has asked for orders; None then, else how the play came to rest without it."""
        settled = self.settle()
        found = MAIN in self.cast
        self._stage.conduct.starts(found, spinning=settled.rest is Rest.SPINNING)
        return None if found else settled

    def wait_for_births(self, names: Sequence[str]) -> bool:
        """Whether all of these actors, whom others have been told to fork, are there."""
        self.settle()
        return all(name in self.cast for name in names)

    def reply(self, name: str) -> int:
        """The value of an actor's next reply. Raises ActorLostError if there is none, and never will be."""
        if not self.cast[name].replies:
            self.settle()
        return self.cast.reply(name)

    def settle(self, done: Callable[[], bool] = lambda: False) -> Settled:
        """Goes on until the play is at rest, whatever is `done` before that: what has been will be looked at then.

        Raises UnrulyError if it never will be, RestlessError if it had to be ended.
        """
        if self.cast.stirred or self._settled is None:
            self.cast.births = 0
            try:
                rest = self._performance.come_to_rest()
            except EndOfRunError as end:
                raise RestlessError(str(end)) from end
            self.cast.stirred = False
            self._settled = self._settle(_RESTS[rest.kind], rest.who)
        return Settled(Rest.DONE, Activity(Posture.UNKNOWN)) if done() else self._settled

    def _settle(self, rest: Rest, who: Member | None) -> Settled:
        """What init is doing then, and who wakes up again and again."""
        if rest is Rest.SPINNING:
            self._stage.conduct.spins += 1
            return Settled(rest, Activity(Posture.RUNNING))
        sleeper = None
        if rest is Rest.POLLING and who is not None:
            call = self._doing(who).call
            sleeper = Sleeper(who.pid, call, None, hidden=not call)
        return Settled(rest, self._doing(self._first, awake=who is self._first), sleeper)

    def _doing(self, member: Member, *, awake: bool = False) -> Activity:
        thread = self._performance.thread_of(member)
        if thread is None or thread.call is None or member.stopped:
            return Activity(Posture.ASLEEP)
        timed = awake or thread.deadline is not None
        return doing(thread.call.name, thread.call.arguments, timed=timed)

    def send(self, name: str, number: int) -> None:
        """A signal from outside; to one that is gone, silently nothing."""
        self.cast.stirred = True
        self._performance.send(self._member(name), number)

    def freeze(self) -> bool:
        """Stops init from outside, which acts on PID 1 as well; False if it is gone."""
        self.frozen = True
        self.send(INIT, signal.SIGSTOP)
        self.settle()
        return self._first.stopped

    def thaw(self) -> None:
        self.frozen = False
        self.send(INIT, signal.SIGCONT)

    @property
    def is_its_own_init(self) -> bool:
        """Whether main is the process that was init: it was executed there, and not in a child."""
        return MAIN in self.cast and self.cast[MAIN].member is self._first

    def _member(self, name: str) -> Member:
        if name == INIT:
            return self._first
        if name in self._made:
            pid = self._made[name].pid
            return next(m for m in self._performance.everybody if m.pid == pid)
        return self.cast[name].member

    def process(self, name: str) -> Watched:
        """Raises ActorLostError if there is nobody of this name yet."""
        if name == INIT:
            return self.init
        return self._made[name] if name in self._made else self.cast[name].process

    @property
    def outside(self) -> str:
        """As `Play` has it."""
        return OUTSIDE

    @property
    def made(self) -> Sequence[str]:
        """As `Play` has it."""
        return tuple(self._made)

    def is_command(self, name: str) -> bool:
        """An init finds no actors on its PATH here."""
        return False

    def is_there(self, name: str) -> bool:
        """As `Play` has it."""
        return name == INIT or name in self._made or name in self.cast

    def name_children(self, parent: str, names: Sequence[str]) -> bool:
        """As `Play` has it."""
        children = self.process(parent).children()
        return self._made.name((pid for pid in children if self.name_of(pid) is None), names)

    def children(self, name: str) -> int:
        """As `Play` has it."""
        return len(self.process(name).children())

    def type(self, words: bytes) -> None:
        """Raises UnableError."""
        raise UnableError("nothing can be typed in virtual time")

    def end_input(self) -> None:
        """Raises UnableError."""
        self.type(b"")

    def let_exit(self, name: str) -> None:
        """Raises UnableError."""
        raise UnableError("no exit is held in virtual time")

    def held_exit(self, name: str) -> int | None:
        """Nobody's is."""
        return None

    def pid_inside(self, name: str) -> int:
        """As `Play` has it."""
        return number_inside(self._first) if name == INIT else self.cast[name].pid_inside

    def _watched_by_pid(self, pid: int) -> Watched:
        return watched(next(m for m in self._performance.everybody if m.pid == pid))

    def status(self, name: str) -> int | None:
        """How it ended, as os.waitstatus_to_exitcode() tells it; None while it lives."""
        return self._member(name).status

    def name_of(self, pid: int) -> str | None:
        """Who has this pid, as seen from here; None if it is nobody of the cast."""
        if pid == self._first.pid:
            return INIT
        actor = next((actor.name for actor in self.cast if actor.member.pid == pid), None)
        return actor or self._made.name_of(pid)

    def name_inside(self, pid: int) -> str | None:
        """Who has this pid, as init sees it."""
        if pid == number_inside(self._first):
            return INIT
        return next((actor.name for actor in self.cast if number_inside(actor.member) == pid), None)

    def strays(self) -> list[tuple[str, Watched]]:
        """Processes of the play that are no actors, and how they are called: by the number that they have inside."""
        return [
            (f"process {number_inside(member)}", process)
            for member, process in self.cast.strays.items()
            if not member.reaped
        ]

    def output(self) -> str:
        """What has been written to standard output so far."""
        return self._streams.output()

    def complaints(self) -> str:
        """What has been written to standard error so far."""
        return self._streams.complaints()

    def exit_handler_ran_in_a_child(self) -> bool:
        """As `Play` has it."""
        return self._streams.witness_has_spoken()

    def trouble(self) -> str:
        """Nobody can lose us."""
        return ""

    def excess(self) -> str | None:
        """What the play took too much of, in words; all of it has been killed then."""
        return self._sandbox.excess()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._performance.close()
            self._sandbox.end_play()
        finally:
            self.cast.close()
            self._made.close()
            self.init.close()
            self._streams.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
    gone = (
        member.reaped and member.parent is not None
    )  # init remains a zombie until the end of the play
    if gone:
        return None
    state = "Z" if member.dead else "T" if member.stopped else "S"
    stopped_by = member.stopped_by if state == "T" else 0
    return Stat(state, member.parent.pid if member.parent else 0, 1, stopped_by, leaving=False)
