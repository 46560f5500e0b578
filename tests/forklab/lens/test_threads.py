"""Processes with several threads: however one of them ends them all, the lens hears the end."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from forklab.lens.record import record

SEEDS = int(os.environ.get("FORKLAB_LENS_EXAMPLES", "30")) // 30
EVENTS = {
    "exit": ("exit 5", 0x500),
    "abort": ("killed SIGABRT", 6),
    "segfault": ("killed SIGSEGV", 11),
    "term": ("killed SIGTERM", 15),
    "kill": ("killed SIGKILL", 9),
    "x: exec": ("exit 7", 0x700),
}


@pytest.mark.parametrize("others", ["sleep", "pause", "read", "y: short sleeps"])
@pytest.mark.parametrize("how", EVENTS)
@pytest.mark.parametrize("who", ["main", "thread"])
def test_one_thread_ends_all(
    who: str, how: str, others: str, compiled: Callable[[str], str]
) -> None:
    end, status = EVENTS[how]
    for seed in range(SEEDS):
        seen = record([compiled("threads.c"), who, how, others], seed=seed)
        assert seen.ended_early is None
        assert int(seen.output.split()[0], 16) & ~0x80 == status  # 0x80: with a core dump
        assert seen.seconds == 1
        ends = [
            f"{event.kind} {event.signal or event.status}"
            for event in seen.history.events
            if event.process == "P.1" and event.kind in ("exit", "killed")
        ]
        assert ends == [end]


@pytest.mark.parametrize("who", ["main", "thread"])
def test_a_process_lives_as_long_as_its_last_thread(
    who: str, compiled: Callable[[str], str]
) -> None:
    seen = record([compiled("threads.c"), who, "pthread_exit", "sleep"])
    assert (seen.output, seen.seconds) == ("0\n", 10)


def test_a_process_whose_first_thread_has_ended_may_wait_for_ever(
    compiled: Callable[[str], str],
) -> None:
    seen = record([compiled("threads.c"), "main", "pthread_exit", "pause"])
    assert seen.ended_early is not None
    assert "P.1 has ended its first thread, P.1 is in pause" in seen.ended_early


def test_in_real_time_too(compiled: Callable[[str], str]) -> None:
    seen = record([compiled("threads.c"), "thread", "x: exec", "pause"], real_time=True)
    assert seen.output == "0x700\n"
