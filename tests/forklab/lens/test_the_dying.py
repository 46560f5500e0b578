"""Whom a signal has ended takes no other one, though it has not been let go since: complete_signal() in Linux."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from forklab.explore import explore
from forklab.lens.record import record

Compile = Callable[[str], str]

PROGRAM = """
    #include <signal.h>
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static void heard(int number) {{ (void)number; _exit(1); }}
    int main(void) {{
        int status, ready[2];
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, {blocked});
        sigprocmask(SIG_BLOCK, &mask, NULL);
        signal(SIGUSR1, heard);
        pipe(ready);
        pid_t child = fork();
        if (child == 0) {{
            write(ready[1], "", 1); /* from glibc 2.41 on all signals are blocked while it is born */
            for (;;)
                pause();
        }}
        read(ready[0], &status, 1);
        {signals}
        waitpid(child, &status, 0);
        printf("%d\\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        return 0;
    }}
"""
# What is sent, what is blocked, and what the kernel says of the end, in 300 runs of 300 without a lens.
ENDS = {
    "the first of two": ("kill(child, SIGTERM); kill(child, SIGKILL);", "SIGHUP", 15),
    "not the one with the lower number": (
        "kill(child, SIGTERM); kill(child, SIGINT);",
        "SIGHUP",
        15,
    ),
    "no handler runs any more": ("kill(child, SIGTERM); kill(child, SIGUSR1);", "SIGHUP", 15),
    "one in real time": ("kill(child, SIGRTMIN); kill(child, SIGKILL);", "SIGHUP", 34),
    "one that is blocked waits": ("kill(child, SIGTERM); kill(child, SIGKILL);", "SIGTERM", 9),
    "who is stopped is not ended yet": (
        "kill(child, SIGSTOP); waitpid(child, &status, WUNTRACED);"
        " kill(child, SIGTERM); kill(child, SIGKILL);",
        *("SIGHUP", 9),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_its_end_is_the_first_that_cannot_be_put_off(name: str, compiled: Compile) -> None:
    signals, blocked, end = ENDS[name]
    program = compiled(PROGRAM.format(signals=signals, blocked=blocked))
    assert {record([program], seed=seed).output for seed in range(4)} == {f"{end}\n"}


def test_where_it_gets_another_one_nothing_is_claimed(compiled: Compile) -> None:
    signals, blocked, end = ENDS["the first of two"]
    found = explore([compiled(PROGRAM.format(signals=signals, blocked=blocked))])
    assert not found.complete
    assert f"{end}\n" in [outcome.output for outcome in found.outcomes]
    assert any("another signal has ended already" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("signals", "wanted"),
    [
        ("kill(child, SIGSTOP); kill(child, SIGKILL);", "WUNTRACED"),
        (
            "kill(child, SIGSTOP); waitpid(child, NULL, WUNTRACED); kill(child, SIGCONT); kill(child, SIGTERM);",
            "WCONTINUED",
        ),
    ],
)
def test_whether_the_dying_still_tell_that_they_were_stopped_is_not_claimed(
    signals: str, wanted: str, compiled: Compile
) -> None:
    """They do not: all that their parent hears of is their end."""
    waits = f"{signals} if (waitpid(child, &status, {wanted}) < 0) return 1;"
    found = explore([compiled(PROGRAM.format(signals=waits, blocked="SIGHUP"))])
    assert not found.complete
    assert any("may still hear" in reason for reason in found.reasons)
