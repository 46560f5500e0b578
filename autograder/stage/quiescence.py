"""When is nothing going to happen any more?

A play is at rest when every process of it sleeps until something from outside happens: two looks at all of them prove
that (looks.py), and no timer is going to wake anybody (patience.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import Enum

from autograder.stage.activity import Activity, Posture
from autograder.stage.conduct import Conduct
from autograder.stage.errors import RestlessError, UnrulyError
from autograder.stage.looks import Look, Stillness, look, look_twice
from autograder.stage.patience import Patience, Sleeper, Waking
from autograder.stage.timers import Timers
from autograder.stage.watch import Watched

# Of processor time.
_SPIN_AGAIN_NANOSECONDS = 1_000_000  # for one that we have seen spin in this play
# Of the time between two looks no more counts: when the host of a virtual machine takes the processor away meanwhile,
# the kernel takes that for time that the process has used.
_LONGEST_STRETCH_NANOSECONDS = 2_000_000
# Nobody runs all that time, and nobody can be woken: who waits for a disk is done by then, on most machines.
_STUCK_SECONDS = 5.0
_STUCK_AGAIN_SECONDS = 0.5  # for a submission that did it before
_PLAY_SECONDS = (
    300.0  # in which all steps of a play come to rest; beyond that the machine cannot tell
)
_MOST_BIRTHS = 100  # of strays while we wait for rest: whoever has more will not come to rest
_MOST_STRAYS = 100  # at the same time; each takes descriptors of ours
_LOOKS_BETWEEN_SEARCHES = 50
_LONGEST_PAUSE_SECONDS = 0.02


class Rest(Enum):
    """How a play came to rest."""

    DONE = "what we waited for has happened"
    QUIET = "everybody sleeps until something from outside happens"
    TIMED = "everybody sleeps, and one will wake up by itself, but much later"
    POLLING = "init, or one that it started, wakes up again and again, and nothing comes of it"
    SPINNING = "init, or one that it started, runs without a pause"


_RESTS = {
    Waking.NEVER: Rest.QUIET,
    Waking.LATER: Rest.TIMED,
    Waking.FOR_NOTHING: Rest.POLLING,
}


@dataclass(frozen=True)
class Settled:
    """How the play came to rest, what init was doing then, and who slept on a timer, if anybody."""

    rest: Rest
    activity: Activity
    sleeper: Sleeper | None = None


class Quiescence:
    """Waits until the processes of a play have come to rest.

    `actors` answers the actors, `wait_for_news` blocks until one of them says something, dies or is reaped, or until
    the seconds given are over; `effects` answers what may change without that anybody of them runs. `reaper`: an init
    of ours above the subject, to whom orphans come.
    """

    def __init__(
        self,
        init: Watched,
        actors: Callable[[], Iterable[Watched]],
        wait_for_news: Callable[[float], object],
        *,
        timers: Timers,
        conduct: Conduct,
        effects: Callable[[], Hashable] = lambda: None,
        reaper: Watched | None = None,
    ) -> None:
        self._init = init
        self._actors = actors
        self._wait_for_news = wait_for_news
        self._timers = timers
        self._conduct = conduct
        self._effects = effects
        self._reaper = reaper
        self._patience = Patience(init.pid, timers, conduct)
        self._spin_limit = conduct.start_limit
        self._strays: dict[int, Watched] = {}
        self._actors_give_birth = False
        self.births = 0  # of strays that we have seen
        self.outlasts = False  # whether who polls is waited for as long as who sleeps
        self._deadline = time.monotonic() + _PLAY_SECONDS

    def close(self) -> None:
        for stray in self._strays.values():
            stray.close()

    def has_started(self) -> None:
        """Main is there: from now on we know what init needs."""
        self._spin_limit = self._conduct.spin_limit(self._init.cpu_nanoseconds())

    def settle(
        self, done: Callable[[], bool] = lambda: False, *, births_among_actors: bool = False
    ) -> Settled:
        """Waits until `done`, or until the play is at rest.

        `births_among_actors`: an actor has forked, and its child has not reported yet. Raises RestlessError if it
        cannot be told whether the play is at rest, UnrulyError if it never will be.
        """
        self._actors_give_birth = births_among_actors
        self._patience.begin(outlasts=self.outlasts)
        births = self.births
        spent, ran_for = self._spent(), 0
        looks = 0
        stuck: tuple[Look, float] | None = None
        while True:
            self._timers.attend()
            if done():
                return Settled(Rest.DONE, Activity(Posture.UNKNOWN))
            began = time.monotonic()
            still = self._look_twice()
            looks += 1
            if looks % _LOOKS_BETWEEN_SEARCHES == 0:
                self.strays()  # also while init is too busy to be looked at twice
            if still is not None and self._timers.attend():
                continue  # who waits for our answer only seems to sleep
            if still is not None and not still.stuck:
                if done():
                    return Settled(Rest.DONE, Activity(Posture.UNKNOWN))
                settled, pause = self._at_rest(still)
                if settled is not None:
                    return settled
                self._refuse_to_wait_for_ever()
                self._wait_for_news(pause)
                continue
            if still is None or stuck is None or still.look != stuck[0]:
                stuck = None if still is None else (still.look, time.monotonic())
            elif time.monotonic() - stuck[1] > self._patience_with_the_stuck:
                raise RestlessError("it sleeps in a way in which nothing can wake it up")
            before, spent = spent, self._spent()
            ran_for += min(max(spent - before, 0), _LONGEST_STRETCH_NANOSECONDS)
            if ran_for > self._spin_limit and self._nobody_else_is_busy():
                self._spin_limit = _SPIN_AGAIN_NANOSECONDS
                self._conduct.spins += 1
                return Settled(Rest.DONE if done() else Rest.SPINNING, Activity(Posture.RUNNING))
            if self.births - births > _MOST_BIRTHS or len(self._strays) >= _MOST_STRAYS:
                raise UnrulyError("it starts one process after the other")
            self._refuse_to_wait_for_ever()
            self._pause(looks, time.monotonic() - began)

    def _at_rest(self, still: Stillness) -> tuple[Settled | None, float]:
        """How it came to rest, if everybody is asleep, or None and how long to wait for those who will wake up."""
        now = still.activities.get(self._init.pid, Activity(Posture.ASLEEP))
        sleepers = self._patience.sleepers(still, {actor.pid for actor in self._actors()})
        if not sleepers:
            return Settled(Rest.QUIET, now), 0.0
        waking, who = self._patience.ask(still, sleepers, self._effects())
        if waking is not Waking.SOON:
            return Settled(_RESTS[waking], now, who), 0.0
        limits = [one.limit for one in sleepers if one.limit is not None]
        return None, min([_LONGEST_PAUSE_SECONDS, *limits])

    def _look_twice(self) -> Stillness | None:
        strays = list(self._strays.values())
        return look_twice(
            [self._init, *strays],
            list(self._actors()),
            lambda: self.strays() == strays,
            self._reaper,
        )

    def strays(self) -> list[Watched]:
        """Processes of the play that are no actors: those that init itself, or what it started, has made."""
        actors = list(self._actors())
        known = {self._init.pid, *(actor.pid for actor in actors)}
        for pid, stray in list(self._strays.items()):
            if pid in known or stray.reaped():  # an actor is a stray until it has reported
                self.births -= pid in known
                stray.close()
                del self._strays[pid]
        parents = [self._init, *filter(None, [self._reaper]), *self._strays.values()]
        if self._actors_give_birth:
            parents += actors
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

    @property
    def _patience_with_the_stuck(self) -> float:
        return _STUCK_AGAIN_SECONDS if self._conduct.obstructions else _STUCK_SECONDS

    def _nobody_else_is_busy(self) -> bool:
        """Whether all that is to be seen of a spinning init has been seen: the actors sleep, and it is not leaving."""
        init = self._init.stat()
        return (init is None or not init.leaving) and look(self._actors()) is not None

    def _spent(self) -> int:
        return self._init.cpu_nanoseconds() + sum(
            stray.cpu_nanoseconds() for stray in self._strays.values()
        )

    def _refuse_to_wait_for_ever(self) -> None:
        if time.monotonic() > self._deadline:
            raise RestlessError(f"the play did not end within {_PLAY_SECONDS:.0f} s")

    def _pause(self, looks: int, looked_for: float) -> None:
        if looks < 4:
            os.sched_yield()
        elif looks < 20:
            time.sleep(0.00005)  # shorter than what we wait for: the answer is on its way
        else:
            # Not longer looking than leaving the processors to those whom we wait for.
            self._wait_for_news(max(0.002, looked_for))
