"""PID namespaces that a program makes by itself: each process is known by the numbers that it uses."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest

from forklab.explore import explore
from forklab.lens.record import record

Compile = Callable[[str], str]

HEAD = """
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int from;
static void told(int number, siginfo_t *about, void *context) { (void)number; (void)context; from = about->si_pid; }
static void *leave(void *unused) { (void)unused; usleep(50000); exit(4); }
static int init(void) { return syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0); }
static void ends_with(int child) {
    int status;
    int mine = waitpid(child, &status, 0) == child;
    printf("%d %d %d\\n", mine, WIFEXITED(status) ? WEXITSTATUS(status) : -1, WTERMSIG(status));
    exit(0);
}
int main(void) {
    struct sigaction action = {.sa_sigaction = told, .sa_flags = SA_SIGINFO | SA_RESTART};
    siginfo_t about;
    int status, child;
    (void)leave; (void)about;
    setvbuf(stdout, NULL, _IONBF, 0);
"""
PROGRAMS = {
    "somebody outside kills it in the end": """
        if (unshare(CLONE_NEWPID)) return 77;
        if ((child = fork())) { sleep(1); printf("%d\\n", kill(child, SIGKILL)); ends_with(child); }
        if (fork() == 0) printf("%d\\n", kill(1, SIGKILL));
        for (;;) pause();
    """,
    "PID 1 and its children have their own numbers": """
        if (unshare(CLONE_NEWPID)) return 77;
        if ((child = fork())) ends_with(child);
        sigaction(SIGCHLD, &action, NULL);
        printf("%d %d\\n", getpid(), getppid());
        int one = fork();
        if (one == 0) { printf("%d %d\\n", getpid(), getppid()); for (;;) pause(); }
        usleep(500000);
        printf("%d %d %d\\n", one, kill(one, SIGTERM), kill(1000, 0));
        int reaped = waitpid(one, &status, 0);
        printf("%d %d %d\\n", reaped == one, WTERMSIG(status), from == one);
        int two = fork();
        if (two == 0) _exit(5);
        reaped = wait(&status);
        printf("%d %d %d\\n", reaped == two, WEXITSTATUS(status), from == two);
        if (fork() == 0) _exit(6);
        waitid(P_ALL, 0, &about, WEXITED);
        printf("%d %d\\n", about.si_pid, about.si_status);
        _exit(7);
    """,
    "groups, and everybody": """
        if ((child = init())) ends_with(child);
        int group = fork();
        if (group == 0) { setpgid(0, 0); if (fork() == 0) for (;;) pause(); for (;;) pause(); }
        usleep(500000);
        printf("%d\\n", kill(-group, SIGTERM));
        int reaped = waitpid(-group, &status, 0);
        printf("%d %d\\n", reaped == group, status);
        reaped = wait(&status);
        printf("%d %d\\n", reaped, status);
        if (fork() == 0) for (;;) pause();
        if (fork() == 0) { usleep(500000); kill(-1, SIGTERM); usleep(50000); _exit(9); }
        while ((reaped = wait(&status)) > 0) printf("%d %d\\n", reaped, status);
        _exit(3);
    """,
    "it ends with others alive below it": """
        if ((child = init())) ends_with(child);
        for (int number = 0; number < 3; number++) {
            if (fork()) continue;
            if (number == 1 && fork() == 0) for (;;) pause();
            if (number == 2) sleep(100);
            for (;;) pause();
        }
        if (fork() == 0) _exit(1);
        usleep(500000);
        _exit(3);
    """,
    "it is killed from outside": """
        if ((child = init())) { usleep(500000); kill(child, SIGKILL); ends_with(child); }
        if (fork() == 0) for (;;) {}
        for (;;) pause();
    """,
    "a thread ends it": """
        pthread_t thread;
        if ((child = init())) ends_with(child);
        if (fork() == 0) for (;;) pause();
        pthread_create(&thread, NULL, leave, NULL);
        for (;;) pause();
    """,
    "nor the first thread": """
        pthread_t thread;
        if ((child = init())) ends_with(child);
        if (fork() == 0) for (;;) pause();
        pthread_create(&thread, NULL, leave, NULL);
        pthread_exit(NULL);
    """,
    "a namespace in a namespace": """
        if ((child = init())) ends_with(child);
        int inner = init();
        if (inner == 0) {
            int third = fork();
            if (third == 0) { usleep(50000); _exit(2); }
            int reaped = waitpid(third, &status, 0);
            printf("%d %d %d\\n", getpid(), reaped, WEXITSTATUS(status));
            if (fork() == 0) for (;;) pause();
            _exit(4);
        }
        int reaped = waitpid(inner, &status, 0);
        printf("%d %d %d\\n", getpid(), reaped, WEXITSTATUS(status));
        if (fork() == 0) for (;;) pause();
        _exit(5);
    """,
    "nobody within can kill it": """
        if ((child = init())) ends_with(child);
        kill(getpid(), SIGKILL);
        if (fork() == 0) { kill(1, SIGKILL); kill(1, SIGTERM); _exit(0); }
        wait(NULL);
        raise(SIGINT);
        puts("alive");
        _exit(6);
    """,
    "orphans are its own": """
        if ((child = init())) ends_with(child);
        int middle = fork();
        if (middle == 0) {
            if (fork() == 0) { usleep(100000); printf("%d %d\\n", getpid(), getppid()); _exit(4); }
            _exit(0);
        }
        waitpid(middle, NULL, 0);
        int orphan = wait(&status);
        printf("%d %d\\n", orphan, WEXITSTATUS(status));
        _exit(0);
    """,
}


def program(name: str) -> str:
    return f"{HEAD}\n{PROGRAMS[name]}\n}}"


@pytest.fixture(scope="module", autouse=True)
def _allowed(compiled: Compile) -> None:
    """To make a namespace takes rights that not everybody has."""
    tried = compiled("#include <sched.h>\nint main(void) { return unshare(CLONE_NEWPID) != 0; }")
    if subprocess.run([tried], check=False, timeout=10).returncode:
        pytest.skip("PID namespaces are refused here")


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_as_without_the_lens(name: str, seed: int, compiled: Compile) -> None:
    path = compiled(program(name))
    done = subprocess.run([path], capture_output=True, text=True, timeout=60, check=True)
    seen = record([path], seed=seed)
    assert (seen.ended_early, seen.output) == (None, done.stdout)


def test_the_kernel_kills_all_others_and_reaps_them_for_it(compiled: Compile) -> None:
    seen = record([compiled(program("it ends with others alive below it"))])
    ends = {(e.process, e.signal) for e in seen.history.events if e.kind == "killed"}
    assert ends == {(name, "SIGKILL") for name in ("P.1.1", "P.1.2", "P.1.2.1", "P.1.3")}
    reapers = {e.process: e.by for e in seen.history.events if e.kind == "reaped"}
    assert reapers.pop("P.1") == "P"
    assert reapers.pop("P") == "init"
    assert {reapers[name] for name, _ in ends} == {"kernel"}
    assert reapers["P.1.4"] in ("P.1", "kernel")


def test_what_a_pid_1_does_not_catch_does_not_reach_it(compiled: Compile) -> None:
    seen = record([compiled(program("nobody within can kill it"))])
    assert {e.signal for e in seen.history.events if e.kind == "sends"} >= {
        "SIGKILL",
        "SIGTERM",
        "SIGINT",
    }
    assert [
        e.signal for e in seen.history.events if e.kind == "signal" and e.process == "P.1"
    ] == []


def test_who_kills_a_pid_1_is_outside(compiled: Compile) -> None:
    """A child within may try, and is not who did it when somebody else does."""
    seen = record([compiled(program("somebody outside kills it in the end"))])
    tried = [e.process for e in seen.history.events if e.kind == "sends" and e.signal == "SIGKILL"]
    assert tried == ["P.1.1", "P"]
    (killed,) = (e for e in seen.history.events if e.kind == "signal" and e.process == "P.1")
    assert (killed.signal, killed.sender) == ("SIGKILL", "P")


@pytest.mark.parametrize("name", ["it ends with others alive below it", "orphans are its own"])
def test_no_schedule_leads_into_it(name: str, compiled: Compile) -> None:
    found = explore([compiled(program(name))])
    assert not found.complete
    assert "It makes a PID namespace of its own, which is not modelled" in found.reasons


IGNORES = """
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGCHLD, SIG_IGN);
    if ((child = fork()) == 0) {
        signal(SIGCHLD, SIG_DFL);
        if (fork() == 0) _exit(5);
        usleep(50000);
        _exit(6);
    }
    usleep(100000);
    printf("%d\\n", wait(NULL));
    return 0; }
"""


def test_who_ignores_sigchld_adopts_a_zombie_that_is_gone_at_once(compiled: Compile) -> None:
    seen = record([compiled(HEAD + IGNORES)])
    assert seen.output == "-1\n"
    (adopted,) = (e for e in seen.history.events if e.kind == "reparented")
    assert (adopted.process, adopted.new) == ("P.1.1", "P")
    assert {e.process: e.by for e in seen.history.events if e.kind == "reaped"}["P.1.1"] == "kernel"
    assert signal.SIGCHLD.name not in [e.signal for e in seen.history.events if e.kind == "signal"]
