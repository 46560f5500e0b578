"""Children that end become no zombies where their parent ignores SIGCHLD, or has set SA_NOCLDWAIT: wait(2), NOTES.

Each program prints what its waits answer, the same under the lens and without it; and the history says who took whom
away.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forklab.draw.trees.text import tree_text
from forklab.explore.explore import explore
from forklab.lens.record import Recording, record

Compile = Callable[[str], str]

HEAD = """
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile sig_atomic_t heard;
static void note(int number) { (void)number; heard++; }
static void tell(pid_t child, int status) {
    printf("%s %d heard %d\\n", child > 0 ? "a child" : strerror(errno), status, heard);
    fflush(stdout);
}
static void wait_and_tell(void) { int status = -1; pid_t child = wait(&status); tell(child, status); }
static void arrange(void (*handler)(int), int flags) {
    struct sigaction action = {.sa_flags = flags};
    action.sa_handler = handler;
    sigaction(SIGCHLD, &action, NULL);
}
int main(int count, char **words) { (void)count; (void)words; (void)note; (void)wait_and_tell;
"""

# What each does, and who is collected by the kernel.
PROGRAMS = {
    "it ignores SIGCHLD, and waits for all of them in vain": (
        """
        arrange(SIG_IGN, 0);
        for (int i = 0; i < 3; i++) if (fork() == 0) { usleep(20000 * (i + 1)); _exit(i); }
        wait_and_tell();
        usleep(20000);
        """,
        {"P.1", "P.2", "P.3"},
    ),
    "the zombie was there before": (
        """
        if (fork() == 0) _exit(3);
        usleep(50000);
        arrange(SIG_IGN, 0);
        wait_and_tell();
        """,
        set(),
    ),
    "a handler with SA_NOCLDWAIT still hears of it": (
        """
        arrange(note, SA_NOCLDWAIT | SA_RESTART);
        if (fork() == 0) { usleep(20000); _exit(3); }
        wait_and_tell();
        """,
        {"P.1"},
    ),
    "SA_NOCLDWAIT alone is enough, and is lost in an exec": (
        """
        if (count == 1) arrange(SIG_DFL, SA_NOCLDWAIT);
        if (fork() == 0) { usleep(20000); _exit(3); }
        wait_and_tell();
        if (count == 1) execl(words[0], words[0], "again", NULL);
        """,
        {"P.1"},
    ),
    "an orphan's new parent ignores it: the orphan is a zombie by then": (
        """
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        arrange(SIG_IGN, 0);
        if (fork() == 0) {
            arrange(SIG_DFL, 0);
            if (fork() == 0) _exit(7);
            usleep(50000);
            _exit(3);
        }
        wait_and_tell();
        """,
        {"P.1", "P.1.1"},
    ),
    "or it lives on": (
        """
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        arrange(SIG_IGN, 0);
        if (fork() == 0) {
            arrange(SIG_DFL, 0);
            if (fork() == 0) { usleep(50000); _exit(7); }
            _exit(3);
        }
        wait_and_tell();
        """,
        {"P.1", "P.1.1"},
    ),
    "who looks with WNOHANG until there is nobody": (
        """
        int status = -1;
        arrange(SIG_IGN, 0);
        if (fork() == 0) _exit(3);
        if (fork() == 0) { usleep(20000); _exit(4); }
        while (waitpid(-1, &status, WNOHANG) >= 0) usleep(1000);
        tell(-1, status);
        """,
        {"P.1", "P.2"},
    ),
}


def collected(seen: Recording) -> set[str]:
    return {e.process for e in seen.history.events if e.kind == "reaped" and e.by == "kernel"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_they_vanish_as_they_do_untraced_and_the_history_says_so(
    compiled: Compile, name: str
) -> None:
    body, unwanted = PROGRAMS[name]
    program = compiled(HEAD + body + "return 0; }")
    untraced = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    for seed in range(3):
        seen = record([program], seed=seed)
        assert (seen.output, collected(seen)) == (untraced, unwanted)
    seen = record([program], real_time=True)
    assert (seen.output, collected(seen)) == (untraced, unwanted)


def test_one_that_waits_in_real_time_has_reaped_it_itself(compiled: Compile) -> None:
    """It may have done so before the lens looks."""
    program = compiled(HEAD + "if (fork() == 0) _exit(3); wait_and_tell(); return 0; }")
    for _ in range(5):
        assert collected(record([program], real_time=True)) == set()


RACE = "if (fork() == 0) _exit(3); %s wait_and_tell(); return 0; }"


@pytest.mark.parametrize("handler", ["SIG_IGN, 0", "SIG_DFL, SA_NOCLDWAIT"])
def test_whether_the_child_or_the_disposition_comes_first_is_explored(
    compiled: Compile, tmp_path: Path, handler: str
) -> None:
    program = compiled(HEAD + RACE % f"arrange({handler});")
    found = explore([program])
    assert found.complete
    assert [o.output.split(" heard")[0] for o in found.outcomes] == [
        "No child processes -1",
        "a child 768",
    ]
    (vain, _) = found.outcomes
    assert "P.1 exits 3, and the kernel collects it: P wants no zombies" in [
        step.does for step in vain.schedule
    ]


def test_the_tree_says_who_took_it_away(compiled: Compile) -> None:
    body, _ = PROGRAMS["who looks with WNOHANG until there is nobody"]
    seen = record([compiled(HEAD + body + "return 0; }")])
    assert "P.1(1001) exited 3 · collected by the kernel" in tree_text(seen.tree)
