"""One play on the stage: the subject, the actors that it leads to, what can be done to them and asked of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Hashable, Sequence
from typing import Self

from autograder.language.roles import AS_EVER, BACKGROUND, INIT, MAIN, OUTSIDE, PIDNS, Casting
from autograder.stage.activity import Activity, Posture, told_trouble
from autograder.stage.actors import EXIT_WITHOUT_JUDGE, ActorLostError
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
from autograder.stage.watch import STOPPED_STATES, Watched, parent_of

# So long we wait for an actor's reply before we look whether there can be one at all.
_REPLY_SECONDS = 0.01
_MOST_NEWS = 1000  # while actors are born: whoever makes more is up to something else


class Play:
    """A play that is on. Nobody of it is left once it is closed."""

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
        self._stage = stage
        self._casting = casting
        self.subject = casting.subject
        self.start = start
        self._sandbox = stage.sandbox
        self.mode = stage.sandbox.mode
        self._closed = False
        self.frozen = False  # by us: whatever init is, it is not its own doing
        self._signals = 0  # from outside
        self._rest: tuple[tuple[int, int, int], Settled] | None = None
        self._streams = Streams(terminal=terminal, typed=typed, keys=not self.subject.is_init)
        try:
            self.standard_files = self._streams.files
            self.nice_value = os.getpriority(os.PRIO_PROCESS, 0)  # what init's is relative to
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
        self.init = Watched(pid)  # the subject
        # Who is above a subject that is no init: to it orphans come.
        self._reaper = None if self.subject.is_init else Watched(parent_of(pid))
        inside = 1 if self.mode == PIDNS else pid
        if not self.subject.is_init:
            inside = int(self.init.status()["NSpid"].split()[-1])
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
        while settled.rest is not Rest.DONE and self._init_is_traced():
            settled = self.quiescence.settle(init_has_forked)
        # An init that has come to rest without it has no such moment: its child begins before vfork(2) returns.
        if self._sandbox.await_fork_no_more() and self.start.frozen == INIT:
            # The signal is on its way: init runs nothing more, but it has still to stop.
            self.quiescence.settle(lambda: self._init_is_stopped() or self.init.ended())
            self.frozen = self._init_is_stopped()

    def thaw_main(self) -> None:
        self._signals += 1
        self._sandbox.thaw_main()

    def foreground(self) -> int | None:
        """The process group in the terminal's foreground, as seen from here; None without a terminal."""
        return self._streams.foreground()

    def foreground_at_start(self) -> int | None:
        """That in which init was started, or the session leader's."""
        if self.start.job == BACKGROUND or self._streams.foreground() is None:
            return self._streams.session()
        return self.init.pid

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

    def excess(self) -> str | None:
        """What the play took too much of, in words; all of it has been killed then."""
        return self._sandbox.excess()

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

    def _settle(self, done: Callable[[], bool], *, births_among_actors: bool = False) -> Settled:
        stirred = (self.cast.orders, self.cast.asked, self._signals)
        if self._rest is not None and self._rest[0] == stirred:
            return Settled(Rest.DONE, Activity(Posture.UNKNOWN)) if done() else self._rest[1]
        settled = self.quiescence.settle(done, births_among_actors=births_among_actors)
        self._rest = None if settled.rest is Rest.DONE else (stirred, settled)
        return settled

    def send(self, name: str, number: int) -> None:
        """A signal from outside; to one that is gone, silently nothing."""
        self._signals += 1
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

    @property
    def is_its_own_init(self) -> bool:
        """Whether main is the process that was init: it was executed there, and not in a child."""
        return MAIN in self.cast and self.cast[MAIN].process.pid == self.init.pid

    def is_command(self, name: str) -> bool:
        """Whether it is an actor that the subject finds on its PATH, or a further run of one."""
        return self._casting.is_command(name)

    @property
    def outside(self) -> str:
        """What is told of who is none of the play: the init above a subject that is none itself."""
        return OUTSIDE if self.subject.is_init else INIT

    def process(self, name: str) -> Watched:
        """Raises ActorLostError if there is nobody of this name yet."""
        if name == self.subject.name:
            return self.init
        return self._made[name] if name in self._made else self.cast[name].process

    def is_there(self, name: str) -> bool:
        """Whether somebody of this name is there, or has been."""
        return name == self.subject.name or name in self._made or name in self.cast

    @property
    def made(self) -> Sequence[str]:
        """Those whom the subject has made and the script has named."""
        return tuple(self._made)

    def name_children(self, parent: str, names: Sequence[str]) -> bool:
        """Gives names to those children of `parent` that have none, the oldest first; False if they are too few."""
        children = self.process(parent).children()
        return self._made.name((pid for pid in children if self.name_of(pid) is None), names)

    def children(self, name: str) -> int:
        """How many it has, zombies included."""
        return len(self.process(name).children())

    def type(self, words: bytes) -> None:
        """Raises ActorLostError, of the subject, if nobody reads that any more, or what was typed before."""
        self._signals += 1
        try:
            self._streams.type(words)
        except OSError as error:
            raise ActorLostError(self.subject.name, error.errno) from error

    def let_exit(self, name: str) -> None:
        """Raises ActorLostError if it is gone already: it was killed, or has found another way out."""
        process = self.process(name)
        if process.ended():
            raise ActorLostError(name)
        self._signals += 1
        self.timers.let_exit(process)

    def held_exit(self, name: str) -> int | None:
        """With what somebody is going to exit who is held at that; else None."""
        process = self.process(name)
        return None if process.ended() else self.timers.held(process.pid)

    def end_input(self) -> None:
        self._signals += 1
        self._streams.end_input()

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

    def name_of(self, pid: int) -> str | None:
        """Who has this pid, as seen from here; None if it is nobody of the cast."""
        if pid == self.init.pid:
            return self.subject.name
        if self._reaper is not None and pid == self._reaper.pid:
            return INIT
        actor = next((actor.name for actor in self.cast if actor.process.pid == pid), None)
        return actor or self._made.name_of(pid)

    def pid_inside(self, name: str) -> int:
        """Its pid as the subject sees it. Raises ActorLostError if there is no actor of this name."""
        return self._pid_inside if name == self.subject.name else self.cast[name].pid_inside

    def name_inside(self, pid: int) -> str | None:
        """Who has this pid, as the subject sees it."""
        if pid == self._pid_inside:
            return self.subject.name
        return next((actor.name for actor in self.cast if actor.pid_inside == pid), None)

    def freeze(self) -> bool:
        """Stops init from outside, which acts on PID 1 as well; False if it is gone."""
        self.frozen = True
        self.send(self.subject.name, signal.SIGSTOP)
        self.settle(lambda: self._init_is_stopped() or self.init.ended())
        return self._init_is_stopped()

    def thaw(self) -> None:
        self.frozen = False
        self.send(self.subject.name, signal.SIGCONT)

    def strays(self) -> list[tuple[str, Watched]]:
        """Processes of the play that are no actors, and how they are called."""
        strays = self.quiescence.strays()
        return [(self.name_of(stray.pid) or f"process {stray.pid}", stray) for stray in strays]

    def output(self) -> str:
        """What has been written to standard output so far."""
        return self._streams.output()

    def complaints(self) -> str:
        """What has been written to standard error so far."""
        return self._streams.complaints()

    def exit_handler_ran_in_a_child(self) -> bool:
        """Whether our witness, which init was started with, says so."""
        return self._streams.witness_has_spoken()

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _effects(self) -> Hashable:
        """What a process can do without that another one runs: write, and send signals that are blocked."""
        return self._streams.written(), tuple(actor.process.pending() for actor in self.cast)

    def _init_is_traced(self) -> bool:
        """Whether it stands still for a moment, because the launcher that traces it has to take note of something."""
        stat = self.init.stat()
        return stat is not None and stat.state == "t"

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


def _pid_namespace(pid: int) -> FileId | None:
    try:
        with looking_as(user_of(pid)):
            return file_id(f"/proc/{pid}/ns/pid")
    except OSError:
        return None
