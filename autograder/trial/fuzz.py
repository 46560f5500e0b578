"""Looks for a play that a submission fails, among plays that nobody wrote; the smallest one of its kind is told.

    seed -> play, play, play ... -> a failing one -> smaller ones -> Finding

Hypothesis draws the plays (labs/improvise.py says what of) and makes a failing one smaller, as long as it fails. Each
is judged as any other. What counts has failed twice, on two benches: what a submission has done before has no part in
it, nor a machine that was busy for a moment.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, NoSuchExample

from autograder.ideal.ideal import Ideal
from autograder.labs.generate import improvised
from autograder.labs.improvise import improvise
from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.language.expectations import Expectation
from autograder.language.roles import isolation_of
from autograder.language.script import format_script
from autograder.language.sense import check
from autograder.language.steps import Step
from autograder.trial.assess import Ready, ready
from autograder.trial.bench import Bench
from autograder.trial.search import Finding, Search
from autograder.trial.verdict import Status, Verdict

_SECONDS_TO_SHRINK = 60.0
_DRAWN_A_PLAY = 4  # at most, until it is one that has not been played


def fuzz(
    lab: Lab,
    submission: Path,
    *,
    mode: str | None = None,
    plays: int = 1000,
    seconds: float | None = None,
    seed: int = 0,
    name: str = "found",
    on_play: Callable[[Search], None] = lambda search: None,
) -> Search:
    """Plays `plays` plays, each another one, until one fails; in at most so many `seconds` in all.

    The same seed draws the same plays. `name` is that of the scenario that is found; in virtual time it decides who is
    next. Raises BuildError if the submission cannot be built, StageError if this machine has no stage at all.
    """
    with ready(lab, submission, mode) as built:
        hunt = _Hunt(lab, built, name, plays, seconds, on_play)
        with contextlib.closing(hunt):
            hunt.go(seed)
        return hunt.search


@st.composite
def plays_by_chance(draw: st.DrawFn) -> tuple[Step, ...]:
    """Whole plays, as `improvise` draws them."""

    def chance(below: int) -> int:
        return draw(_numbers(below)) if below > 1 else 0

    return improvise(chance)


def _numbers(below: int) -> st.SearchStrategy[int]:
    return st.integers(0, below - 1)


@contextlib.contextmanager
def _its_notes_in(folder: str) -> Iterator[None]:
    """Hypothesis keeps what it has read in our modules; not where somebody happens to type a command."""
    set_hypothesis_home_dir(folder)
    try:
        yield
    finally:
        set_hypothesis_home_dir(None)


class _Over(BaseException):
    """Ends a search from within: Hypothesis takes an Exception for a failure of what it tries."""


@dataclass
class _Hunt:
    lab: Lab
    built: Ready
    name: str
    most: int
    seconds: float | None
    on_play: Callable[[Search], None]
    search: Search = field(default_factory=Search)
    _passed: set[tuple[Step, ...]] = field(default_factory=set)  # chance may draw a play again

    def __post_init__(self) -> None:
        self._bench: Bench = self.built.bench()
        self._until = float("inf") if self.seconds is None else time.monotonic() + self.seconds

    def close(self) -> None:
        self._bench.close()

    def go(self, seed: int) -> None:
        # Without a database: what another search has found does not belong to this one.
        how = settings(
            max_examples=self.most * _DRAWN_A_PLAY,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            verbosity=Verbosity.quiet,
        )
        try:
            with TemporaryDirectory() as folder, _its_notes_in(folder):
                find(plays_by_chance(), self._fails, settings=how, random=Random(seed))
        except NoSuchExample:
            return
        except (_Over, Flaky):  # a play of real processes may fail twice and never again
            self.search.whole = self.search.finding is None
        if self.search.finding is not None:
            self._leave_out_what_holds()

    def _fails(self, steps: tuple[Step, ...]) -> bool:
        search = self.search
        if time.monotonic() > self._until or (search.finding is None and search.plays >= self.most):
            raise _Over
        if steps in self._passed:
            return False
        verdict = self._judged(steps)
        if search.finding is None:
            search.plays += 1
            self.on_play(search)
        if verdict is None:
            self._passed.add(steps)
            return False
        if search.finding is None:
            self._until = min(self._until, time.monotonic() + _SECONDS_TO_SHRINK)
        found = search.finding.steps if search.finding else len(steps)
        search.finding = Finding(self._scenario(steps), verdict, found)
        return True

    def _judged(self, steps: Sequence[Step]) -> Verdict | None:
        """How it fails, if it does."""
        scenario = self._scenario(steps)
        verdict = self._decided(self._bench.judge(scenario))
        if verdict.status is Status.PASSED:
            return None
        self._bench.close()
        self._bench = self.built.bench()
        again = self._decided(self._bench.judge(scenario))
        if again.status is Status.PASSED:
            self.search.unsteady.append(verdict)
            return None
        return again

    def _decided(self, verdict: Verdict) -> Verdict:
        if verdict.status not in (Status.PASSED, Status.FAILED):
            self.search.undecided = verdict
            raise _Over
        return verdict

    def _scenario(self, steps: Sequence[Step]) -> Scenario:
        return improvised(self.lab, self.name, format_script(steps))

    def _leave_out_what_holds(self) -> None:
        """What was expected and was so needs not be read; nor what would have come after the failure."""
        finding = self.search.finding
        assert finding is not None
        last = finding.verdict.failed_step
        kept = [s for s in finding.scenario.steps if last is None or s.line <= last]
        held = [s for s in kept if isinstance(s, Expectation) and s.line != last]
        with contextlib.suppress(_Over):
            if self._is_enough([step for step in kept if step not in held]):
                return
            for one in (None, *held):
                fewer = [step for step in kept if step is not one]
                if self._is_enough(fewer):
                    kept = fewer

    def _is_enough(self, steps: Sequence[Step]) -> bool:
        """Whether it fails with these steps alone: then that is what has been found."""
        if not self._makes_sense(steps) or (verdict := self._judged(steps)) is None:
            return False
        assert self.search.finding is not None
        self.search.finding = replace(
            self.search.finding, scenario=self._scenario(steps), verdict=verdict
        )
        return True

    def _makes_sense(self, steps: Sequence[Step]) -> bool:
        """An expectation counts from the one before it, so that without that it may ask for something else."""
        steps = self._scenario(steps).steps
        mode = isolation_of(self.built.mode)
        return not check(steps) and not Ideal(steps, mode=mode).contradictions
