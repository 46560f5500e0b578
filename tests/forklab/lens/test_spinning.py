"""A loop that only a signal can end is a wait for a signal; one that computes something is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forklab.explore import explore
from forklab.lens.record import Limits, record

HEAD = """
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int done;
static volatile double sum = 1;
static void end(int number) { (void)number; done = 1; }
static void leave(int number) { (void)number; _exit(write(1, "h", 1) != 1); }
"""
Compile = Callable[[str], str]


def program(body: str) -> str:
    return f"{HEAD}\nint main(void) {{ {body} }}"


ENDLESS = {
    "for ever": "signal(SIGUSR1, leave); if (fork() == 0) for (;;) {} kill(0, 0);",
    "until a handler says so": """
        signal(SIGUSR1, end);
        if (fork() == 0) { while (!done) {} leave(0); }
    """,
    "with calls that concern nobody": "signal(SIGUSR1, leave); if (fork() == 0) for (;;) getuid();",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_it_waits_for_the_signal_in_every_schedule(name: str, compiled: Compile) -> None:
    """Before the handler is there nobody sends it: fork comes later."""
    body = f"""
        {ENDLESS[name]}
        signal(SIGUSR1, SIG_IGN);
        kill(0, SIGUSR1);
        wait(NULL);
        if (write(1, "p", 1) != 1) return 1;
        return 0;
    """
    found = explore([compiled(program(body))])
    assert found.complete, found.reasons
    assert found.outputs == ("hp",)


def test_who_asks_the_kernel_again_and_again_waits_for_another_answer(compiled: Compile) -> None:
    """For the end of its parent, or until it has worked for a while: these calls do not stop it."""
    body = """
        if (fork() == 0) {
            if (fork() == 0) {
                pid_t parent = getppid();
                while (getppid() == parent) {}
                return write(1, "orphan\\n", 7) != 7;
            }
            return sleep(1);
        }
        wait(NULL);
        struct rusage used;
        do getrusage(RUSAGE_SELF, &used); while (!used.ru_utime.tv_sec && used.ru_utime.tv_usec < 250000);
        return write(1, "worked\\n", 7) != 7;
    """
    seen = record([compiled(program(body))])
    assert (seen.ended_early, sorted(seen.output.split())) == (None, ["orphan", "worked"])


def test_without_a_signal_it_is_said_that_it_never_ends(compiled: Compile) -> None:
    found = explore([compiled(program("while (!done) {} return 0;"))])
    assert found.complete, found.reasons
    (outcome,) = found.outcomes
    assert outcome.waits == (("P", "computes in a loop that only a signal ends"),)


def test_nor_does_anybody_keep_the_processor_busy_for_it(compiled: Compile) -> None:
    seen = record([compiled(program("for (;;) {}"))])
    assert seen.ended_early == "Everybody waits, and nobody will ever wake them: P is in a loop."


def test_who_has_limited_its_processor_time_gets_the_signal_for_that(compiled: Compile) -> None:
    body = """
        signal(SIGXCPU, leave);
        setrlimit(RLIMIT_CPU, &(struct rlimit){1, 2});
        for (;;) {}
    """
    path = compiled(program(body))
    assert record([path]).output == "h"
    assert not explore([path]).complete


def test_who_looks_for_a_file_again_and_again_waits_for_whoever_makes_it(
    compiled: Compile, tmp_path: Path
) -> None:
    body = f"""
        const char *name = "{tmp_path}/there";
        if (fork() == 0) {{ usleep(100000); return close(creat(name, 0600)); }}
        while (access(name, 0)) {{}}
        leave(0);
    """
    seen = record([compiled("#include <fcntl.h>" + program(body))])
    assert (seen.ended_early, seen.output) == (None, "h")


COUNTS = {
    "in memory": "for (volatile long n = 0; n < 3000000000; n++) {} return 0;",
    "in a register": "register long n = 0; while (n < 9000000000) n++; return n == 0;",
    "with fractions": "while (sum > 0) sum *= 1.0000000001; return 0;",
}


@pytest.mark.parametrize("name", COUNTS)
def test_who_comes_further_each_time_round_is_not_in_such_a_loop(
    name: str, compiled: Compile
) -> None:
    found = explore([compiled(program(COUNTS[name]))])
    assert not found.complete
    assert "somebody computes for long, maybe until a signal comes" in found.reasons


def test_time_passes_for_the_others_meanwhile(compiled: Compile) -> None:
    """And the same seed gives the same: nothing is left to the processor."""
    body = """
        signal(SIGALRM, end);
        alarm(5);
        if (fork() == 0) { sleep(3); _exit(write(1, "c", 1) != 1); }
        while (!done) {}
        leave(0);
    """
    seen = record([compiled(program(body))], limits=Limits(processor_seconds=5.0))
    assert (seen.output, seen.seconds, seen.reasons) == ("ch", 5.0, ())
