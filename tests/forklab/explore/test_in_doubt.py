"""Where a program does what is not modelled, there may be more outcomes, but each that is told was seen."""

from __future__ import annotations

import sys

import pytest
from programs import Runnable

from forklab.explore import explore
from forklab.explore.why import why

# P looks into memory that it shares after it has written p, and P.1 changes it before it writes d.
TEXT = """
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static void say(const char *text) { if (write(1, text, 1) != 1) _exit(9); }
int main(void) {
    volatile int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fork() == 0) { say("c"); *shared = 1; say("d"); return 0; }
    say("p");
    say(*shared ? "1" : "0");
    wait(NULL);
}
"""


def test_no_outcome_is_told_that_no_run_has_had(
    runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["forklab.explore.explore"], "REPLAYED", 1)
    found = explore(**runnable("c", TEXT))
    assert not found.complete
    assert len(found.outcomes) > 2
    assert not {"cdp0"} & set(found.outputs)
    answer = why(found, "cdp0")
    assert not answer.possible
    assert "when it was tried, the program did something else" in answer.text


def test_a_wait_that_ends_by_itself_is_told_for_no_deadlock(runnable: Runnable) -> None:
    """By a timer that is a file: when it rings is nothing that a schedule chooses."""
    text = """
    #include <poll.h>
    #include <sys/timerfd.h>
    int main(void) {
        struct itimerspec soon = {{0, 0}, {0, 20000000}};
        int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        timerfd_settime(timer, 0, &soon, 0);
        return poll(&(struct pollfd){timer, POLLIN, 0}, 1, -1) != 1;
    }
    """
    found = explore(**runnable("c", text))
    assert not found.complete
    assert not any(outcome.deadlock for outcome in found.outcomes)
