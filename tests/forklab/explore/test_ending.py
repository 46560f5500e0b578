"""What others can tell of who ends comes in two steps: what it has open is closed, and then it is dead."""

from __future__ import annotations

import pytest
from programs import Runnable

from forklab.explore import Exploration, explore

HEAD = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
static int ends[2], other[2];
static char letter;
static void say(const char *text) { if (write(1, text, 1) != 1) _exit(9); }
static void look(void) { say(waitpid(-1, NULL, WNOHANG) > 0 ? "1" : "0"); }
static void heard(int number) { (void)number; say("h"); }
static void hear_end(int file) { if (read(file, &letter, 1) > 0) say("?"); }
"""
PIPE = "if (pipe(ends)) return 8;"


def explored(runnable: Runnable, body: str) -> Exploration:
    return explore(**runnable("c", f"{HEAD}\nint main(void) {{ {body} }}"))


TOLD = {
    "a pipe, and a wait that does not wait": (
        f"{PIPE} if (fork() == 0) _exit(0); close(ends[1]); hear_end(ends[0]); look();",
        {"0", "1"},
    ),
    "a pipe, and SIGCHLD": (
        f"""signal(SIGCHLD, heard); {PIPE}
        if (fork() == 0) _exit(0);
        close(ends[1]); hear_end(ends[0]); say("e"); wait(NULL);""",
        {"he", "eh"},
    ),
    "a pipe, and whose child it is": (
        f"""{PIPE}
        if (fork() == 0) {{
            pid_t parent = getpid();
            if (fork() == 0) {{ close(ends[1]); hear_end(ends[0]); say(getppid() == parent ? "1" : "0"); }}
            _exit(0);
        }}
        close(ends[0]); close(ends[1]); wait(NULL);""",
        {"0", "1"},
    ),
    "a pipe, and a younger one that is reaped first": (
        f"""{PIPE}
        pid_t elder = fork();
        if (elder == 0) _exit(0);
        if (fork() == 0) {{ close(ends[1]); hear_end(ends[0]); _exit(0); }}
        close(ends[0]); close(ends[1]);
        say(wait(NULL) == elder ? "e" : "y"); wait(NULL);""",
        {"e", "y"},
    ),
    "a socketpair": (
        """if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return 8;
        if (fork() == 0) _exit(0);
        close(ends[1]); hear_end(ends[0]); look();""",
        {"0", "1"},
    ),
    "a lock": (
        f"""{PIPE} int file = open("lock", O_CREAT | O_RDWR, 0600);
        if (fork() == 0) {{ flock(open("lock", O_RDWR), LOCK_EX); write(ends[1], "x", 1); _exit(0); }}
        read(ends[0], &letter, 1); flock(file, LOCK_EX); look();""",
        {"0", "1"},
    ),
    # From its exit on nothing reaches it any more.
    "a pipe, and SIGKILL to who has closed it": (
        f"""signal(SIGCHLD, heard); {PIPE}
        int status; pid_t child = fork();
        if (child == 0) _exit(3);
        close(ends[1]); hear_end(ends[0]); kill(child, SIGTERM); kill(child, SIGKILL);
        waitpid(child, &status, 0); say(WIFEXITED(status) ? "x" : "k");""",
        {"hx"},
    ),
    "a wait for it alone tells nothing": (
        f'{PIPE} if (fork() == 0) _exit(0); close(ends[1]); hear_end(ends[0]); wait(NULL); say("w");',
        {"w"},
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_others_may_act_in_between(name: str, runnable: Runnable, folder: object) -> None:
    body, outputs = TOLD[name]
    found = explored(runnable, body)
    assert set(found.outputs) == outputs
    assert found.complete, found.reasons


NOT_MODELLED = {
    "is ended by a signal, and others may see": f"""{PIPE}
        pid_t child = fork();
        if (child == 0) {{ pause(); _exit(0); }}
        close(ends[1]); kill(child, SIGKILL); hear_end(ends[0]); look();""",
    "ends after vfork": "if (vfork() == 0) _exit(0); look();",
    "SEM_UNDO": f"""{PIPE}
        struct sembuf take = {{0, -1, SEM_UNDO}};
        int one = semget(IPC_PRIVATE, 1, 0600); semctl(one, 0, SETVAL, 1);
        if (fork() == 0) {{ semop(one, &take, 1); write(ends[1], "x", 1); _exit(0); }}
        read(ends[0], &letter, 1); semop(one, &take, 1); look(); semctl(one, 0, IPC_RMID);""",
}


@pytest.mark.parametrize("words", NOT_MODELLED)
def test_where_it_is_not_two_steps_nothing_is_claimed(words: str, runnable: Runnable) -> None:
    found = explored(runnable, NOT_MODELLED[words])
    assert not found.complete
    assert any(words in reason for reason in found.reasons), found.reasons


def test_who_cannot_be_told_from_its_end_ends_in_one_step(runnable: Runnable) -> None:
    body = f'{PIPE} if (fork() == 0) _exit(0); close(ends[1]); hear_end(ends[0]); wait(NULL); say("w");'
    assert not any(
        "closes all" in step.does for step in explored(runnable, body).outcomes[0].schedule
    )
