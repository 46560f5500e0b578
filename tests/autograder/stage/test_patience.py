"""How long who sleeps on a timer is waited for, on a clock of ours."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from autograder.stage.conduct import Conduct
from autograder.stage.looks import Sight, Stillness
from autograder.stage.patience import Patience, Waking
from autograder.stage.timers import Timer

INIT, CHILD = 1, 2
STILL = Stillness((Sight(CHILD, "S", b"10 10 1"),), {})


@dataclass(frozen=True)
class OneTimer:
    """All that the kernel has told of timers."""

    timer: Timer

    def of(self, pid: int, *, sleeps_on_files: bool = True) -> list[Timer]:
        return [self.timer]


def waking_at(moment: float, timer: Timer, monkeypatch: pytest.MonkeyPatch) -> Waking:
    """What is expected of a child that has slept from 0 to this moment, and may sleep on this timer."""
    patience = Patience(INIT, OneTimer(timer), Conduct())  # type: ignore[arg-type]
    for now in (0.0, moment):
        monkeypatch.setattr("autograder.stage.patience.time.monotonic", lambda now=now: now)
        waking, _ = patience.ask(STILL, patience.sleepers(STILL, set()), None)
    return waking


def test_the_limit_of_a_socket_may_be_late_on_a_busy_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = Timer("SO_RCVTIMEO", 0.0, 0.3, 0.3, shared=True)
    assert waking_at(0.4, limit, monkeypatch) is Waking.SOON
    assert waking_at(1.2, limit, monkeypatch) is Waking.SOON
    assert waking_at(1.5, limit, monkeypatch) is Waking.NEVER  # it is none of its own


def test_a_clock_of_its_own_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    rings = Timer("setitimer", 0.0, 0.3, 0.3, shared=False)
    assert waking_at(0.3, rings, monkeypatch) is Waking.SOON
    assert waking_at(0.4, rings, monkeypatch) is Waking.NEVER


def test_who_had_to_wait_for_a_processor_to_set_a_timer_is_waited_for_as_long() -> None:
    """We are told of the call before it is made; when everybody sleeps it has been made."""
    told = Timer("alarm", None, 0.3, 0.0, shared=False)
    seen_asleep = told.set_by(0.5)
    assert told.may_ring(0.5) and seen_asleep.may_ring(0.79)
    assert seen_asleep.set_by(0.7) == seen_asleep
    assert not seen_asleep.may_ring(0.9)
