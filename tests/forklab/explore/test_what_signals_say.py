"""Who catches a signal by SA_SIGINFO, or waits for one, learns more than its number: that makes a difference too."""

from __future__ import annotations

import pytest
from programs import Runnable

from forklab.explore import explore
from forklab.explore.graph import explore_graph
from forklab.explore.replays import Replays

pytestmark = pytest.mark.usefixtures("folder")

# Two children race, and a third one makes a secret of who was first: only the signal says it.
TEXT = """\
#define _GNU_SOURCE
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(int number) {{
    char letter = (char)number;
    if (write(1, &letter, 1) < 0) _exit(9);
}}
static void told(int number, siginfo_t *about, void *context) {{
    (void)number, (void)context;
    say({value});
}}
int main(void) {{
    struct sigaction action = {{.sa_flags = SA_SIGINFO, .sa_sigaction = told}};
    sigset_t mask;
    siginfo_t about;
    pid_t parent = getpid();
    int ends[2];
    char letters[2];
    sigemptyset(&mask);
    sigaddset(&mask, {signal});
    sigprocmask(SIG_BLOCK, &mask, NULL);
    if (pipe(ends)) return 1;
    if (fork() == 0) _exit(write(ends[1], "a", 1) != 1);
    if (fork() == 0) _exit(write(ends[1], "b", 1) != 1);
    {before}
    pid_t teller = fork();
    if (teller == 0) {{
        if (read(ends[0], letters, 1) != 1 || read(ends[0], letters + 1, 1) != 1) _exit(9);
        {tells}
    }}
    waitpid(teller, NULL, 0);
    (void)told, (void)action, (void)about, (void)parent;
    {learns}
    return 0;
}}
"""
QUEUES = "sigqueue(parent, SIGUSR1, (union sigval){.sival_int = letters[0]}); _exit(0);"
CATCHES = "sigaction({}, &action, NULL); sigprocmask(SIG_UNBLOCK, &mask, NULL);"
# The others are zombies by then, and SIGCHLD waits only once.
REAPS = "wait(NULL); wait(NULL); sigwaitinfo(&mask, &about);"
WAYS = {
    "a value, in a handler": ("SIGUSR1", "about->si_value.sival_int", "", QUEUES, CATCHES),
    "a value, by sigwaitinfo": (
        "SIGUSR1",
        "0",
        "",
        QUEUES,
        "sigwaitinfo(&mask, &about); getppid(); say(about.si_value.sival_int);",
    ),
    "the status of a child": (
        "SIGCHLD",
        "about->si_status",
        REAPS,
        "_exit(letters[0]);",
        CATCHES,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_signal_says_what_only_its_sender_knew(way: str, runnable: Runnable) -> None:
    number, value, before, tells, learns = WAYS[way]
    text = TEXT.format(
        signal=number, value=value, before=before, tells=tells, learns=learns.format(number)
    )
    found = explore(**runnable("c", text), text_only=True)
    assert (set(found.outputs), found.reasons) == ({"a", "b"}, ())


WAITS_FOR_TWO = """\
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {{
    sigset_t mask;
    siginfo_t about;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    for (int i = 0; i < 2; i++) if (fork() == 0) _exit(0);
    sigwaitinfo(&mask, {about});
    (void)about;
    return 0;
}}
"""


@pytest.mark.parametrize(("about", "ends"), [("NULL", 1), ("&about", 2)])
def test_who_wants_the_number_alone_cannot_tell_who_has_sent_it(
    about: str, ends: int, runnable: Runnable
) -> None:
    """Whoever has died first: with both dead, all of these states are one."""
    with Replays(**runnable("c", WAITS_FOR_TWO.format(about=about))) as replays:
        graph = explore_graph(replays)
        while replays.are_void:
            replays.begin_anew()
            graph = explore_graph(replays)
    waiting = {
        state["pending", "P"]
        for state in (graph.situation(key).state for key in graph.steps)
        if ("at", "P") in state
    }
    assert len(waiting - {()}) == ends
