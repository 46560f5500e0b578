"""Who is killed, by whomever and however, while the lens holds it: its end is awaited; that of anybody else is not."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from forklab.lens.edge.proc import has_capability
from forklab.lens.record import record

CAP_SYS_PTRACE = 19
HEAD = """
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(long result) { printf("%ld", result); printf(" %s\\n", strerror(errno)); }
"""


def run(compiled: Callable[[str], str], body: str) -> tuple[str, list[str]]:
    """What it prints, and how each of its processes ended."""
    seen = record(
        [
            compiled(
                HEAD + "int main(void) { (void)tell; setvbuf(stdout, NULL, _IOLBF, 0);" + body + "}"
            )
        ]
    )
    assert seen.ended_early is None
    events = seen.history.events
    ends = {e.process: e.signal or str(e.status) for e in events if e.kind in ("exit", "killed")}
    return seen.output, [end for _, end in sorted(ends.items())]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_must_not_be_killed_lives_on(compiled: Callable[[str], str]) -> None:
    if not has_capability(os.getpid(), CAP_SYS_PTRACE):
        pytest.skip(
            "what one who has become somebody else writes is hidden here, from the lens too"
        )
    body = """
        pid_t other = fork();
        if (other == 0) { sleep(5); return 3; }
        if (setuid(65534)) return 1;
        tell(kill(other, SIGKILL));
        wait(NULL);
    """
    assert run(compiled, body) == ("-1 Operation not permitted\n", ["0", "3"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_signal_that_the_kernel_refuses_was_not_sent(compiled: Callable[[str], str]) -> None:
    body = """
        pid_t other = fork();
        if (other == 0) { sleep(5); return 3; }
        kill(other, SIGCONT);
        if (setuid(65534)) return 1;
        kill(other, SIGTERM);
        wait(NULL);
    """
    events = record([compiled(HEAD + "int main(void) { (void)tell;" + body + "}")]).history.events
    assert [event.signal for event in events if event.kind == "sends"] == ["SIGCONT"]


def test_a_child_that_sleeps_is_killed_by_the_death_of_its_parent(
    compiled: Callable[[str], str],
) -> None:
    """PR_SET_PDEATHSIG, see prctl(2)."""
    body = """
        if (fork() == 0) {
            if (fork() == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); sleep(5); return 1; }
            sleep(1);
            return 2;
        }
        wait(NULL);
        sleep(10);
    """
    assert run(compiled, body) == ("", ["0", "2", "SIGKILL"])


def test_who_kills_a_group_with_itself_kills_those_who_sleep(
    compiled: Callable[[str], str],
) -> None:
    body = """
        if (fork() == 0) {
            setpgid(0, 0);
            if (fork() == 0) return sleep(5);
            sleep(1);
            kill(0, SIGKILL);
        }
        wait(NULL);
        sleep(10);
    """
    assert run(compiled, body) == ("", ["0", "SIGKILL", "SIGKILL"])


def test_there_is_no_process_of_the_least_number(compiled: Callable[[str], str]) -> None:
    body = "tell(kill(INT_MIN, SIGTERM));"
    assert run(compiled, body) == ("-1 No such process\n", ["0"])


def test_nobody_traces_the_tracer(compiled: Callable[[str], str], pid_namespaces: None) -> None:
    """It would stop, and with it everything."""
    body = "tell(ptrace(PTRACE_SEIZE, 1, 0, 0)); tell(ptrace(PTRACE_ATTACH, 1, 0, 0));"
    assert run(compiled, body) == (2 * "-1 Operation not permitted\n", ["0"])
