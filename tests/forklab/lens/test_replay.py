"""One program, replayed again and again by the same process."""

from __future__ import annotations

import os

from forklab.lens.replay import Replay
from forklab.steps.schedule import Schedule


def descriptors(pid: int) -> list[str]:
    return sorted(os.listdir(f"/proc/{pid}/fd"), key=int)


def test_a_run_leaves_no_descriptor_behind(acts: str) -> None:
    """Whoever explores has thousands of runs, and may have 256 descriptors."""
    with Replay([acts, "f(x3)w"], namespace=False) as replay:
        replay.play(Schedule())
        before = descriptors(replay.pid)
        for _ in range(20):
            replay.play(Schedule())
        assert descriptors(replay.pid) == before


def test_the_same_schedule_is_the_same_run_each_time(acts: str) -> None:
    with Replay([acts, "f(x3)f(x4)ww"]) as replay:
        first = replay.play(Schedule())
        assert all(replay.play(Schedule(tuple(first.steps))) == first for _ in range(5))
