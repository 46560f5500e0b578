"""Plays the deeds of a script: tells the actors what to do, and init what happens to it."""

from __future__ import annotations

import errno
import shlex
import signal
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from autograder.language.blanks import KEYS, seconds_of
from autograder.language.deeds import (
    Blocks,
    Catches,
    CatchesEverySignal,
    Continues,
    Deed,
    Dies,
    EndsInput,
    Exits,
    ExitsLater,
    FillsFile,
    Forks,
    Freezes,
    Ignores,
    LetsExit,
    LetsPass,
    Presses,
    Reads,
    Reaps,
    Runs,
    Says,
    Sends,
    SendsAtAnyMoment,
    SendsEverySignal,
    SendsOften,
    StartsGroup,
    StartsSession,
    Stops,
    Thaws,
    ThawsMain,
    TriesToSay,
    Types,
)
from autograder.language.every_signal import EVERY_SIGNAL
from autograder.language.roles import Actors
from autograder.language.services import Controls, IsReady
from autograder.stage.actors import ActorLostError
from autograder.stage.staged import StagedPlay
from autograder.trial.inbox import Inbox
from autograder.trial.observe import Observer, fate_of
from autograder.trial.written import PID_OF
from forklab.history import State
from forklab.kernel.signals import signal_number

_BETWEEN_WORDS = "\x1f"  # of a command line, on its way to an actor


