"""Plays a script, line by line: tells the actors what to do, and init what happens to it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from autograder.language.script import INIT, Step, Verb
from autograder.stage.actors import ActorLostError
from autograder.stage.errors import RestlessError
from autograder.stage.play import Play
from autograder.stage.quiescence import Rest
from autograder.trial.inbox import Inbox
from autograder.trial.observe import Observer, fate_of
from forklab.history import State
from forklab.kernel.signals import signal_number

# Steps to which init may have to answer. The play comes to rest before the next step, so that no script ever races with
# an init that is still busy with what happened before, or that is still starting.
_STIMULI = frozenset(
    {
        Verb.EXITS,
        Verb.DIES,
        Verb.REAPS,
        Verb.STOPS,
        Verb.CONTINUES,
        Verb.SEND,
        Verb.FREEZE,
        Verb.THAW,
    }
)
_HELLO_SECONDS = 20.0
_COMMANDS = {
    Verb.IGNORES: "ignore",
    Verb.CATCHES: "catch",
    Verb.BLOCKS: "block",
}


@dataclass
class Director:
    """Carries out the steps that are no expectations. Raises ActorLostError if one that should act cannot."""

    play: Play
    observer: Observer
    inbox: Inbox
    cause: int = 0  # the line of the last step that init may have to answer to
    restless: bool = True  # whether something may still be going on because of it

    def come_to_rest(self) -> None:
        if self.restless:
            if self.play.settle().rest is Rest.UNSETTLED:
                raise RestlessError("the play did not come to rest")
            self.observer.look(self.cause)
            self.restless = False

    def perform(self, step: Step) -> None:
        self.come_to_rest()
        self.inbox.next_stimulus(self.observer.stopped())
        if step.verb in _STIMULI:
            self.cause, self.restless = step.line, True
        names = list(step.actors or ())
        number = signal_number(step.signal) if step.signal else step.number
        match step.verb:
            case Verb.FORKS:
                self._fork(step)
            case Verb.EXITS | Verb.DIES:
                order = "exit" if step.verb is Verb.EXITS else "die"
                self._tell(names, f"{order} {number}")
                self._wait_until(lambda: all(self.play.process(name).ended() for name in names))
            case Verb.REAPS:
                for parent, child in step.pairs():
                    self.play.cast.command(parent, f"reap {self.play.cast[child].hello.pid}")
                    self.observer.reap_ordered(child)
                    self._await_reaping(parent, child)
            case Verb.IGNORES | Verb.CATCHES | Verb.BLOCKS:
                self._tell(names, f"{_COMMANDS[step.verb]} {number}")
            case Verb.STARTS_SESSION:
                self._tell(names, "session")
            case Verb.STARTS_GROUP:
                self._tell(names, "group")
            case Verb.STOPS:
                self._tell(names, "stop")
                self._wait_until(lambda: all(self._stopped_or_ended(name) for name in names))
            case Verb.CONTINUES:
                self._send(names, signal.SIGCONT)
            case Verb.SAYS:
                self._tell(names, f"say {step.text}\n")
                for name in names:
                    self.observer.said(name, step.text or "", step.line)
            case Verb.SEND:
                assert number is not None
                self._send(names, number)
            case Verb.FREEZE:
                if not self.play.freeze():
                    raise ActorLostError(INIT)
            case Verb.THAW:
                self.play.thaw()

    def _fork(self, step: Step) -> None:
        wanted = step.pairs()
        for parent, child in wanted:
            self.play.cast.command(parent, f"fork {child}")
        for parent, _ in wanted:
            self._reply(parent)
        self._await_hellos([child for _, child in wanted])
        for parent, child in wanted:
            self.observer.born(child, parent, step.line)

    def _await_hellos(self, names: list[str]) -> None:
        """A child that does not report is dead: it was killed before it could, as when init takes everybody along."""
        deadline = time.monotonic() + _HELLO_SECONDS
        self.play.cast.greet()
        while missing := [name for name in names if name not in self.play.cast]:
            if self.play.init.ended() or time.monotonic() > deadline:
                raise ActorLostError(missing[0])
            self.play.cast.wait_for_news(0.05)
            self.play.cast.greet()

    def _tell(self, names: list[str], command: str) -> None:
        """Gives everybody the same order, then waits for all replies: a row acts at once."""
        for name in names:
            self.play.cast.command(name, command)
        for name in names:
            self._reply(name)

    def _reply(self, name: str) -> None:
        """Takes the reply to the last order; replies that were owed before come first."""
        while self.play.cast[name].owes_replies:
            self.play.cast.reply(name)

    def _await_reaping(self, parent: str, child: str) -> None:
        """A parent whose child still lives is blocked from now on; its reply comes when the child has died."""
        if self.play.process(child).ended():
            self._reply(parent)

    def _send(self, names: list[str], number: int) -> None:
        for name in names:
            if self.play.process(name).ended():
                raise ActorLostError(name)
            self.play.process(name).send(number)

    def _wait_until(self, done: Callable[[], bool]) -> None:
        if not done():
            self.play.settle(done)

    def _stopped_or_ended(self, name: str) -> bool:
        fate = fate_of(self.play, name)
        return fate.state in (State.STOPPED, State.ZOMBIE, State.REAPED)
