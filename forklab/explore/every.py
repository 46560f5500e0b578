"""Every schedule, a real run for each: nothing is learned, nothing is left out.

Slow, and so simple that it can hardly be wrong: the other two ways to search are held against it. Each run follows a
schedule as far as it goes, and then always takes the first step that is offered; whatever else was offered on the way
is the end of another schedule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forklab.explore.outcome import End, end_of
from forklab.explore.runs import Runs
from forklab.lens.replay import Played
from forklab.steps.moves import Move

_AT_ONCE = 16  # schedules that are handed out together


@dataclass
class Found:
    """What a search has found: outcomes as (text, end). `schedules` is how many it has run."""

    outcomes: set[tuple[str, End]] = field(default_factory=set)
    schedules: int = 0
    complete: bool = False


def every_schedule(runs: Runs, *, most: int = 100_000) -> Found:
    """As many as there are, or `most`. Raises CannotRecordError."""
    found = Found()
    waiting: list[list[Move]] = [[]]
    while waiting:
        if found.schedules + len(waiting[-_AT_ONCE:]) > most:
            return found
        chosen, waiting = waiting[-_AT_ONCE:], waiting[:-_AT_ONCE]
        for begun, played in zip(chosen, runs.play_all(chosen), strict=True):
            found.schedules += 1
            found.outcomes.add(outcome_of(played))
            for place in range(len(begun), len(played.steps)):
                for other in played.taken[place].offered[1:]:
                    waiting.append([*played.steps[:place], other])
    found.complete = True
    return found


def outcome_of(played: Played) -> tuple[str, End]:
    return "".join(taken.output for taken in played.taken), end_of(played.last_state)