@dataclass
class Director:
    """Carries out deeds. Raises ActorLostError if one that should act cannot.

    The play comes to rest after a deed to which init may have to answer, before the next one, so that no script ever
    races with an init that is still busy with what happened before, or that is still starting.
    """

    play: StagedPlay
    observer: Observer
    inbox: Inbox
    cause: int = 0  # the line of the last step that init may have to answer to
    restless: bool = True  # whether something may still be going on because of it
    armed: int = 0  # the line of a signal that may come at any moment
    asked: list[str] = field(default_factory=list)  # commands for a service manager

    @property
    def memory(self) -> Hashable:
        """All that it will ever go by, beside what it sees then."""
        return (
            self.cause,
            self.restless,
            self.armed,
            tuple(self.asked),
            self.observer.memory,
            self.inbox.memory,
        )

    def come_to_rest(self) -> None:
        if self.restless:
            self.play.settle()
            self.observer.look(self.cause)
            self.restless = False

    def arm(self, deed: SendsAtAnyMoment) -> None:
        """From now on that signal may come."""
        if self.armed != deed.line:
            self.let_it_come()
            self.armed, self.cause, self.restless = deed.line, deed.line, True
            self.play.may_get(signal_number(deed.signal))

    def let_it_come(self) -> None:
        """The signal that may come at any moment has to come now, if it has not come yet."""
        if self.armed:
            self.armed = 0
            self.play.has_to_get_it_now()

    def perform(self, deed: Deed) -> None:
        self.come_to_rest()
        self.inbox.next_deed(self.observer.stopped())
        if deed.traits.init_may_answer:
            self.cause, self.restless = deed.line, True
        match deed:
            case Forks():
                self._fork(deed)
            case Exits(actors, status):
                self._tell(actors, f"exit {status}")
                self._await_deaths(actors)
            case Dies(actors, killer):
                self._tell(actors, f"die {signal_number(killer)}")
                self._await_deaths(actors)
            case Reaps():
                with _refusal_means(
                    "Its children vanish without a status: did it start with SIGCHLD ignored?"
                ):
                    self._reap(deed)
            case Ignores(actors, ignored):
                self._tell(actors, f"ignore {signal_number(ignored)}")
            case Catches(actors, caught):
                self._tell(actors, f"catch {signal_number(caught)}")
            case CatchesEverySignal(actors):
                for caught in EVERY_SIGNAL:
                    self._tell(actors, f"catch {signal_number(caught)}")
            case Blocks(actors, blocked):
                self._tell(actors, f"block {signal_number(blocked)}")
            case StartsSession(actors):
                with _refusal_means(
                    "Only one that does not lead a process group can start a session."
                ):
                    self._tell(actors, "session")
            case StartsGroup(actors):
                self._tell(actors, "group")
            case Stops(actors):
                self._tell(actors, "stop")
                self._wait_until(lambda: all(map(self._is_stopped_or_dead, actors)))
            case Continues(actors):
                self._send(actors, signal.SIGCONT)
            case Says(actors, text):
                with _refusal_means(
                    f"It has no standard output to write to: did {self.play.subject} close it?"
                ):
                    self._tell(actors, f"say {text}\n")
                for name in actors:
                    self.observer.said(name, text, deed.line)
            case TriesToSay(actors, text):
                for name in actors:
                    self._try_to_say(name, text, deed.line)
            case Runs(actors, text):
                self._execute(actors, shlex.split(self._with_pids(text)), deed.line)
            case FillsFile(actors, name, text):
                with _refusal_means("It cannot write there."):
                    line = f"{self._with_pids(text)}\n" if text else ""
                    self._tell(actors, f"fill {name} {line}")
            case ExitsLater(awaited, actors, status, time):
                milliseconds = round(seconds_of(time) * 1000)
                self._tell(actors, f"later {signal_number(awaited)} {status} {milliseconds}")
            case Reads(actors):
                for name in actors:
                    self.play.cast.command(name, "read")
            case Sends(sent, actors):
                self._send(actors, signal_number(sent))
            case SendsOften(sent, actors, times):
                for _ in range(times):
                    self._send(actors, signal_number(sent))
            case SendsAtAnyMoment():
                self.arm(deed)
            case SendsEverySignal(actors):
                for sent in EVERY_SIGNAL:
                    self._send(actors, signal_number(sent))
                    # A SIGTSTP that comes discards a SIGCONT that waits, and the other way round: signal(7).
                    self.play.settle()
            case Freezes():
                if not self.play.freeze():
                    raise ActorLostError(self.play.subject.name)
            case Thaws():
                self.play.thaw()
            case ThawsMain():
                self.play.thaw_main()
            case Types(text):
                with _refusal_means("Nobody reads its standard input."):
                    self.play.type(f"{text}\n".encode())
            case Controls(text):
                with _refusal_means("Nobody reads its standard input."):
                    self.play.type(f"{text}\n".encode())
                self.asked.append(text)
            case IsReady(actors):
                with _refusal_means("It has nobody to tell: $NOTIFY_FD names no descriptor of it."):
                    self._tell(actors, "ready")
            case Presses(key):
                self.play.type(KEYS[key])
            case EndsInput():
                self.play.end_input()
            case LetsPass(time):
                self.play.let_pass(seconds_of(time))
            case LetsExit(actors):
                for name in actors:
                    self.play.let_exit(name)
            case _:
                assert_never(deed)

    def _fork(self, deed: Forks) -> None:
        wanted = deed.pairs()
        for parent, child in wanted:
            self.play.cast.command(parent, f"fork {child}")
            if self.play.forks_in_turn:
                self._reply(parent)
        for parent, _ in wanted:
            self._reply(parent)
        # A child that does not report is dead: it was killed before it could, as when init takes everybody along.
        children = [child for _, child in wanted]
        if not self.play.wait_for_births(children):
            raise ActorLostError(next(name for name in children if name not in self.play.cast))
        for parent, child in wanted:
            self.observer.born(child, parent, deed.line)

    def _execute(self, actors: Actors, words: list[str], line: int) -> None:
        """A word that is the name of a program that is judged stands for what starts that."""
        programs = self.play.programs
        whole = [part for word in words for part in programs.get(word, [word])]
        self._tell(actors, f"execute {_BETWEEN_WORDS.join(whole)}")
        for name in actors:
            self.play.leaves_the_cast(name)
            self.observer.executed(name, words, line)

    def _with_pids(self, text: str) -> str:
        """With the pids that it asks for: {pid of A}."""
        return PID_OF.sub(lambda match: str(self.play.pid_inside(match[1])), text)

    def _reap(self, deed: Reaps) -> None:
        """A parent whose child still lives is blocked from now on; its reply comes when the child has died."""
        for parent, child in deed.pairs():
            self.play.cast.command(parent, f"reap {self.play.pid_inside(child)}")
            self.observer.reap_ordered(child)
            if self.play.process(child).ended():
                self._reply(parent)

    def _try_to_say(self, name: str, text: str, line: int) -> None:
        """Whether somebody reads it or not. Raises ActorLostError if it was dead before."""
        self.play.cast.command(name, f"say {text}\n")
        try:
            self._reply(name)
        except ActorLostError as lost:
            if lost.errno is None:  # whoever dies of it closes its connection first
                self._wait_until(self.play.process(name).ended)
            if not self.play.process(name).ended() and lost.errno != errno.EPIPE:
                raise
        else:
            self.observer.said(name, text, line)

    def _tell(self, actors: Actors, command: str) -> None:
        """Gives everybody the same order, then waits for all replies: a row acts at once."""
        for name in actors:
            self.play.cast.command(name, command)
        for name in actors:
            self._reply(name)

    def _reply(self, name: str) -> None:
        """Takes the reply to the last order; replies that were owed before come first."""
        while self.play.cast[name].owes_replies:
            self.play.reply(name)

    def _send(self, actors: Actors, number: int) -> None:
        for name in actors:
            if self.play.process(name).ended():
                raise ActorLostError(name)
            self.play.send(name, number)

    def _await_deaths(self, actors: Actors) -> None:
        self._wait_until(lambda: all(self.play.process(name).ended() for name in actors))

    def _wait_until(self, done: Callable[[], bool]) -> None:
        if not done():
            self.play.settle(done)

    def _is_stopped_or_dead(self, name: str) -> bool:
        return fate_of(self.play, name).state in (State.STOPPED, State.ZOMBIE, State.REAPED)


@contextmanager
def _refusal_means(reason: str) -> Iterator[None]:
    """What it means if an actor cannot do this, though a correct init lets it: a sentence for the student."""
    try:
        yield
    except ActorLostError as lost:
        lost.reason = reason
        raise
