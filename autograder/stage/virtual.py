"""One play on the stage in virtual time: the subject, actors and all that they start run below the lens.

The lens knows who waits for what and until when, so nothing is guessed: a play is at rest when nobody can go on, time
costs nothing, and the same seed gives the same play. Actors have their orders from the lens itself, by a call that it
answers; who they are, whom they have forked and which signals have come to them, it sees. The sandbox is the same as in
real time. Whoever sleeps is waited for as long as there: a script can be relied on to mean the same in both.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

from autograder.language.roles import AS_EVER, INIT, MAIN, Casting
from autograder.stage.activity import Activity, Posture, doing
from autograder.stage.actors import ActorLostError
from autograder.stage.any_play import AnyPlay
from autograder.stage.cued import CuedCast, WatchedMember, number_inside
from autograder.stage.errors import ExcessError, RestlessError, StageError
from autograder.stage.made import Made
from autograder.stage.patience import LONGEST_SLEEP_SECONDS, Sleeper
from autograder.stage.quiescence import Rest, Settled
from autograder.stage.stage import Stage
from autograder.stage.start import AS_AT_LOGIN, Start
from autograder.stage.streams import Streams
from autograder.stage.watch import Watched, parent_of
from forklab.lens.loop.rest import Kind, is_timed
from forklab.lens.loop.rest import Rest as LensRest
from forklab.lens.performance import LIMITS, Performance
from forklab.lens.world.chronicle import Member
from forklab.lens.world.limits import EndOfRunError, TooManyProcessesError
from forklab.lens.world.surroundings import File

_RESTS = {
    Kind.QUIET: Rest.QUIET,
    Kind.LATER: Rest.TIMED,
    Kind.POLLING: Rest.POLLING,
    Kind.BUSY: Rest.SPINNING,
}
_LATE_SECONDS = 1e9  # whoever starts main is waited for: no line of the script can come before that
_TOO_MANY = f"more than {LIMITS.processes} processes and threads at the same time"
_MOST_RESTS_OF_A_POLLER = 100  # each after some forty wakings at most
_ROOM_OF_A_TERMINAL = 2048  # bytes that it holds at least


class VirtualPlay(AnyPlay):
    """In virtual time."""

    cast: CuedCast

    def __init__(
        self,
        stage: Stage,
        command: Sequence[str],
        *,
        terminal: bool = False,
        start: Start = AS_AT_LOGIN,
        casting: Casting = AS_EVER,
        typed: bool = False,
        seed: int | str = 0,
    ) -> None:
        """As `Play` has it; `seed` decides who is next where several can go on."""
        streams = Streams(terminal=terminal, typed=typed, keys=not casting.subject.is_init)
        super().__init__(stage.sandbox, casting, start, streams)
        self._stage = stage
        self._made = Made(self._watched_by_pid)
        self._has_terminal = terminal
        self._closed = False
        self._settled: Settled | None = None
        self._late: Member | None = None  # main, that was frozen after init's fork
        untraced = replace(start, frozen=None)  # that is our own doing, as nobody else can trace it
        try:
            pid, gate = stage.sandbox.open_play(
                command,
                self._streams.standard,
                terminal=terminal,
                below_init=not self.subject.is_init,
                settings=stage.settings(untraced),
            )
        finally:
            self._streams.are_handed_over()
        self.cast = CuedCast(casting)
        assert gate is not None
        try:
            actor = os.stat(stage.program)
            identity = (actor.st_dev, actor.st_ino, actor.st_rdev)
            self._performance = self._traced(pid, identity, seed)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise StageError(f"a play cannot be traced: {why}") from error
        finally:
            os.close(gate)
        self._first = self._performance.first
        self._above = parent_of(pid)
        self._pid_inside = number_inside(self._first)
        self.cast.begin(self._performance, self._streams.written, self._is_born, above=self._above)
        self.init = self.cast.watch(self._first)

    def _traced(self, pid: int, actor: File, seed: int | str) -> Performance:
        return Performance(
            pid,
            actor,
            self.cast,
            seed=seed,
            terminal=self._has_terminal,
            adopts=self.subject.is_init,
        )

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
        self._stir()
        if self._late is not None:
            self._performance.send(self._late, signal.SIGCONT)
        self._late = None

    def wait_for_main(self) -> Settled | None:
        """Waits until main has asked for orders; None then, else how the play came to rest without it."""
        settled = self.settle()
        if settled.rest is Rest.TIMED and MAIN not in self.cast:
            settled = self._come_to_rest(_LATE_SECONDS)
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

        Raises UnrulyError if it never will be, ExcessError if it takes too much, RestlessError if it had to be ended.
        """
        if self.cast.stirred or self._settled is None:
            self._settled = self._come_to_rest(LONGEST_SLEEP_SECONDS)
        return Settled(Rest.DONE, Activity(Posture.UNKNOWN)) if done() else self._settled

    def outlast(self, done: Callable[[], bool]) -> Settled:
        until = self._performance.seconds + LONGEST_SLEEP_SECONDS
        for _ in range(_MOST_RESTS_OF_A_POLLER):
            self._settled = self._come_to_rest(LONGEST_SLEEP_SECONDS)
            if done():
                return Settled(Rest.DONE, Activity(Posture.UNKNOWN))
            if self._settled.rest is not Rest.POLLING or self._performance.seconds >= until:
                break
        assert self._settled is not None
        return self._settled

    def _come_to_rest(self, patience: float, *, at_least: float = 0.0) -> Settled:
        """Nobody is waited for who sleeps longer than that, in seconds; `at_least` so many go by."""
        self.cast.comes_to_rest()
        while True:
            written = self._on_screen()
            try:
                rest = self._performance.come_to_rest(patience, at_least=at_least)
            except TooManyProcessesError as end:
                raise ExcessError(_TOO_MANY) from end
            except EndOfRunError as end:
                raise RestlessError(str(end)) from end
            # A terminal holds so much; who has filled it goes on once we have read that.
            if self._on_screen() - written < _ROOM_OF_A_TERMINAL:
                break
        self.cast.stirred = False
        return self._settle(rest)

    def let_pass(self, seconds: float) -> None:
        """As `AnyPlay` has it; it costs nothing."""
        self._settled = self._come_to_rest(max(seconds, LONGEST_SLEEP_SECONDS), at_least=seconds)

    def _on_screen(self) -> int:
        """How much has been written to the terminal, if there is one: it is read from there."""
        return sum(self._streams.written()) if self._has_terminal else 0

    def _settle(self, rest: LensRest) -> Settled:
        """What the subject is doing then, and who wakes up again and again, or much later."""
        kind, who = _RESTS[rest.kind], rest.who
        if kind is Rest.SPINNING:
            self._stage.conduct.spins += 1
            return Settled(kind, Activity(Posture.RUNNING))
        sleeper = None
        if who is not None:
            call = self._doing(who).call
            limit = rest.seconds if kind is Rest.TIMED else None
            sleeper = Sleeper(who.pid, call, limit, hidden=not call)
        awake = kind is Rest.POLLING and who is self._first
        return Settled(kind, self._doing(self._first, awake=awake), sleeper)

    def _doing(self, member: Member, *, awake: bool = False) -> Activity:
        thread = self._performance.thread_of(member)
        if thread is not None and thread.unfinished_birth:
            return Activity(Posture.ASLEEP, "vfork")
        if thread is None or thread.call is None or member.stopped:
            return Activity(Posture.ASLEEP)
        timed = awake or is_timed(thread)
        return doing(thread.call.name, thread.call.arguments, timed=timed)

    def send(self, name: str, number: int) -> None:
        self._stir()
        self._performance.send(self._member(name), number)

    def freeze(self) -> bool:
        """Stops init from outside, which acts on PID 1 as well; False if it is gone."""
        self.frozen = True
        self.send(self.subject.name, signal.SIGSTOP)
        self.settle()
        return self._first.stopped

    def _member(self, name: str) -> Member:
        process = self.process(name)
        assert isinstance(process, WatchedMember)
        return process.member

    def type(self, words: bytes) -> None:
        """Raises ActorLostError, of the subject, if nobody reads that any more, or what was typed before."""
        super().type(words)
        self._performance.stir()  # a key at a terminal may mean a signal

    def let_exit(self, name: str) -> None:
        """Raises ActorLostError if it is gone already: it was killed, or has found another way out."""
        member = self._member(name)
        if member.dead:
            raise ActorLostError(name)
        self._stir()
        self._performance.let_exit(member)

    def held_exit(self, name: str) -> int | None:
        """With what somebody is going to exit who is held at that; else None."""
        return self._performance.held_exit(self._member(name))

    def _watched_by_pid(self, pid: int) -> Watched:
        member = self._performance.living(pid)
        if member is None:
            raise ProcessLookupError(pid)
        return self.cast.watch(member)

    def _children(self, name: str) -> list[int]:
        children = sorted(self._member(name).children, key=lambda child: child.born)
        return [child.pid for child in children]

    def status(self, name: str) -> int | None:
        """How it ended, as os.waitstatus_to_exitcode() tells it; None while it lives."""
        return self._member(name).status

    def strays(self) -> list[tuple[str, Watched]]:
        """Processes of the play that are no actors, and how they are called: by the number that they have inside."""
        return [
            (self.name_of(stray.pid) or f"process {number_inside(stray.member)}", stray)
            for stray in self.cast.strays()
        ]

    def trouble(self) -> str:
        """Nobody can lose us."""
        return ""

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

    def _reaper_pid(self) -> int | None:
        return None if self.subject.is_init else self._above

    def _stir(self) -> None:
        self.cast.stirred = True
