"""POSIX semaphores, which nobody sees in system calls: every order of what is done to them is found, and no other."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from programs import Runnable
from sampled import every_other

from forklab.explore import explore
from forklab.explore.exploration import Exploration
from forklab.lens.record import record

pytestmark = pytest.mark.usefixtures("folder")

HEAD = """\
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void say(const char *word) { if (write(1, word, strlen(word)) < 0) _exit(9); }
static char *name(const char *word) { /* Each test has a folder of its own, and names of its own. */
    static char text[80];
    struct stat here;
    if (stat(".", &here)) _exit(8);
    sprintf(text, "/forklab-%lu-%s", here.st_ino, word);
    return text;
}
static sem_t *make(const char *word, unsigned value) {
#ifdef UNNAMED
    (void)word;
    sem_t *made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sem_init(made, 1, value)) _exit(8);
#else
    sem_t *made = sem_open(name(word), O_CREAT | O_EXCL, 0600, value);
    if (made == SEM_FAILED || sem_unlink(name(word))) _exit(8);
#endif
    return made;
}
static int value_of(sem_t *semaphore) {
    int value;
    return sem_getvalue(semaphore, &value) ? -1 : value;
}
static void hear(int number) { (void)number; say("h"); }
static void on(int number, int flags) {
    struct sigaction action = {.sa_handler = hear, .sa_flags = flags};
    sigaction(number, &action, NULL);
}
"""


class Case(NamedTuple):
    """The body of main(), and all that it can print. Nothing is left behind."""

    body: str
    outputs: set[str]


CASES = {
    "one at a time": Case(
        """
        sem_t *mutex = make("mutex", 1);
        if (fork() == 0) { sem_wait(mutex); say("a"); say("b"); sem_post(mutex); _exit(0); }
        sem_wait(mutex); say("c"); say("d"); sem_post(mutex);
        wait(NULL);
        """,
        {"abcd", "cdab"},
    ),
    "two at a time, of three": Case(
        """
        sem_t *places = make("places", 2);
        for (int i = 0; i < 2; i++)
            if (fork() == 0) { sem_wait(places); say("("); say(")"); sem_post(places); _exit(0); }
        sem_wait(places); say("("); say(")"); sem_post(places);
        while (wait(NULL) > 0) {}
        """,
        {"()()()", "()(())", "(())()", "(()())"},
    ),
    "with two, one after the other in turn": Case(
        """
        sem_t *ping = make("ping", 0), *pong = make("pong", 0);
        if (fork() == 0) {
            for (int i = 0; i < 2; i++) { sem_wait(ping); say("o"); sem_post(pong); }
            _exit(0);
        }
        for (int i = 0; i < 2; i++) { say("i"); sem_post(ping); sem_wait(pong); }
        wait(NULL);
        """,
        {"ioio"},
    ),
    "producer and consumer with one place": Case(
        """
        sem_t *empty = make("empty", 1), *full = make("full", 0);
        if (fork() == 0) {
            for (int i = 0; i < 3; i++) { sem_wait(full); say("-"); sem_post(empty); }
            _exit(0);
        }
        for (int i = 0; i < 3; i++) { sem_wait(empty); say("+"); sem_post(full); }
        wait(NULL);
        """,
        {"+-+-+-"},
    ),
    "producer and consumer with two places": Case(
        """
        sem_t *empty = make("empty", 2), *full = make("full", 0);
        if (fork() == 0) {
            for (int i = 0; i < 3; i++) { sem_wait(full); say("-"); sem_post(empty); }
            _exit(0);
        }
        for (int i = 0; i < 3; i++) { sem_wait(empty); say("+"); sem_post(full); }
        wait(NULL);
        """,
        {"+-+-+-", "+-++--", "++--+-", "++-+--"},
    ),
    "to try is to be told no at once": Case(
        """
        sem_t *mutex = make("mutex", 1);
        if (fork() == 0) { say(sem_trywait(mutex) == 0 ? "c" : errno == EAGAIN ? "-" : "?"); _exit(0); }
        say(sem_trywait(mutex) == 0 ? "p" : errno == EAGAIN ? "-" : "?");
        wait(NULL);
        """,
        {"c-", "-c", "p-", "-p"},
    ),
    "its value is what has been done to it by then": Case(
        """
        sem_t *count = make("count", 1);
        if (fork() == 0) { sem_post(count); sem_post(count); _exit(0); }
        printf("%d", value_of(count));
        wait(NULL);
        printf("%d", value_of(count));
        """,
        {"13", "23", "33"},
    ),
    "opened by its name in each process": Case(
        """
        char *shared = name("shared");
        sem_unlink(shared);
        if (fork() == 0) {
            sem_t *mine = sem_open(shared, O_CREAT, 0600, 0);
            say("c"); sem_post(mine);
            _exit(0);
        }
        sem_t *mine = sem_open(shared, O_CREAT, 0600, 0);
        sem_wait(mine); say("p");
        wait(NULL);
        sem_unlink(shared);
        """,
        {"cp"},
    ),
    "who makes it first decides its value": Case(
        """
        char *shared = name("shared");
        if (fork() == 0) { sem_open(shared, O_CREAT, 0600, 3); _exit(0); }
        sem_t *mine = sem_open(shared, O_CREAT, 0600, 5);
        printf("%d", value_of(mine));
        wait(NULL);
        sem_unlink(shared);
        """,
        {"3", "5"},
    ),
    "another one has its name": Case(
        """
        char *shared = name("shared");
        sem_t *old = sem_open(shared, O_CREAT, 0600, 1);
        if (fork() == 0) {
            sem_unlink(shared);
            sem_t *other = sem_open(shared, O_CREAT, 0600, 2);
            sem_post(other); sem_unlink(shared);
            printf("%d", value_of(other)); fflush(stdout);
            _exit(0);
        }
        sem_wait(old);
        wait(NULL);
        printf("%d", value_of(old));
        """,
        {"30"},
    ),
    "to wait until a moment": Case(
        """
        sem_t *late = make("late", 0);
        struct timespec moment;
        if (fork() == 0) { sleep(2); sem_post(late); _exit(0); }
        clock_gettime(CLOCK_REALTIME, &moment);
        moment.tv_sec += 1;
        say(sem_timedwait(late, &moment) == 0 ? "y" : errno == ETIMEDOUT ? "n" : "?");
        clock_gettime(CLOCK_MONOTONIC, &moment);
        moment.tv_sec += 2;
        say(sem_clockwait(late, CLOCK_MONOTONIC, &moment) == 0 ? "y" : errno == ETIMEDOUT ? "n" : "?");
        wait(NULL);
        """,
        {"ny"},
    ),
    "a moment that is none is an error": Case(
        """
        sem_t *none = make("none", 0);
        struct timespec moment = {1, -1};
        if (fork() == 0) { sem_post(none); _exit(0); }
        say(sem_timedwait(none, &moment) < 0 && errno == EINVAL ? "e" : "?");
        wait(NULL);
        """,
        {"e"},
    ),
    "a handler ends the waiting, or comes before it, or after it": Case(
        """
        sem_t *none = make("none", 0);
        on(SIGUSR1, 0);
        if (fork() == 0) { kill(getppid(), SIGUSR1); sem_post(none); _exit(0); }
        say(sem_wait(none) == 0 ? "0" : errno == EINTR ? "e" : "?");
        wait(NULL);
        printf("%d", value_of(none));
        """,
        {"he1", "h00"},
    ),
    "a handler with SA_RESTART does not end it": Case(
        """
        sem_t *none = make("none", 0);
        on(SIGUSR1, SA_RESTART);
        if (fork() == 0) { kill(getppid(), SIGUSR1); sem_post(none); _exit(0); }
        say(sem_wait(none) == 0 ? "0" : errno == EINTR ? "e" : "?");
        wait(NULL);
        """,
        {"h0"},
    ),
    "but if there is a limit": Case(
        """
        sem_t *none = make("none", 0);
        struct timespec moment;
        clock_gettime(CLOCK_REALTIME, &moment);
        moment.tv_sec += 1;
        on(SIGUSR1, SA_RESTART);
        if (fork() == 0) { kill(getppid(), SIGUSR1); _exit(0); }
        say(sem_timedwait(none, &moment) == 0 ? "0" : errno == EINTR ? "e" : errno == ETIMEDOUT ? "t" : "?");
        """,
        {"he", "ht"},
    ),
    "who waits for a handler can miss it": Case(
        """
        sem_t *none = make("none", 0);
        on(SIGUSR1, 0);
        pid_t child = fork();
        if (child == 0) { if (sem_wait(none) < 0) say("c"); _exit(0); }
        kill(child, SIGUSR1);
        """,
        {"h", "hc"},
    ),
    "who is killed keeps what it has": Case(
        """
        sem_t *mutex = make("mutex", 1);
        pid_t child = fork();
        if (child == 0) { sem_wait(mutex); say("a"); sem_post(mutex); _exit(0); }
        kill(child, SIGKILL);
        wait(NULL);
        say(sem_trywait(mutex) == 0 ? "0" : "1");
        """,
        {"0", "1", "a1", "a0"},
    ),
    "one that nobody else has": Case(
        """
        sem_t own, *other = make("other", 0);
        sem_init(&own, 0, 1);
        if (fork() == 0) { sem_wait(&own); say("c"); sem_post(other); _exit(0); }
        sem_wait(&own); sem_wait(other); say("p");
        wait(NULL);
        """,
        {"cp"},
    ),
    "after execve there are none": Case(
        """
        sem_t *mutex = make("mutex", 0);
        if (fork() == 0) { sem_post(mutex); execlp("echo", "echo", "-n", "e", NULL); _exit(1); }
        sem_wait(mutex);
        wait(NULL);
        say("p");
        """,
        {"ep"},
    ),
}


def explored(body: str, runnable: Runnable, head: str = HEAD) -> Exploration:
    program = runnable("c", head + f"int main(void) {{ {body} return 0; }}")
    return explore(**program, text_only=True)


def files_of(folder: Path) -> list[str]:
    return [name for name in os.listdir("/dev/shm") if f"-{folder.stat().st_ino}-" in name]


@pytest.mark.parametrize("case", every_other(CASES))
def test_every_order_is_found_and_no_other(case: str, runnable: Runnable, folder: Path) -> None:
    found = explored(CASES[case].body, runnable)
    assert (set(found.outputs), found.reasons) == (CASES[case].outputs, ())
    assert not files_of(folder)


def test_the_value_of_one_that_is_there_already_is_put_back(
    runnable: Runnable, folder: Path
) -> None:
    there = Path(f"/dev/shm/sem.forklab-{folder.stat().st_ino}-there")
    before = bytes([4, *[0] * 7, 128, *[0] * 23])  # as sem_open(3) has written it
    there.write_bytes(before)
    try:
        body = """
            sem_t *mine = sem_open(name("there"), 0);
            if (fork() == 0) { sem_post(mine); _exit(0); }
            wait(NULL);
            printf("%d", value_of(mine));
        """
        found = explored(body, runnable)
        assert there.read_bytes() == before
    finally:
        there.unlink()
    assert (found.outputs, found.reasons) == (("5",), ())


def test_a_deadlock_says_who_waits_for_which(runnable: Runnable) -> None:
    body = """
        sem_t *a = make("a", 1), *b = make("b", 1);
        if (fork() == 0) { sem_wait(b); sem_wait(a); say("c"); sem_post(a); sem_post(b); _exit(0); }
        sem_wait(a); sem_wait(b); say("p"); sem_post(b); sem_post(a);
        wait(NULL);
    """
    found = explored(body, runnable)
    assert (set(found.outputs), found.reasons) == ({"", "cp", "pc"}, ())
    (stuck,) = (outcome for outcome in found.outcomes if outcome.deadlock)
    waits = {who: what.rpartition("-")[2] for who, what in stuck.waits}
    assert waits == {"P": "b", "P.1": "a"}
    assert all(
        what.startswith("waits in sem_wait until somebody posts /") for _, what in stuck.waits
    )


def test_a_post_that_was_forgotten_is_a_deadlock(runnable: Runnable) -> None:
    body = """
        sem_t *done = make("done", 0);
        if (fork() == 0) { say("c"); _exit(0); }
        sem_wait(done);
        say("p");
    """
    (outcome,) = explored(body, runnable).outcomes
    assert (outcome.output, outcome.deadlock) == ("c", ("P",))


def test_a_schedule_can_be_taken_again(runnable: Runnable) -> None:
    program = runnable("c", HEAD + f"int main(void) {{ {CASES['one at a time'].body} }}")
    for outcome in explore(**program).outcomes:
        assert (
            record(program["argv"], program=program["program"], schedule=outcome.replay).output
            == outcome.output
        )


STATIC = """
    sem_t *done = make("done", 0);
    if (fork() == 0) { say("c"); sem_post(done); _exit(0); }
    sem_wait(done); say("p");
    wait(NULL);
