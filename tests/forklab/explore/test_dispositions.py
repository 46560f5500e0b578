"""To set a signal to its default where that is its disposition already is a step only where somebody could tell."""

from __future__ import annotations

import pytest
from programs import Runnable, ends_of

from forklab.explore import explore

HEADERS = """\
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void put(const char *text) { if (write(1, text, strlen(text)) < 0) abort(); }
static void caught(int number) { put(number == SIGUSR1 ? "caught\\n" : "other\\n"); }
static void block(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, NULL);
}
"""
# As an init does in its child, for it does not know what it has inherited.
RESETS_ALL = """\
int main(void) {
    if (fork() == 0) {
        RESET
        put("child\\n");
        _exit(0);
    }
    put("parent\\n");
    wait(NULL);
}
"""


def test_whoever_resets_what_is_as_it_was_takes_no_steps(runnable: Runnable) -> None:
    loop = (
        "for (int number = 1; number < 32; number++) if (number != SIGCHLD && number != SIGCONT"
        " && number != SIGURG && number != SIGWINCH) signal(number, SIG_DFL);"
    )
    plain = explore(**runnable("c", HEADERS + RESETS_ALL.replace("RESET", "")))
    found = explore(**runnable("c", HEADERS + RESETS_ALL.replace("RESET", loop)))
    assert found.complete, found.reasons
    assert (found.schedules, found.outputs) == (plain.schedules, plain.outputs)


# What is pending of a signal that nobody notices by default is thrown away by that: signal(7).
THROWS_AWAY_OR_NOT = """\
int main(void) {
    sigset_t waiting;
    block(SIGCHLD);
    if (fork() == 0) _exit(0);
    signal(SIGCHLD, SIG_DFL);
    wait(NULL);
    sigpending(&waiting);
    put(sigismember(&waiting, SIGCHLD) ? "waits\\n" : "was thrown away\\n");
}
"""
STOPS_CATCHING_IN_TIME_OR_NOT = """\
int main(void) {
    int go[2], end = pipe(go);
    signal(SIGUSR1, caught);
    if (fork() == 0) {
        char word;
        if (read(go[0], &word, 1) == 1) kill(getppid(), SIGUSR1);
        _exit(end);
    }
    if (write(go[1], "!", 1) != 1) return 1;
    signal(SIGUSR1, SIG_DFL);
    wait(NULL);
}
"""


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (THROWS_AWAY_OR_NOT, {"waits 0", "was thrown away 0"}),
        (STOPS_CATCHING_IN_TIME_OR_NOT, {"caught 0", " SIGUSR1"}),
    ],
)
def test_what_can_be_told_is_a_step(body: str, ends: set[str], runnable: Runnable) -> None:
    found = explore(**runnable("c", HEADERS + body))
    assert found.complete, found.reasons
    assert ends_of(found) == ends


HANDLES = """\
int main(void) {
    struct sigaction action = {.sa_handler = caught, .sa_flags = FLAGS};
    sigaction(SIGUSR1, &action, NULL);
    if (fork() == 0) {
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    while (wait(NULL) < 0) {}
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    put("done\\n");
}
"""


def test_a_handler_that_is_for_one_signal_is_not_minded_after_that(runnable: Runnable) -> None:
    """By SA_RESETHAND. Else to set the default would be a step: others may be before it, or after it."""
    once = explore(**runnable("c", HEADERS + HANDLES.replace("FLAGS", "SA_RESETHAND")))
    always = explore(**runnable("c", HEADERS + HANDLES.replace("FLAGS", "0")))
    assert once.complete and always.complete, (once.reasons, always.reasons)
    assert once.outputs == always.outputs == ("caught\ndone\n",)
    assert once.states < always.states


def test_who_looks_where_its_own_program_is_sees_nobody_else(runnable: Runnable) -> None:
    body = """
int main(void) {
    char path[4096];
    if (fork() == 0) _exit(0);
    put(readlink("/proc/self/exe", path, sizeof path) > 0 ? "found\\n" : "none\\n");
    wait(NULL);
}
"""
    found = explore(**runnable("c", HEADERS + body))
    assert found.complete, found.reasons
    assert found.outputs == ("found\n",)
