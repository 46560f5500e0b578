"""A loop that reads the clock until it is late enough is a wait for a moment, and others act at theirs meanwhile."""

from __future__ import annotations

import pytest
from programs import Runnable
from sampled import every_other

from forklab.explore import Exploration, explore
from forklab.kernel.processors import X86_64, this_processor

pytestmark = pytest.mark.skipif(
    this_processor() is not X86_64, reason="nobody is led through a loop on this processor"
)

HEAD = """
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static volatile int done;
static void end(int number) { (void)number; done++; }
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
static void spin(double seconds) {
    double until = now() + seconds;
    while (now() < until) {}
}
"""


def explored(runnable: Runnable, body: str) -> Exploration:
    return explore(**runnable("c", f"{HEAD}\nint main(void) {{ {body} }}"))


CERTAIN = {
    "who sleeps wakes in the middle of it, and sees its own time": (
        """
        time_t start = time(NULL);
        if (fork() == 0) {
            sleep(1);
            printf("child at %ld\\n", (long)(time(NULL) - start));
            return 0;
        }
        while (time(NULL) < start + 3) {}
        printf("parent at %ld\\n", (long)(time(NULL) - start));
        wait(NULL);
        """,
        ("child at 1\nparent at 3\n",),
    ),
    "it is over at its moment, not a bit later": (
        """
        if (fork() == 0) {
            struct timeval first, last;
            gettimeofday(&first, NULL);
            do gettimeofday(&last, NULL);
            while ((last.tv_sec - first.tv_sec) * 1000000 + last.tv_usec - first.tv_usec < 1234567);
            puts("loop");
            return 0;
        }
        struct timespec before = {1, 234560000}, behind = {0, 14000};
        nanosleep(&before, NULL), puts("before");
        nanosleep(&behind, NULL), puts("behind");
        wait(NULL);
        """,
        ("before\nloop\nbehind\n",),
    ),
    "several wait at once, and give way": (
        """
        for (int i = 3; i > 0; i--)
            if (fork() == 0) {
                double until = now() + i * 0.25;
                while (now() < until) sched_yield();
                printf("%d\\n", i);
                return 0;
            }
        while (wait(NULL) > 0) {}
        """,
        ("1\n2\n3\n",),
    ),
    "a handler comes in between": (
        """
        signal(SIGUSR1, end);
        pid_t parent = getpid();
        if (fork() == 0) { sleep(1); kill(parent, SIGUSR1); return 0; }
        spin(3);
        printf("%d\\n", done);
        wait(NULL);
        """,
        ("1\n",),
    ),
    "an alarm ends it": (
        """
        struct timeval time;
        signal(SIGALRM, end);
        alarm(2);
        while (!done) gettimeofday(&time, NULL);
        puts("rang");
        """,
        ("rang\n",),
    ),
}


@pytest.mark.parametrize("name", every_other(CERTAIN))
def test_it_is_a_wait(name: str, runnable: Runnable) -> None:
    body, outputs = CERTAIN[name]
    found = explored(runnable, body)
    assert found.outputs == outputs
    assert found.complete, found.reasons


def test_one_that_no_time_ends_is_a_wait_for_a_signal(runnable: Runnable) -> None:
    found = explored(runnable, "time_t start = time(NULL); while (time(NULL) >= start) {}")
    (outcome,) = found.outcomes
    assert outcome.waits == (("P", "computes in a loop that only a signal ends"),)
    assert found.complete, found.reasons


def test_in_python_too(runnable: Runnable) -> None:
    text = """
import os, time
if os.fork() == 0:
    time.sleep(0.5); print("child", flush=True); os._exit(0)
end = time.monotonic() + 2
while time.monotonic() < end:
    pass
print("parent", flush=True)
os.wait()
"""
    found = explore(**runnable("python", text))
    assert found.outputs == ("child\nparent\n",)


COUNTS = {
    "how often it looks": 'long n = 0; spin(0); for (double u = now() + 1; now() < u;) n++; printf("%d\\n", n > 0);',
    "how often the second is another one": """
        time_t last = time(NULL);
        for (int seconds = 0; seconds < 3;) {
            time_t now = time(NULL);
            if (now != last) { seconds++; last = now; }
        }
        puts("3");
        """,
}


@pytest.mark.parametrize("what", COUNTS)
def test_who_keeps_count_gets_no_certain_answer(what: str, runnable: Runnable) -> None:
    found = explored(runnable, COUNTS[what])
    assert found.outcomes and not found.complete
    (reason,) = found.reasons
    assert reason.startswith("P keeps count of how often it looks at the clock")


def test_of_a_loop_that_cannot_be_followed_so_that_is_said(runnable: Runnable) -> None:
    """Its way cannot be undone: it makes another call in between, if only a private one."""
    found = explored(
        runnable,
        """
        static char page[4096] __attribute__((aligned(4096)));
        time_t start = time(NULL);
        while (time(NULL) < start + 2) madvise(page, sizeof page, MADV_NORMAL);
        puts("end");
        """,
    )
    assert found.outputs == ("end\n",)
    (reason,) = found.reasons
    assert reason.startswith("P reads the clock again and again")


def test_processor_time_is_what_it_has_spent_in_such_loops_and_that_is_not_certain(
    runnable: Runnable,
) -> None:
    found = explored(
        runnable,
        """
        if (fork() == 0) { sleep(2); puts("child"); return 0; }
        clock_t start = clock();
        while ((clock() - start) / CLOCKS_PER_SEC < 1) {}
        puts("parent");
        wait(NULL);
        """,
    )
    assert found.outputs == ("parent\nchild\n",)
    (reason,) = found.reasons
    assert reason.startswith("P asks how much processor time it has used")