"""


def test_a_program_that_is_linked_statically_is_no_other(folder: Path) -> None:
    Path("static.c").write_text(HEAD + f"int main(void) {{ {STATIC} return 0; }}")
    done = subprocess.run(["cc", "-static", "-o", "static", "static.c"], capture_output=True)
    if done.returncode:
        pytest.skip("needs a static C library")
    found = explore(["./static"], text_only=True)
    assert (found.outputs, found.reasons) == (("cp",), ())


UNNAMED = [
    "one at a time",
    "two at a time, of three",
    "producer and consumer with two places",
    "to try is to be told no at once",
    "its value is what has been done to it by then",
    "to wait until a moment",
    "a handler with SA_RESTART does not end it",
    "who is killed keeps what it has",
]


@pytest.mark.parametrize("case", every_other(UNNAMED))
def test_in_memory_with_nothing_else_they_do_the_same(case: str, runnable: Runnable) -> None:
    found = explored(CASES[case].body, runnable, "#define UNNAMED\n" + HEAD)
    assert (set(found.outputs), found.reasons) == (CASES[case].outputs, ())


def test_several_are_told_apart_in_one_memory(runnable: Runnable) -> None:
    body = """
        sem_t *both = mmap(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        sem_init(both, 1, 1);
        sem_init(both + 1, 1, 1);
        if (fork() == 0) { sem_wait(both + 1); sem_wait(both); _exit(0); }
        sem_wait(both); sem_wait(both + 1);
    """
    (stuck,) = (
        outcome for outcome in explored(body, runnable).outcomes if len(outcome.deadlock) > 1
    )
    waits = {who: what.rpartition(" ")[2] for who, what in stuck.waits}
    assert waits == {"P": "P/2", "P.1": "P/1"}


MEMORY = """
    struct { sem_t semaphore; char text[9]; int count; } *shared = mmap(
        NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sem_t *mine = &shared->semaphore;
    sem_init(mine, 1, 0);
"""
# What is done in such memory beside semaphores: the program does it as ever, and what is said is that it shares memory.
BESIDE = {
    "it is written to": ("shared->count = 1;", "x"),
    "it is read": ('if (shared->count == 0) say("0");', "0x"),
    "the kernel reads it": ('if (write(1, shared->text, 0) == 0) say("w");', "wx"),
    "the kernel reads it in pieces": (
        'struct iovec piece = {shared->text, 0}; if (writev(1, &piece, 1) == 0) say("v");',
        "vx",
    ),
    "the kernel writes to it": (
        'if (read(open("/dev/zero", O_RDONLY), shared->text, 9) == 9) say("r");',
        "rx",
    ),
    "it is opened": (
        'if (mprotect(shared, sizeof *shared, PROT_READ | PROT_WRITE) == 0) say("m");',
        "mx",
    ),
    "a semaphore is made anew there": ("sem_init(mine + 1, 1, 0);", "x"),
    "a semaphore of one process is there": ("sem_init(mine, 0, 0);", "x"),
}


@pytest.mark.parametrize("what", BESIDE)
def test_memory_with_something_else_is_shared_memory(what: str, runnable: Runnable) -> None:
    does, output = BESIDE[what]
    body = f"""
        {MEMORY}
        if (fork() == 0) {{ {does} sem_post(mine); _exit(0); }}
        while (sem_wait(mine)) {{}}
        say("x");
        wait(NULL);
    """
    found = explored(body, runnable)
    assert any(known.startswith("it shares memory") for known in found.reasons), found.reasons
    assert output in found.outputs


# What of it is not modelled, and what is said then.
NOT_MODELLED = {
    "it shares memory": f"""
        {MEMORY}
        on(SIGUSR1, 0);
        if (fork() == 0) {{ kill(getppid(), SIGUSR1); sem_post(mine); _exit(0); }}
        sem_wait(mine);
    """,
    "A signal comes for one of several who wait for /forklab-": """
        sem_t *none = make("none", 0);
        pid_t child = fork();
        if (child == 0) { sem_wait(none); _exit(0); }
        if (fork() == 0) { sem_wait(none); say("o"); _exit(0); }
        sem_post(none);
        kill(child, SIGKILL);
    """,
    "signals come for P.1 in sem_wait, some of which end it": """
        sem_t *none = make("none", 0);
        on(SIGUSR1, 0);
        on(SIGUSR2, SA_RESTART);
        pid_t child = fork();
        if (child == 0) { sem_wait(none); _exit(0); }
        kill(child, SIGUSR1);
        kill(child, SIGUSR2);
    """,
}


@pytest.mark.parametrize("reason", NOT_MODELLED)
def test_what_is_not_modelled_is_said(reason: str, runnable: Runnable) -> None:
    found = explored(NOT_MODELLED[reason], runnable)
    assert any(known.startswith(reason) for known in found.reasons), found.reasons


def test_who_does_their_work_without_them_is_not_taken_for_one_who_asks(runnable: Runnable) -> None:
    """A file that is called as one, which the program maps by itself."""
    body = """
        char path[99];
        sprintf(path, "/dev/shm/sem.%s", name("own") + 1);
        int file = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (file < 0 || ftruncate(file, 32)) return 1;
        sem_t *mine = mmap(NULL, 32, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        unlink(path);
        sem_open(name("none"), 0);
        if (fork() == 0) { sem_post(mine); _exit(0); }
        say(*(volatile int *)mine ? "1" : "0");
    """
    assert "it shares memory" in " ".join(explored(body, runnable).reasons)
