"""Hunts races: is there a schedule in which a program does not keep its promise?

    found = hunt(["./init", "./driver"], reaps_everybody, program="./init", subreaper=True)
    found.failing        # an outcome whose schedule can be replayed, or None
    found.verdict        # "None in 1,404 schedules: that is all of them."

A promise is a name and a predicate on outcomes. Where a test by luck runs a program a thousand times, this finds the
one schedule in a million, each time, or says that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Unpack

from forklab.bounds import MOST_STATES, SECONDS
from forklab.counted import counted
from forklab.explore.exploration import Exploration
from forklab.explore.explore import explore
from forklab.explore.outcome import Outcome
from forklab.lens.request import Options


@dataclass(frozen=True)
class Promise:
    """`says` completes "in every schedule it ..."."""

    says: str
    holds: Callable[[Outcome], bool]


@dataclass(frozen=True)
class Hunt:
    """`failing` is the outcome with the shortest schedule of those that break the promise."""

    promise: Promise
    failing: Outcome | None
    exploration: Exploration

    @property
    def verdict(self) -> str:
        """In words. Nothing is claimed beyond what was explored."""
        explored = self.exploration
        if self.failing is not None:
            steps = "".join(f"\n  {step.does}" for step in self.failing.schedule)
            return f"Not in every schedule it {self.promise.says}. Here it does not:{steps}"
        if explored.complete:
            return f"None in {counted(explored.schedules, 'schedule')}: that is all of them."
        reasons = "; ".join(explored.reasons)
        return f"None in {counted(explored.schedules, 'schedule')}, but these may not be all: {reasons}."


def hunt(
    argv: Sequence[str],
    promise: Promise,
    *,
    limit: int = MOST_STATES,
    seconds: float = SECONDS,
    **options: Unpack[Options],
) -> Hunt:
    """Explore `argv` within the bounds of `explore`. Raises CannotRecordError."""
    found = explore(argv, limit=limit, seconds=seconds, **options)
    failing = [outcome for outcome in found.outcomes if not promise.holds(outcome)]
    shortest = min(failing, key=lambda outcome: len(outcome.schedule), default=None)
    return Hunt(promise, shortest, found)


never_stuck = Promise("comes to an end", lambda outcome: not outcome.deadlock)
reaps_everybody = Promise("reaps every child before it ends", lambda outcome: not outcome.unreaped)


def exits(status: int) -> Promise:
    return Promise(f"exits with {status}", lambda outcome: outcome.exit == status)


def prints(*outputs: str) -> Promise:
    """White space does not count."""
    wanted = {" ".join(output.split()) for output in outputs}
    return Promise(
        f"prints {' or '.join(repr(output) for output in outputs)}",
        lambda outcome: " ".join(outcome.output.split()) in wanted,
    )


def all_of(*promises: Promise) -> Promise:
    says = " and ".join(promise.says for promise in promises)
    return Promise(says, lambda outcome: all(promise.holds(outcome) for promise in promises))
