"""When is nothing going to happen any more?

A play is quiescent when every process of it sleeps for ever unless something from outside happens. Two looks at all of
them, with no sign that anybody ran in between, prove that there was an instant at which everybody slept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from autograder.stage.activity import Activity, Posture, activity_of
from autograder.stage.errors import RestlessError
from autograder.stage.watch import DEAD_STATES, STOPPED_STATES, Watched

# Processor time of its own, not time on the wall: on a busy machine a slow init is not taken for a spinning one.
_SPIN_NANOSECONDS = 12_000_000
_SPIN_AGAIN_NANOSECONDS = 1_000_000  # for one that we have seen spin in this play
_SPIN_SUSPECT_NANOSECONDS = 3_000_000  # for one that we have seen spin in other plays
# Of the time between two looks no more counts: when the host of a virtual machine takes the processor away meanwhile,
# the kernel takes that for time that the process has used.
_LONGEST_STRETCH_NANOSECONDS = 2_000_000
_TIMER_PATIENCE_SECONDS = 2.5  # how long we wait for one who sleeps with a timeout to wake up
_SETTLING_SECONDS = 60.0  # beyond that the machine is to blame
_PLAY_SECONDS = 120.0  # in which all steps of a play come to rest
_MOST_BIRTHS = 100  # of strays while we wait for rest: whoever has more will not come to rest
_MOST_STRAYS = 100  # at the same time; each takes descriptors of ours
_LOOKS_BETWEEN_SEARCHES = 50

# Pid, state letter, run times and those of its threads, of everybody.
_Look = tuple[tuple[int, str, bytes, str], ...]


class Rest(Enum):
    """How a play came to rest."""

    DONE = "what we waited for has happened"
    QUIET = "everybody sleeps until something from outside happens"
    TIMED = "everybody sleeps, but init will wake up by itself"
    SPINNING = "init, or one that it started, runs without a pause"
    UNSETTLED = "processes are born again and again, or the machine is too slow to tell"


@dataclass(frozen=True)
class Settled:
    """How the play came to rest, and what init was doing then."""

    rest: Rest
    activity: Activity


class Quiescence:
    """Waits until the processes of a play have come to rest.

    `actors` answers the actors, `wait_for_news` blocks until one of them says something, dies or is reaped, or until
    the seconds given are over.
    """

    def __init__(
        self,
        init: Watched,
        actors: Callable[[], Iterable[Watched]],
        wait_for_news: Callable[[float], None],
    ) -> None:
        self._init = init
        self._actors = actors
        self._wait_for_news = wait_for_news
        self.spin_limit = _SPIN_NANOSECONDS
        self._strays: dict[int, Watched] = {}
        self.births = 0  # of strays that we have seen
        self._deadline = time.monotonic() + _PLAY_SECONDS

    def close(self) -> None:
        for stray in self._strays.values():
            stray.close()

    def expect_no_more_than(self, nanoseconds: int, *, suspect: bool) -> None:
        """Takes who needs more processor time than that at a stretch, or a minimum if it is less, to be spinning."""
        self.spin_limit = max(
            _SPIN_SUSPECT_NANOSECONDS if suspect else _SPIN_NANOSECONDS, nanoseconds
        )

    def settle(
        self, done: Callable[[], bool] = lambda: False, *, outlast_timer: bool = False
    ) -> Settled:
        """Waits until `done`, or until the play is at rest.

        With `outlast_timer` an init that sleeps with a timeout gets the time to wake up once and fall asleep again:
        then what it has not done, it does not do. Raises RestlessError if the whole play takes too long.
        """
        started = time.monotonic()
        births = self.births
        spent, ran_for = self._spent(), 0
        looks = 0
        asleep_since: tuple[_Look, float] | None = None
        while True:
            if done():
                return Settled(Rest.DONE, Activity(Posture.UNKNOWN))
            at_rest = self._look_twice()
            looks += 1
            if looks % _LOOKS_BETWEEN_SEARCHES == 0:
                self.strays()  # also while init is too busy to be looked at twice
            if at_rest is not None:
                look, now = at_rest
                if done():
                    return Settled(Rest.DONE, now)
                if now.posture is not Posture.TIMED:
                    return Settled(Rest.QUIET, now)
                if not outlast_timer:
                    return Settled(Rest.TIMED, now)
                asleep_since = asleep_since or (look, time.monotonic())
                patience = time.monotonic() - asleep_since[1]
                if look != asleep_since[0] or patience > _TIMER_PATIENCE_SECONDS:
                    return Settled(Rest.TIMED, now)
                self._wait_for_news(0.02)
                continue
            before, spent = spent, self._spent()
            ran_for += min(max(spent - before, 0), _LONGEST_STRETCH_NANOSECONDS)
            if ran_for > self.spin_limit and self._nobody_else_is_busy():
                self.spin_limit = _SPIN_AGAIN_NANOSECONDS
                return Settled(Rest.DONE if done() else Rest.SPINNING, Activity(Posture.RUNNING))
            if time.monotonic() > self._deadline:
                raise RestlessError(f"the play did not end within {_PLAY_SECONDS:.0f} s")
            if (
                self.births - births > _MOST_BIRTHS
                or len(self._strays) >= _MOST_STRAYS
                or time.monotonic() - started > _SETTLING_SECONDS
            ):
                return Settled(Rest.UNSETTLED, activity_of(self._init))
            self._pause(looks)

    def _look_twice(self) -> tuple[_Look, Activity] | None:
        """What everybody looked like and what init was doing, if nobody ran in between; else None."""
        strays = list(self._strays.values())
        everybody = (self._init, *self._actors(), *strays)
        look = _look(everybody)
        if look is None:
            return None
        # Between the looks, so that it holds for an instant at which everybody slept. It is exact where the state
        # letter is not.
        now = activity_of(self._init) if look[0][1] == "S" else Activity(Posture.ASLEEP)
        if now.posture is Posture.RUNNING:
            return None
        # Between the looks as well. A process born since the first look is found here, while its parent sleeps. And
        # to list children the kernel takes the lock (tasklist_lock) that it holds from the moment a process becomes
        # a zombie until its parent has been told: whoever was dead at the first look, its parent is awake at the next.
        if self.strays() != strays or _look(everybody) != look:
            return None
        return look, now

    def strays(self) -> list[Watched]:
        """Processes of the play that are no actors: those that init itself, or what it started, has made."""
        known = {self._init.pid, *(actor.pid for actor in self._actors())}
        for pid, stray in list(self._strays.items()):
            if pid in known or stray.reaped():  # an actor is a stray until it has reported
                self.births -= pid in known
                stray.close()
                del self._strays[pid]
        parents = [self._init, *self._strays.values()]
        while parents and len(self._strays) < _MOST_STRAYS:
            for child in parents.pop().children():
                if child not in known and child not in self._strays:
                    try:
                        self._strays[child] = Watched(child)
                    except ProcessLookupError:
                        continue
                    self.births += 1
                    parents.append(self._strays[child])
        return list(self._strays.values())

    def _nobody_else_is_busy(self) -> bool:
        """Whether all that is to be seen of a spinning init has been seen: the actors sleep, and it is not leaving."""
        init = self._init.stat()
        return (init is None or not init.leaving) and _look(self._actors()) is not None

    def _spent(self) -> int:
        return self._init.cpu_nanoseconds() + sum(
            stray.cpu_nanoseconds() for stray in self._strays.values()
        )

    def _pause(self, looks: int) -> None:
        if looks < 4:
            os.sched_yield()
        elif looks < 20:
            time.sleep(0.00005)  # shorter than what we wait for: the answer is on its way
        else:
            self._wait_for_news(0.002)


def _look(processes: Iterable[Watched]) -> _Look | None:
    """How each of them is; None if one of them is not asleep."""
    seen: list[tuple[int, str, bytes, str]] = []
    for process in processes:
        stat = process.stat()
        if stat is None:
            seen.append((process.pid, "", b"", ""))
        elif stat.state in DEAD_STATES:
            seen.append((process.pid, stat.state, b"", ""))
        elif not stat.leaving and (stat.state == "S" or stat.state in STOPPED_STATES):
            threads = process.run_times_of_threads() if stat.threads > 1 else ""
            if threads is None:
                return None
            seen.append((process.pid, stat.state, process.run_times(), threads))
        else:
            return None
    return tuple(seen)
