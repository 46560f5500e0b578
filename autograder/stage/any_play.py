"""What a play is, whatever clock it goes by: names, numbers and files of those who are in it.

`Play` (play.py) and `VirtualPlay` (virtual.py) add what depends on the clock. What stands at the top they set once the
subject has been started.
"""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Self

from autograder.language.roles import (
    BACKGROUND,
    INIT,
    MAIN,
    OUTSIDE,
    Casting,
    Programs,
    Subject,
    command_of,
)
from autograder.stage.actors import ActorLostError
from autograder.stage.made import Made
from autograder.stage.quiescence import Settled
from autograder.stage.sandbox import Sandbox
from autograder.stage.staged import StagedCast
from autograder.stage.start import Start
from autograder.stage.streams import Streams
from autograder.stage.watch import Watched

_A_MOMENT = 0.05  # seconds


class AnyPlay(ABC):
    """A play that is on. Nobody of it is left once it is closed."""

    forks_in_turn = False  # a row forks one after the other, not all at once
    init: Watched  # the subject
    cast: StagedCast
    _pid_inside: int  # the subject's, as it knows it itself
    _made: Made

    def __init__(self, sandbox: Sandbox, casting: Casting, start: Start, streams: Streams) -> None:
        self._sandbox = sandbox
        self._casting = casting
        self._streams = streams
        self.start = start
        self.mode = sandbox.mode
        self.standard_files = streams.files
        self.nice_value = os.getpriority(os.PRIO_PROCESS, 0)  # what the subject's is relative to
        self.frozen = False  # by us: whatever init is, it is not its own doing
        self.programs: Programs = {}  # those that are judged
        self._may_come = 0  # a signal
        self._numbers: dict[
            str, int
        ] = {}  # the pids, as they know them, of those who are no actors any more

    @property
    def subject(self) -> Subject:
        return self._casting.subject

    @property
    def is_its_own_init(self) -> bool:
        """Whether main is the process that was init: it was executed there, and not in a child."""
        if self.subject.is_actor:
            return False
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
        children = self._children(parent)
        return self._made.name([pid for pid in children if self.name_of(pid) is None], names)

    def children(self, name: str) -> int:
        """How many it has, zombies included."""
        return len(self._children(name))

    def name_of(self, pid: int) -> str | None:
        """Who has this pid, as seen from here; None if it is nobody of the cast."""
        if pid == self.init.pid:
            return self.subject.name
        if pid == self._reaper_pid():
            return INIT
        actor = next((actor.name for actor in self.cast if actor.process.pid == pid), None)
        return actor or self._made.name_of(pid)

    def pid_inside(self, name: str) -> int:
        """Its pid as the subject sees it. Raises ActorLostError if there is no actor of this name."""
        if name in self._numbers:
            return self._numbers[name]
        return self._pid_inside if name == self.subject.name else self.cast[name].pid_inside

    def leaves_the_cast(self, name: str) -> None:
        """An actor executes another program now: it keeps its name, and hears us no more."""
        actor = self.cast.dismiss(name)
        self._numbers[name] = actor.pid_inside
        self._made.adopt(name, actor.process)

    def runs(self, command: str) -> int:
        """How often this command has been executed so far."""
        return sum(command_of(actor.name) == command for actor in self.cast)

    def name_inside(self, pid: int) -> str | None:
        """Who has this pid, as the subject sees it."""
        if pid == self._pid_inside:
            return self.subject.name
        return next((actor.name for actor in self.cast if actor.pid_inside == pid), None)

    def type(self, words: bytes) -> None:
        """Raises ActorLostError, of the subject, if nobody reads that any more, or what was typed before."""
        self._stir()
        try:
            self._streams.type(words)
        except OSError as error:
            raise ActorLostError(self.subject.name, error.errno) from error

    def end_input(self) -> None:
        self._stir()
        self._streams.end_input()

    def thaw(self) -> None:
        self.nice_value = os.getpriority(os.PRIO_PROCESS, 0)  # what the subject's is relative to
        self.frozen = False
        self.send(self.subject.name, signal.SIGCONT)

    def foreground(self) -> int | None:
        """The process group in the terminal's foreground, as seen from here; None without a terminal."""
        return self._streams.foreground()

    def foreground_at_start(self) -> int | None:
        """That in which init was started, or the session leader's."""
        if self.start.job == BACKGROUND or self._streams.foreground() is None:
            return self._streams.session()
        return self.init.pid

    def output(self) -> str:
        """What has been written to standard output so far."""
        return self._streams.output()

    def complaints(self) -> str:
        """What has been written to standard error so far."""
        return self._streams.complaints()

    def exit_handler_ran_in_a_child(self) -> bool:
        """Whether our witness, which init was started with, says so."""
        return self._streams.witness_has_spoken()

    def excess(self) -> str | None:
        """What the play took too much of, in words; all of it has been killed then."""
        return self._sandbox.excess()

    def let_pass(self, seconds: float) -> None:
        """So much time goes by, and the play is at rest then."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._stir()
            self.settle(lambda: time.monotonic() >= deadline)
            time.sleep(min(left, _A_MOMENT))
        self._stir()
        self.settle()

    def may_get(self, number: int) -> None:
        """From now on the subject may get this signal from outside, at any moment after it has forked.

        In a play that nobody repeats in each order it comes as late as it can.
        """
        self._may_come = number

    def has_to_get_it_now(self) -> None:
        """At once, if it has not got it yet."""
        if not self.init.ended():
            self.settle()
            self.send(self.subject.name, self._may_come)

    @abstractmethod
    def settle(self, done: Callable[[], bool] = lambda: False) -> Settled:
        """How it has come to rest, or that what was waited for is `done`."""

    @abstractmethod
    def outlast(self, done: Callable[[], bool]) -> Settled:
        """While somebody polls: until it is `done`, or for as long as anybody is waited for who sleeps.

        Who looks at a clock each time, or counts, does something in the end. Nobody can tell it from who never does.
        """

    @abstractmethod
    def send(self, name: str, number: int) -> None:
        """A signal from outside; to one that is gone, silently nothing."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _children(self, name: str) -> list[int]:
        """The pids of somebody's children, zombies included, the oldest first."""

    @abstractmethod
    def _reaper_pid(self) -> int | None:
        """Of the init of ours above a subject that is none itself: to it orphans come."""

    @abstractmethod
    def _stir(self) -> None:
        """Something happens from outside: the play is no longer at rest."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
