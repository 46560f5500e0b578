"""What does not end by itself is ended: by its time on the processor, which a busy machine does not change."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from forklab.lens.loop import watchdog as watching
from forklab.lens.loop.watchdog import Watchdog
from forklab.lens.record import Limits, record
from forklab.lens.world.clock import Clock
from forklab.lens.world.limits import EndOfRunError

FORKS = """
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 300; i++) { if (fork() == 0) _exit(0); wait(NULL); }
    return 0;
}
"""


@dataclass
class Times:
    """What the clock on the wall and the meter of the processor show."""

    wall: float = 0.0
    spent: float = 0.0
    asked: int = 0

    def meter(self) -> float:
        self.asked += 1
        return self.spent


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    shown = Times()
    monkeypatch.setattr(watching.time, "monotonic", lambda: shown.wall)
    return shown


def dog(times: Times, limits: Limits) -> Watchdog:
    return Watchdog(limits, lambda: False, times.meter, _started=0.0)


def test_time_on_the_wall_is_not_time_on_the_processor(times: Times) -> None:
    limited = dog(times, Limits(processor_seconds=2))
    for times.wall in range(1000):
        limited.look(Clock())
    times.spent, times.wall = 2.1, 2000
    with pytest.raises(EndOfRunError, match="kept the processor busy for more than 2 seconds"):
        limited.look(Clock())


def test_a_limit_on_the_wall_is_kept_whatever_the_processor_did(times: Times) -> None:
    limited = dog(times, Limits(real_seconds=5))
    limited.look(Clock())
    times.wall = 5.1
    with pytest.raises(EndOfRunError, match="more than 5 seconds"):
        limited.look(Clock())


def test_the_meter_is_read_only_when_the_limit_can_have_been_reached(times: Times) -> None:
    """To read it is to open a file for each process, and alarms ring fifty times a second."""
    limited = dog(times, Limits(processor_seconds=100))
    for tick in range(5000):
        times.wall = times.spent = tick * watching.TICK
        if times.spent > 99:
            break
        limited.look(Clock())
    assert times.asked < 60


def test_nobody_is_followed_for_whom_nobody_waits(times: Times) -> None:
    with pytest.raises(EndOfRunError, match="Nobody waits for it"):
        Watchdog(Limits(), lambda: True, times.meter).look(Clock())


# On a processor that twelve others keep busy, each in a session of its own, as sched(7) shares among those.
UNDER_LOAD = """
import os, subprocess, sys
from forklab.lens.record import Limits, record
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
burner = [sys.executable, "-c", "while True: pass"]
burners = [subprocess.Popen(burner, start_new_session=True) for _ in range(12)]
try:
    seen = record([sys.argv[1]], limits=Limits(processor_seconds=2))
finally:
    for one in burners:
        one.kill()
        one.wait()
print(seen.ended_early, seen.status, len(seen.history.processes))
"""


def test_a_busy_machine_does_not_change_the_history(compiled: Callable[[str], str]) -> None:
    """On the wall it takes several times longer there than it may on the processor."""
    command = [sys.executable, "-c", UNDER_LOAD, compiled(FORKS)]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert seen.stdout == "None 0 301\n"


def test_who_computes_for_ever_is_ended(compiled: Callable[[str], str]) -> None:
    limits = Limits(processor_seconds=0.5)
    seen = record(
        [compiled("int main(void) { for (volatile long n = 0;; n++) continue; }")], limits=limits
    )
    assert (
        seen.ended_early is not None
        and "kept the processor busy for more than 0.5" in seen.ended_early
    )


def test_who_forks_for_ever_one_child_at_a_time_is_ended(compiled: Callable[[str], str]) -> None:
    """The time of those who are gone counts as well."""
    endless = FORKS.replace("i < 300", "1")
    seen = record([compiled(endless)], limits=Limits(processor_seconds=0.5))
    assert seen.ended_early is not None and "kept the processor busy" in seen.ended_early
