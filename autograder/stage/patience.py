"""Whoever sleeps on a timer is waited for: it may do something when it wakes up. Who never does is polling.

A moment at which everybody sleeps is at rest only once every timer that could change something has rung. What time it
takes is the play's own: how long the sleepers have asked to sleep, and how often they have woken up, never how long
that took on a busy machine.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum

from autograder.stage.activity import Posture
from autograder.stage.conduct import Conduct
from autograder.stage.looks import Look, Stillness
from autograder.stage.timers import Timers

LONGEST_SLEEP_SECONDS = 5.0  # whoever sets a longer timer is not waited for
_UNKNOWN_SECONDS = 2.5  # how long we wait for one of whom we do not know how long it sleeps
_OVERSLEPT_SECONDS = 5.0  # beyond its limit: what we have read of it was wrong
# Something comes of it again and again: a play without an end.
_MOST_EFFECTS, _MOST_SECONDS_OF_EFFECTS = 10, 2.0


class Waking(Enum):
    """What is to be expected of those who sleep on a timer."""

    SOON = "one of them is going to wake up, and may do something"
    NEVER = "there is none, or none that was set can still ring"
    LATER = "one of them wakes up, but so late that nobody waits for it"
    FOR_NOTHING = "one of them wakes up again and again, and nothing ever comes of it"


_GRAVEST_FIRST = (Waking.SOON, Waking.FOR_NOTHING, Waking.LATER, Waking.NEVER)


@dataclass(frozen=True)
class Sleeper:
    """One that sleeps in `call` for `limit` seconds, None: nobody knows. `hidden`: or not at all, at most so long.

    `late`: by how many seconds more a busy machine may let it sleep.
    """

    pid: int
    call: str
    limit: float | None
    hidden: bool = False
    late: float = 0.0


@dataclass
class _Watch:
    """What was seen of one sleeper since something happened last."""

    run_times: bytes
    since: float  # when it was first seen asleep like this
    longest: float = 0.0  # of its limits; what is left until a moment shrinks
    wakes: int = 0
    slept: float = 0.0


class Patience:
    """Waits for the sleepers of one play. `begin` whenever something has happened from outside."""

    def __init__(self, init: int, timers: Timers, conduct: Conduct) -> None:
        self._init = init
        self._timers = timers
        self._conduct = conduct
        self._watches: dict[tuple[int, str], _Watch] = {}
        self._before: tuple[Look, Hashable] | None = None
        self._effects = 0
        self._slept = 0.0
        self._outlasts = False

    def begin(self, *, outlasts: bool = False) -> None:
        """`outlasts`: who polls is waited for as long as who sleeps, since it may look at a clock."""
        self._outlasts = outlasts
        self._watches.clear()
        self._before = None
        self._effects, self._slept = 0, 0.0

    def sleepers(self, still: Stillness, actors: set[int]) -> list[Sleeper]:
        found = []
        for sight in still.look:
            activity = still.activities.get(sight.pid)
            if activity is not None and activity.posture is Posture.TIMED:
                found.append(Sleeper(sight.pid, activity.call, activity.limit))
            if not sight.run_times:
                continue
            for timer in self._timers.of(sight.pid, sleeps_on_files=sight.pid not in actors):
                # One that rings once, and much later, is no sign of polling, and nobody waits for it.
                if timer.again > 0 or timer.longest <= LONGEST_SLEEP_SECONDS:
                    limit, late = timer.longest, timer.lateness
                    found.append(Sleeper(sight.pid, timer.call, limit, hidden=True, late=late))
        return found

    def ask(
        self, still: Stillness, sleepers: list[Sleeper], effects: Hashable
    ) -> tuple[Waking, Sleeper]:
        """What is to be expected of them, and of whom; there is at least one.

        `effects` is whatever else changes when one of them does something.
        """
        now = time.monotonic()
        masked = still.without_run_times_of(sleeper.pid for sleeper in sleepers)
        if (masked, effects) != self._before:  # something has come of it
            self._watches.clear()
            self._effects += self._before is not None
            self._before = masked, effects
        if self._effects >= _MOST_EFFECTS and self._slept >= _MOST_SECONDS_OF_EFFECTS:
            return Waking.FOR_NOTHING, sleepers[0]
        run_times = {sight.pid: sight.run_times for sight in still.look}
        answers = [(self._expect(one, run_times[one.pid], now), one) for one in sleepers]
        return min(answers, key=lambda answer: _GRAVEST_FIRST.index(answer[0]))

    def _expect(self, sleeper: Sleeper, run_times: bytes, now: float) -> Waking:
        limit = sleeper.limit
        if limit is not None and limit > LONGEST_SLEEP_SECONDS:
            return Waking.LATER
        watch = self._watches.setdefault((sleeper.pid, sleeper.call), _Watch(run_times, now))
        watch.longest = max(watch.longest, limit or 0.0)
        asleep = now - watch.since
        if run_times != watch.run_times:
            slept = asleep
            if limit is not None and not sleeper.hidden:  # a busy machine makes it no longer
                slept = min(asleep, watch.longest * (_turns(run_times) - _turns(watch.run_times)))
            self._conduct.waited += slept
            self._slept += slept
            watch.slept += slept
            watch.wakes += 1
            watch.run_times, watch.since, asleep = run_times, now, 0.0
        is_init = sleeper.pid == self._init
        long_enough = not self._outlasts or watch.slept > LONGEST_SLEEP_SECONDS
        if long_enough and self._conduct.is_polling(
            is_init, sleeper.call, watch.wakes, watch.slept
        ):
            return Waking.FOR_NOTHING
        if sleeper.hidden:
            return Waking.SOON if asleep <= (limit or 0.0) + sleeper.late else Waking.NEVER
        patience = _UNKNOWN_SECONDS if limit is None else limit + _OVERSLEPT_SECONDS
        return Waking.SOON if asleep <= patience else Waking.LATER


def _turns(run_times: bytes) -> int:
    """How often it was put on a processor, all its threads together: the third of each three numbers."""
    return sum(map(int, run_times.split()[2::3]))
