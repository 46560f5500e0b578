"""What a program reads in /proc of itself and of others is what it reads untraced: states, tracer, pending signals."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from forklab.explore.explore import explore
from forklab.lens.calls.looking import as_read
from forklab.lens.record import record

Compile = Callable[[str], str]

PROGRAM = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *lines[] = {"State", "TracerPid", "SigPnd", "ShdPnd", "SigBlk", "Seccomp"};
static char text[1 << 13];

/* All of the file, so many bytes at a time; 0: by readv, in pieces of 5 and 100. */
static void take(pid_t pid, const char *name, int size) {
    struct iovec pieces[] = {{NULL, 5}, {NULL, 100}};
    char path[64];
    int length = 0, got;
    sprintf(path, "/proc/%d/%s", (int)pid, name);
    int file = open(path, O_RDONLY);
    do {
        pieces[0].iov_base = text + length;
        pieces[1].iov_base = text + length + 5;
        got = size ? read(file, text + length, size) : readv(file, pieces, 2);
        length += got > 0 ? got : 0;
    } while (got > 0);
    close(file);
    text[length] = 0;
}
static void show(const char *who, pid_t pid, int size) {
    take(pid, "stat", size);
    printf("%s: %c", who, strrchr(text, ')')[2]);
    take(pid, "status", size);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            if (strncmp(line, lines[i], strlen(lines[i])) == 0) printf(", %s", line);
    puts("");
}
int main(void) {
    int ends[2], number = 0;
    char byte;
    pid_t kids[6];
    sigset_t user;
    sigemptyset(&user);
    sigaddset(&user, SIGUSR1);
    if (pipe(ends)) return 1;
    for (number = 0; number < 6; number++) {
        kids[number] = fork();
        if (kids[number]) continue;
        if (number == 0) _exit(read(ends[0], &byte, 1) != 1);
        if (number == 1) { sigprocmask(SIG_BLOCK, &user, NULL); sleep(100); }
        if (number == 2) raise(SIGSTOP);
        if (number == 3) _exit(3);
        if (number == 4) for (;;) continue;
        if (fork() == 0) sleep(100);
        wait(NULL);
        _exit(0);
    }
    usleep(300000);
    for (int i = 0; i < 6; i++) {
        kill(kids[i], SIGURG);
        kill(kids[i], SIGUSR1 * (i == 1));
    }
    show("itself", getpid(), 4096);
    show("its parent", getppid(), 4096);
    show("in read", kids[0], 4096);
    for (int size = 0; size < 2000; size = size * 12 + 1) show("in sleep", kids[1], size);
    show("itself", getpid(), 13);
    show("stopped", kids[2], 4096);
    show("a zombie", kids[3], 4096);
    show("computing", kids[4], 4096);
    show("in wait", kids[5], 4096);
    fflush(stdout);
    if (vfork() == 0) {
        show("in vfork", getppid(), 4096);
        fflush(stdout);
        _exit(0);
    }
    take(kids[1], "wchan", 4096);
    printf("%s ", text);
    take(kids[2], "wchan", 4096);
    printf("%s\n", text);
    fflush(stdout);
    return kill(0, SIGKILL);
}
"""


def test_a_line_may_become_longer_between_two_looks_at_the_same_file() -> None:
    """SigQ counts signals that are pending for any process of that user."""
    status = b"Name:\ta\nTracerPid:\t0\nSigQ:\t%d/100\nSigPnd:\t00\nSeccomp:\t0\n"
    read, later = status % 9, status % 10
    for length in range(len(read) + 1):
        whole = as_read(read[:length], later)
        assert whole == (read if length > read.index(b"SigPnd") - 1 else later)
    assert as_read(b"", later) == later


def test_everybody_stands_as_he_does_untraced(compiled: Compile) -> None:
    program = compiled(PROGRAM)
    command = ["setsid", "--wait", program]  # with somebody who waits for it, as in the lens
    untraced = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert untraced.stdout.count("\n") == 15
    for seed in range(2):
        assert record([program], seed=seed).output == untraced.stdout


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps here")
def test_ps_shows_nobody_as_traced() -> None:
    program = "sleep 100 & exec ps -o stat= -p $!,$$"
    told = record(["sh", "-c", program]).output.split("\n")
    assert sorted(line.split()[0][0] for line in told if line) == ["R", "S"]


def test_one_who_looks_notices_others_and_the_explorer_says_so() -> None:
    looks = "sleep 1 & read -r _ _ state _ < /proc/$!/stat; echo $state"
    found = explore(["sh", "-c", looks], seconds=60)
    assert not found.complete
    assert "it reads /proc, where it can see others" in found.reasons
    assert {outcome.output for outcome in found.outcomes} <= {"R\n", "S\n"}
