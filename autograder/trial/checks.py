"""Whether an expectation of a script holds, by what the kernel says at this moment.

Some expectations are over as soon as they come true (reaped, exits, gets). Others say that something stays as it is or
does not happen; they are judged when the play is at rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autograder.language.script import INIT, MAIN, Step, Verb
from autograder.stage.activity import Posture
from autograder.stage.play import Play
from autograder.stage.quiescence import Rest, Settled
from autograder.trial.inbox import Inbox
from autograder.trial.observe import fate_of
from forklab.history import State
from forklab.kernel.signals import signal_name

_AT_REST = frozenset(
    {
        Verb.EXPECT_ALIVE,
        Verb.EXPECT_GETS_NOTHING,
        Verb.EXPECT_IDLE,
    }
)


def judged_at_rest(step: Step) -> bool:
    """Whether it could still be broken after it was true once; `gets SIGNAL N times` could by one signal more."""
    return step.verb in _AT_REST or (step.verb is Verb.EXPECT_GETS and step.number is not None)


@dataclass
class Expectations:
    """Answers which processes break an expectation now."""

    play: Play
    inbox: Inbox

    def broken_by(self, step: Step, settled: Settled | None = None) -> list[str]:
        """The processes for which it does not hold; empty if it does. Expectations about no one answer [""].

        `settled` is how the play came to rest, for those that are judged at rest.
        """
        match step.verb:
            case Verb.EXPECT_OUTPUT:
                return [] if (step.text or "") in self.play.output() else [""]
            case Verb.EXPECT_NOBODY_LEFT:
                return self._left_over()
            case Verb.EXPECT_IDLE:
                return [] if settled is not None and self._idle(settled) else [INIT]
            case Verb.EXPECT_CHILD:
                return [a for a, b in step.pairs() if fate_of(self.play, a).parent != b]
        holds = self._check(step)
        return [name for name in step.actors or () if not holds(name)]

    def _check(self, step: Step) -> Callable[[str], bool]:
        match step.verb:
            case Verb.EXPECT_ALIVE:
                return lambda name: not self.play.process(name).ended()
            case Verb.EXPECT_ZOMBIE:
                return lambda name: fate_of(self.play, name).state is State.ZOMBIE
            case Verb.EXPECT_REAPED:
                return lambda name: fate_of(self.play, name).state is State.REAPED
            case Verb.EXPECT_STOPPED:
                return lambda name: fate_of(self.play, name).state is State.STOPPED
            case Verb.EXPECT_GETS:
                return lambda name: self._gets(name, step)
            case Verb.EXPECT_GETS_NOTHING:
                return lambda name: not self.inbox.received(name)
            case Verb.EXPECT_EXITS:
                return lambda name: self._status(name) == step.number
            case Verb.EXPECT_DIES:
                return lambda name: self._killer(name) == step.signal
            case Verb.EXPECT_CLEAN:
                return lambda name: not unclean(self.play, name)
        raise AssertionError(f"{step.verb} is not an expectation")

    def _left_over(self) -> list[str]:
        """Actors that have not been reaped, then strays, as pids in words."""
        left = [actor.name for actor in self.play.cast if not actor.process.reaped()]
        return left + [f"process {stray.pid}" for stray in self.play.quiescence.strays()]

    def _idle(self, settled: Settled) -> bool:
        asleep = settled.doing.posture in (Posture.ASLEEP, Posture.UNKNOWN)
        return settled.rest is Rest.QUIET and asleep and not self.play.init.ended()

    def _gets(self, name: str, step: Step) -> bool:
        count = self.inbox.received(name)[step.signal or ""]
        return count > 0 if step.number is None else count == step.number

    def _status(self, name: str) -> int | None:
        ended = self.play.ended(name)
        return ended.status if ended is not None else None

    def _killer(self, name: str) -> str | None:
        ended = self.play.ended(name)
        return signal_name(ended.signal) if ended is not None and ended.signal is not None else None


def unclean(play: Play, name: str) -> list[str]:
    """What an actor found amiss when it started, in words; empty if it started clean.

    Clean is what a login shell would hand on: no signal blocked or ignored, the three standard descriptors and no
    other, and, where there is a terminal, main's group in its foreground.
    """
    hello = play.cast[name].hello
    amiss: list[str] = []
    if hello.blocked:
        amiss.append(f"it has {_list_of(hello.blocked)} blocked")
    if hello.ignored:
        amiss.append(f"it ignores {_list_of(hello.ignored)}")
    if surplus := hello.descriptors - {0, 1, 2}:
        numbers = ", ".join(map(str, sorted(surplus)))
        amiss.append(f"descriptor{'s' if len(surplus) > 1 else ''} {numbers} came with it, open")
    if missing := {0, 1, 2} - hello.descriptors:
        amiss.append(f"its standard descriptor {min(missing)} is closed")
    if name == MAIN and hello.foreground not in (None, hello.group):
        amiss.append("its group is not in the foreground of the terminal")
    return amiss


def _list_of(numbers: frozenset[int]) -> str:
    names = [signal_name(number) for number in sorted(numbers)]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
