"""Two looks at all processes of a play that prove that there was an instant at which everybody slept.

docs/architecture.md, "Why the looks of the judge suffice", has the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from autograder.stage.activity import Activity, Posture, activity_of
from autograder.stage.watch import DEAD_STATES, STOPPED_STATES, Watched

_ASLEEP = "S"
_UNINTERRUPTIBLE = "D"
_BLOCKED_STATES = frozenset({_ASLEEP, _UNINTERRUPTIBLE}) | STOPPED_STATES


@dataclass(frozen=True)
class Sight:
    """How one process looked: its state letter, its run times with those of its threads; of the dead, their parent."""

    pid: int
    state: str
    run_times: bytes = b""
    parent: int = 0


Look = tuple[Sight, ...]


@dataclass(frozen=True)
class Stillness:
    """What two equal looks have shown, and what those were doing meanwhile of whom that matters, by pid."""

    look: Look
    activities: Mapping[int, Activity]

    @property
    def stuck(self) -> bool:
        """Somebody does not run, but nothing from outside could wake it either: this is no rest that we know of."""
        return any(activity.posture is Posture.STUCK for activity in self.activities.values())

    def without_run_times_of(self, pids: Iterable[int]) -> Look:
        """To compare with another moment, no matter whether they ran in between."""
        masked = set(pids)
        return tuple(
            Sight(sight.pid, sight.state) if sight.pid in masked else sight for sight in self.look
        )


def look(processes: Iterable[Watched]) -> Look | None:
    """How each of them is; None if one of them is not asleep."""
    seen: list[Sight] = []
    for process in processes:
        sight = _sight_of(process)
        if sight is None:
            return None
        seen.append(sight)
    return tuple(seen)


def look_twice(
    unknown: list[Watched],
    actors: list[Watched],
    nobody_is_born: Callable[[], bool],
    reaper: Watched | None = None,
) -> Stillness | None:
    """What everybody looked like, if nobody ran in between; else None.

    `unknown` are those that may do anything: the init, and what it starts. An actor sleeps on no timer, and is of
    interest only when it is stopped. `nobody_is_born` lists all children. `reaper`: an init of ours that wakes up again
    and again and does nothing, but for reaping: it matters while it has somebody to reap.
    """
    everybody = [*unknown, *actors]
    first = look(everybody)
    if first is None:
        return None
    has_work = reaper is not None and any(sight.parent == reaper.pid for sight in first)
    beside = look([reaper]) if reaper is not None and has_work else ()
    if beside is None:
        return None
    # Between the looks, so that it holds for an instant at which everybody slept.
    activities: dict[int, Activity] = {}
    for place, (process, sight) in enumerate(zip(everybody, first, strict=True)):
        if sight.state in DEAD_STATES or (place >= len(unknown) and sight.state == _ASLEEP):
            continue
        # It is exact where the state letter is not; and whoever is stopped has told its parent of it before the kernel
        # says more than "running".
        now = activity_of(
            process,
            uninterruptible=sight.state == _UNINTERRUPTIBLE,
            stopped=sight.state in STOPPED_STATES,
        )
        if now.posture is Posture.RUNNING:
            return None
        if sight.state not in STOPPED_STATES:
            activities[process.pid] = now
    # Between the looks as well. A process born since the first look is found here, while its parent sleeps. And to
    # list children the kernel takes the lock (tasklist_lock) that it holds from the moment a process becomes a zombie
    # until its parent has been told: whoever was dead at the first look, its parent is awake at the next.
    if not nobody_is_born() or look(everybody) != first:
        return None
    if reaper is not None and has_work and look([reaper]) != beside:
        return None
    return Stillness(first, activities)


def _sight_of(process: Watched) -> Sight | None:
    stat = process.stat()
    if stat is None:
        return Sight(process.pid, "")
    if stat.state in DEAD_STATES:
        return Sight(process.pid, stat.state, parent=stat.parent)
    if stat.leaving or stat.state not in _BLOCKED_STATES:
        return None
    if stat.threads == 1:
        return Sight(process.pid, stat.state, process.run_times())
    state, run_times = stat.state, [process.run_times()]
    threads = list(process.threads())
    for thread in threads:
        if thread.leaving or thread.state not in _BLOCKED_STATES:
            return None
        if thread.state == _UNINTERRUPTIBLE:
            state = _UNINTERRUPTIBLE
        run_times.append(thread.run_times.encode())
    return Sight(process.pid, state, b"".join(run_times)) if threads else None
