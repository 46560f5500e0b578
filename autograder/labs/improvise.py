"""A play that nobody wrote: drawn deed by deed, each possible in the model, with what must have come of it.

    chance -> steps

Forks, deaths, signals, groups, sessions, stops, freezes and bursts, until main ends. Whatever chance draws is a play
that makes sense, and that every right init passes: its expectations are those of the model, where there is no choice
(autograder/ideal/certain.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from autograder.ideal.certain import after, census
from autograder.ideal.foresight import Foresight
from autograder.ideal.perfect import PerfectPlay
from autograder.ideal.possible import KINDS, Chance, pick
from autograder.language.deeds import Deed, Dies, Exits, Sends, Thaws
from autograder.language.expectations import Expectation
from autograder.language.inheritance import StartsClean
from autograder.language.roles import AS_EVER, INIT, MAIN, MODES, PIDNS, Actors
from autograder.language.steps import Step
from autograder.language.story import Story
from forklab.history import State
from forklab.model import Entry

_MOST_DEEDS = 30
_ENDS = 16  # one in so many deeds is the last one
_FATAL = ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR2", "SIGQUIT", "SIGRTMIN+2")


def improvise(chance: Chance, at_least: int = 0) -> tuple[Step, ...]:
    """A whole play. `chance` answers a number below the one that it is given; the smaller its answers, the smaller the
    play. `at_least`: so many deeds before the end.
    """
    draft = _Draft()
    for done in range(_MOST_DEEDS):
        if done >= at_least and not chance(_ENDS):
            break
        draft.go_on(chance)
    draft.end(chance)
    return tuple(draft.steps)


class _Draft:
    """A play so far, and how the model stands after it. In which mode does not matter as long as main lives."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._play = PerfectPlay(PIDNS)
        self._foresight = Foresight(self._play)
        self._story = Story(MODES, AS_EVER, terminal=False)
        self._expect([StartsClean(Actors(MAIN))])

    def go_on(self, chance: Chance) -> None:
        """One more deed, of the kind that is drawn or of the next one that there is now."""
        first = chance(len(KINDS))
        for kind in (*KINDS[first:], *KINDS[:first]):
            deed = kind(self._play, chance)
            if deed is not None and self._take(deed):
                return

    def end(self, chance: Chance) -> None:
        """Main ends, and init with it."""
        self._expect(census(self._play))
        self._take(self._last(chance))
        if self._play.frozen:
            self._take(Thaws())

    def _last(self, chance: Chance) -> Deed:
        """How main ends: by itself, killed from outside, or by what init passes on."""
        main, actors = self._play.table[MAIN], Actors(MAIN)
        ways: list[Deed] = [Sends("SIGKILL", actors)]
        if main.state is State.RUNNING:
            ways = [Exits(actors, chance(256)), Dies(actors, pick(chance, _FATAL)), *ways]
        deadly = [signal for signal in _FATAL if _is_deadly(signal, main)]
        if deadly and not self._play.frozen:
            ways.append(Sends(pick(chance, deadly), Actors(INIT)))
        return pick(chance, ways)

    def _take(self, deed: Deed) -> bool:
        """Whether it is taken."""
        deed = replace(deed, line=len(self.steps) + 1)
        if not self._can_be_read(deed):
            return False
        before = self._play.table
        self._foresight.next_deed()
        self._play.perform(deed)
        self.steps.append(deed)
        self._expect(after(deed, before, self._play, self._foresight))
        return True

    def _can_be_read(self, step: Step) -> bool:
        """Some steps are right, but nobody knows that who has read the script alone (language/sense.py)."""
        self._story.add(step)
        fits = not self._story.problems
        self._story.problems.clear()
        return fits

    def _expect(self, told: Iterable[Expectation]) -> None:
        for one in told:
            expectation = replace(one, line=len(self.steps) + 1)
            if self._can_be_read(expectation):
                assert self._foresight.objections(expectation) == []
                self.steps.append(expectation)


def _is_deadly(signal: str, entry: Entry) -> bool:
    return not entry.stopped and signal not in entry.caught | entry.blocked | entry.ignored
