"""Changes of the signal mask are steps only where it makes a difference when they come."""

from __future__ import annotations

import pytest
from programs import OWN, TABLE, Case, Runnable, ends_of

from forklab.explore import explore
from forklab.explore.graph import explore_graph
from forklab.explore.replays import Replays

HEADERS = """\
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void put(const char *text) { if (write(1, text, strlen(text)) < 0) abort(); }
static void change(int how, int one, int other) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, one);
    sigaddset(&set, other);
    sigprocmask(how, &set, NULL);
}
"""
# As glibc has it from 2.41 on, and musl.
NEW_FORK = """\
#include <signal.h>
#include <unistd.h>
static pid_t new_fork(void) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}
#define fork new_fork
"""
SAMPLE = ("two_lines_each", "the_handler_reaps_once", "a_signal_before_its_handler")
FORKING = [
    pytest.param(case, marks=[] if case.name in SAMPLE else [pytest.mark.slow], id=case.name)
    for case in (*TABLE, *OWN)
    if case.language == "c" and "fork" in case.text
]


@pytest.mark.parametrize("case", FORKING)
def test_a_fork_that_blocks_all_signals_meanwhile_changes_nothing(
    case: Case, runnable: Runnable
) -> None:
    before = explore(**runnable("c", case.text))
    found = explore(**runnable("c", NEW_FORK + case.text))
    assert found.complete, found.reasons
    assert {(o.output, o.end) for o in found.outcomes} == {
        (o.output, o.end) for o in before.outcomes
    }
    if not any("signals of" in name for o in found.outcomes for name in o.grain.shared):
        assert found.schedules == before.schedules


BLOCKS_IN_TIME_OR_NOT = """\
int main(void) {
    int go[2], end = pipe(go);
    if (fork() == 0) {
        char word;
        if (read(go[0], &word, 1) == 1) kill(getppid(), SIGTERM);
        _exit(end);
    }
    if (write(go[1], "!", 1) != 1) return 1;
    change(SIG_BLOCK, SIGTERM, SIGTERM);
    put("blocked\\n");
    change(SIG_UNBLOCK, SIGTERM, SIGTERM);
    put("unblocked\\n");
    wait(NULL);
}
"""
KEEPS_WHAT_IT_IGNORES_OR_NOT = """\
int main(void) {
    int go[2], end = pipe(go);
    sigset_t waiting;
    if (fork() == 0) {
        char word;
        _exit(read(go[0], &word, 1) != 1);
    }
    if (write(go[1], "!", 1) != 1) return 1;
    change(SIG_BLOCK, SIGCHLD, SIGCHLD);
    wait(NULL);
    sigpending(&waiting);
    put(sigismember(&waiting, SIGCHLD) ? "waits\\n" : "was dropped\\n");
    return end;
}
"""
# SIGUSR1 comes when SIGUSR2 waits already: if it comes before both are let in, it is the one that kills.
IS_KILLED_BY_ONE_OR_THE_OTHER = """\
int main(void) {
    int sent[2], go[2], end = pipe(sent) + pipe(go);
    char word = '!';
    change(SIG_BLOCK, SIGUSR1, SIGUSR2);
    if (fork() == 0) {
        kill(getppid(), SIGUSR2);
        if (write(sent[1], &word, 1) == 1 && read(go[0], &word, 1) == 1) kill(getppid(), SIGUSR1);
        _exit(end);
    }
    if (read(sent[0], &word, 1) != 1 || write(go[1], &word, 1) != 1) return 1;
    change(SIG_UNBLOCK, SIGUSR1, SIGUSR2);
}
"""


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (BLOCKS_IN_TIME_OR_NOT, {" SIGTERM", "blocked SIGTERM", "blocked unblocked SIGTERM"}),
        (KEEPS_WHAT_IT_IGNORES_OR_NOT, {"waits 0", "was dropped 0"}),
        (IS_KILLED_BY_ONE_OR_THE_OTHER, {" SIGUSR1", " SIGUSR2"}),
    ],
)
def test_a_change_that_can_be_told_is_a_step(body: str, ends: set[str], runnable: Runnable) -> None:
    found = explore(**runnable("c", HEADERS + body))
    assert found.complete, found.reasons
    assert ends_of(found) == ends


REAPS = """\
static void reap(int number) { put(waitpid(-1, NULL, WNOHANG) > 0 ? "r\\n" : "n\\n"); (void)number; }
"""
CONTINUED_BEFORE_ITS_FORK = """\
int main(void) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGCHLD, reap);
        if (fork() == 0) _exit(3);
        _exit(1);
    }
    kill(child, SIGCONT);
}
"""
CONTINUED_BY_ITS_CHILD = """\
int main(void) {
    signal(SIGCHLD, reap);
    if (fork() == 0) {
        kill(getppid(), SIGCONT);
        _exit(3);
    }
}
"""


@pytest.mark.parametrize("body", [CONTINUED_BEFORE_ITS_FORK, CONTINUED_BY_ITS_CHILD])
def test_who_takes_a_signal_early_may_have_dropped_another_one_since(
    body: str, runnable: Runnable
) -> None:
    """It forks, with SIGCONT waiting while all is blocked; then it drops that, or takes SIGCHLD before."""
    with Replays(**runnable("c", HEADERS + REAPS + NEW_FORK + body), longest=1000) as replays:
        graph = explore_graph(replays)
        while replays.are_void:
            replays.begin_anew()
            graph = explore_graph(replays)
    assert graph.complete and not graph.learned.doubts


@pytest.mark.parametrize("prepared", ["", "signal(SIGUSR1, greet);"])
def test_what_it_ignores_is_dropped_also_where_another_signal_waits(
    prepared: str, runnable: Runnable
) -> None:
    """SIGCONT is dropped unless it comes when all is blocked, and SIGUSR1 may come just in time to be blocked."""
    body = """\
static void greet(int number) { put("hello "); (void)number; }
int main(void) {
    pid_t child;
    PREPARED
    if ((child = fork()) == 0) {
        sigset_t waiting;
        change(SIG_BLOCK, SIGUSR1, SIGCONT);
        sigpending(&waiting);
        put(sigismember(&waiting, SIGCONT) ? "cont " : "");
        put(sigismember(&waiting, SIGUSR1) ? "usr1 " : "");
        _exit(0);
    }
    kill(child, SIGCONT);
    kill(child, SIGUSR1);
    wait(NULL);
}
""".replace("PREPARED", prepared)
    found = explore(**runnable("c", HEADERS + body))
    assert found.complete, found.reasons
    early = {"hello "} if prepared else {""}
    assert set(found.outputs) == {"", "usr1 ", "cont ", "cont usr1 ", *early}
