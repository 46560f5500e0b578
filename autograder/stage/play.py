"""One play on the stage: the subject, the actors that it leads to, what can be done to them and asked of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Hashable, Sequence

from autograder.language.roles import AS_EVER, INIT, MAIN, PIDNS, Casting
from autograder.stage.activity import Activity, Posture, told_trouble
from autograder.stage.actors import EXIT_WITHOUT_JUDGE, ActorLostError
from autograder.stage.any_play import AnyPlay
from autograder.stage.cast import Cast
from autograder.stage.errors import ShortageError, UnableError
from autograder.stage.made import Made
from autograder.stage.quiescence import Quiescence, Rest, Settled
from autograder.stage.stage import Stage
from autograder.stage.start import AS_AT_LOGIN, Start
from autograder.stage.streams import Streams
from autograder.stage.surroundings import FileId, file_id
from autograder.stage.timers import Timers
from autograder.stage.users import looking_as, user_of
from autograder.stage.watch import STOPPED_STATES, Watched, parent_of, started_at

# So long we wait for an actor's reply before we look whether there can be one at all.
_REPLY_SECONDS = 0.01
_MOST_NEWS = 1000  # while actors are born: whoever makes more is up to something else


class Play(AnyPlay):
    """In real time."""

    cast: Cast

    def __init__(
        self,
        stage: Stage,
        command: Sequence[str],
        *,
        terminal: bool = False,
        start: Start = AS_AT_LOGIN,
        casting: Casting = AS_EVER,
        typed: bool = False,
    ) -> None:
        """Starts `command`, the subject with all its arguments, as `start` says. `typed`: something is for it to read.

        Raises UnableError if this machine cannot start it so, StageError if the stage fails.
        """
        streams = Streams(terminal=terminal, typed=typed, keys=not casting.subject.is_init)
        super().__init__(stage.sandbox, casting, start, streams)
        self._stage = stage
        self._closed = False
        self._signals = 0  # from outside
        self._rest: tuple[tuple[int, int, int], Settled] | None = None
        try:
            pid, listener = stage.sandbox.open_play(
                command,
                self._streams.standard,
                terminal=terminal,
                timers=True,
                below_init=not self.subject.is_init,
                settings=stage.settings(start),
            )
        finally:
            self._streams.are_handed_over()
        self.init = Watched(pid)
        self._reaper = None if self.subject.is_init else Watched(parent_of(pid))
        inside = 1 if self.mode == PIDNS else pid
        if not self.subject.is_init:
            inside = int(self.init.status("NSpid")[0].split()[-1])
        self._pid_inside = inside  # the subject's, as it knows it itself
        self._made = Made()
        self._namespace = _pid_namespace(pid)
        self.cast = Cast(stage.listener, stage.is_actor, self._belongs, casting)
        self.cast.watch(self.init)
        self.timers = Timers(listener, stage.is_actor)
        if listener is not None:
            self.cast.listen_to(listener)
        self.quiescence = Quiescence(
            self.init,
            self.cast.processes,
            self.cast.wait_for_news,
            timers=self.timers,
            conduct=stage.conduct,
            effects=self._effects,
            reaper=self._reaper,
        )
        if start.exits_held and listener is None:
            self.close()
            raise UnableError("the kernel of this machine does not tell us who is about to exit")

    def wait_for_fork(self) -> None:
        """Waits until somebody is frozen after init's fork, if the play starts so."""
        if self.start.frozen is None:
            return

        def init_has_forked() -> bool:
            return self.init.ended() or not self._sandbox.fork_is_awaited()

        # Not remembered as a rest of ours: what the launcher does next wakes somebody.
        settled = self.quiescence.settle(init_has_forked)
        while settled.rest in (Rest.QUIET, Rest.TIMED):
            # Who stands still for a moment, because the launcher that traces it has to take note of something, looks
            # as if it slept. Once the launcher has answered, whoever had stopped before runs again, and has run by the
            # next rest.
            before = self.init.cpu_nanoseconds()
            self._sandbox.fork_is_awaited()
            settled = self.quiescence.settle(init_has_forked)
            if self.init.cpu_nanoseconds() == before:
                break
        # An init that has come to rest without it has no such moment: its child begins before vfork(2) returns.
        if self._sandbox.await_fork_no_more() and self.start.frozen == INIT:
            # The signal is on its way: init runs nothing more, but it has still to stop.
            self.quiescence.settle(lambda: self._init_is_stopped() or self.init.ended())
            self.frozen = self._init_is_stopped()

    def thaw_main(self) -> None:
        self._stir()
        self._sandbox.thaw_main()

    def wait_for_main(self) -> Settled | None:
        """Waits until main has reported; None then, else how the play came to rest without it.

        Raises ShortageError if it is there, and says that it cannot report.
        """

        def main_is_there() -> bool:
            self.cast.greet()
            return MAIN in self.cast

        settled = self._settle_with_guests(main_is_there)
        self._stage.conduct.starts(main_is_there(), spinning=settled.rest is Rest.SPINNING)
        if MAIN not in self.cast:
            self._refuse_trouble()
            return settled
        self.quiescence.has_started()
        return None

    def wait_for_births(self, names: Sequence[str]) -> bool:
        """Whether all of these actors, whom others have been told to fork, have reported."""

        def all_are_there() -> bool:
            self.cast.greet()
            fallen = self.subject.is_init and self.init.ended()
            return fallen or all(name in self.cast for name in names)

        # Mostly the news come at once, and nobody has to be looked at.
        for _ in range(_MOST_NEWS):
            if all_are_there() or not self.cast.wait_for_news(_REPLY_SECONDS):
                break
            self.timers.attend()
        if not all_are_there():
            self._settle_with_guests(all_are_there, births_among_actors=True)
            self._refuse_trouble()
        return all(name in self.cast for name in names)

    def reply(self, name: str) -> int:
        """The value of an actor's next reply. Raises ActorLostError if there is none, and never will be."""
        if not self.cast.has_answered(name):
            self.cast.wait_for(name, _REPLY_SECONDS)
            self.settle(lambda: self.cast.has_answered(name))
        return self.cast.reply(name)

    def trouble(self) -> str:
        """What an actor says that it cannot do, or that one has lost us; empty if all is well. See c/actor.c."""
        for stray in self.quiescence.strays():
            error = told_trouble(stray) if self.cast.is_actor(stray.pid) else None
            if error is not None:
                return f"an actor cannot reach the judge: {os.strerror(error)}"
        for actor in self.cast:
            if not actor.may_end and self.status(actor.name) == EXIT_WITHOUT_JUDGE:
                return f"{actor.name} has lost its connection to the judge"
        return ""

    def _refuse_trouble(self) -> None:
        if trouble := self.trouble():
            raise ShortageError(trouble)

    def settle(
        self, done: Callable[[], bool] = lambda: False, *, births_among_actors: bool = False
    ) -> Settled:
        """Waits until `done`, or until the play is at rest. A proven rest holds until somebody is told to do something.

        Raises RestlessError and UnrulyError, as Quiescence.settle does.
        """
        if self._casting.commands:  # the subject may start one at any time
            return self._settle_with_guests(
                lambda: self._all_are_greeted() and done(), births_among_actors=births_among_actors
            )
        return self._settle(done, births_among_actors=births_among_actors)

    def outlast(self, done: Callable[[], bool]) -> Settled:
        if not self._stage.conduct.may_be_outlasted:
            return self.settle(done)
        self._stir()
        self.quiescence.outlasts = True
        try:
            return self.settle(done)
        finally:
            self.quiescence.outlasts = False

    def _settle(self, done: Callable[[], bool], *, births_among_actors: bool = False) -> Settled:
        stirred = (self.cast.orders, self.cast.asked, self._signals)
        if self._rest is not None and self._rest[0] == stirred:
            return Settled(Rest.DONE, Activity(Posture.UNKNOWN)) if done() else self._rest[1]
        settled = self.quiescence.settle(done, births_among_actors=births_among_actors)
        self._rest = None if settled.rest is Rest.DONE else (stirred, settled)
        return settled

    def send(self, name: str, number: int) -> None:
        self._stir()
        self.process(name).send(number)

    def _settle_with_guests(
        self, done: Callable[[], bool], *, births_among_actors: bool = False
    ) -> Settled:
        """The same, where `done` itself may be what somebody waits for: it asks who has connected for a hello."""
        while True:
            asked = self.cast.asked
            settled = self._settle(done, births_among_actors=births_among_actors)
            if settled.rest is Rest.DONE or self.cast.asked == asked:
                return settled

    def _all_are_greeted(self) -> bool:
        self.cast.greet()
        return True

    def let_exit(self, name: str) -> None:
        """Raises ActorLostError if it is gone already: it was killed, or has found another way out."""
        process = self.process(name)
        if process.ended():
            raise ActorLostError(name)
        self._stir()
        self.timers.let_exit(process)

    def held_exit(self, name: str) -> int | None:
        """With what somebody is going to exit who is held at that; else None."""
        process = self.process(name)
        return None if process.ended() else self.timers.held(process.pid)

    def status(self, name: str) -> int | None:
        """How a process of the play ended, as os.waitstatus_to_exitcode() tells it.

        None while it lives, and if nobody can know any more.
        """
        process = self.process(name)
        if not process.ended():
            return None
        if process is self.init and self.subject.is_init:
            return self._sandbox.status()
        status = process.wait_status()
        return None if status is None else os.waitstatus_to_exitcode(status)

    def freeze(self) -> bool:
        """Stops init from outside, which acts on PID 1 as well; False if it is gone."""
        self.frozen = True
        self.send(self.subject.name, signal.SIGSTOP)
        self.settle(lambda: self._init_is_stopped() or self.init.ended())
        return self._init_is_stopped()

    def strays(self) -> list[tuple[str, Watched]]:
        """Processes of the play that are no actors, and how they are called."""
        strays = self.quiescence.strays()
        return [(self.name_of(stray.pid) or f"process {stray.pid}", stray) for stray in strays]

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._sandbox.end_play()
        finally:
            self.quiescence.close()
            self.cast.close()
            self.timers.close()
            for process in (self.init, *filter(None, [self._reaper])):
                process.close()
            self._made.close()
            self._streams.close()

    def _children(self, name: str) -> list[int]:
        return sorted(self.process(name).children(), key=_age)

    def _reaper_pid(self) -> int | None:
        return None if self._reaper is None else self._reaper.pid

    def _stir(self) -> None:
        self._signals += 1

    def _effects(self) -> Hashable:
        """What a process can do without that another one runs: write, and send signals that are blocked."""
        return self._streams.written(), tuple(actor.process.pending() for actor in self.cast)

    def _init_is_stopped(self) -> bool:
        stat = self.init.stat()
        return stat is not None and stat.state in STOPPED_STATES

    def _belongs(self, pid: int) -> bool:
        """Whether a process is of this play: in init's PID namespace, or descended from init or its launcher."""
        if self.mode == PIDNS:
            return _pid_namespace(pid) == self._namespace
        while pid > 1:
            if pid in (self.init.pid, self._sandbox.launcher_pid):
                return True
            pid = parent_of(pid)
        return False


def _age(pid: int) -> tuple[int, int]:
    """To sort by birth: when it was started, in ticks of the clock, and of those at once the lower pid first."""
    return started_at(pid), pid


def _pid_namespace(pid: int) -> FileId | None:
    try:
        with looking_as(user_of(pid)):
            return file_id(f"/proc/{pid}/ns/pid")
    except OSError:
        return None
