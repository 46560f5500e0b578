"""A program under the lens hears what it hears without one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from forklab.lens.record import Limits, record

# Each prints what it is told, and nothing that depends on the clock, on pids or on what comes first.
PROGRAMS = {
    "what can't be read as a whole is not written": """
        char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct iovec pieces[] = {{"one ", 4}, {pages + 4096, 4}};
        mprotect(pages + 4096, 4096, PROT_NONE);
        printf("%ld %s\\n", (long)write(1, pages + 4094, 4), "");
        printf("%ld %s\\n", (long)writev(1, pieces, 2), strerror(errno));
    """,
    "select is over: its sets are empty, nothing is left": """
        struct timeval limit = {2, 0};
        int count = select(ends[0] + 1, &set, NULL, NULL, &limit);
        printf("%d %d %ld\\n", count, FD_ISSET(ends[0], &set), (long)limit.tv_sec);
    """,
    "select is over, with a limit where one can only read": """
        static const struct timespec limit = {2, 0};
        int count = (int)syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &limit, NULL);
        printf("%d %d %ld\\n", count, FD_ISSET(ends[0], &set), (long)limit.tv_sec);
    """,
    "select has waited for a while: the rest is left": """
        struct timeval limit = {100, 0};
        if (fork() == 0) { sleep(2); _exit(write(ends[1], "x", 1) != 1); }
        int count = select(ends[0] + 1, &set, NULL, NULL, &limit);
        int some_is_left = limit.tv_sec > 0 && limit.tv_sec < 100;
        printf("%d %d %d\\n", count, FD_ISSET(ends[0], &set), some_is_left);
        wait(NULL);
    """,
    "pselect is over: its sets are empty, its limit stays": """
        struct timespec limit = {2, 0};
        int count = pselect(ends[0] + 1, &set, NULL, NULL, &limit, NULL);
        printf("%d %d %ld\\n", count, FD_ISSET(ends[0], &set), (long)limit.tv_sec);
    """,
    "select leaves its limit as it is, for who has asked for that": """
        struct timeval limit = {2, 5};
        personality(STICKY_TIMEOUTS);
        int count = (int)syscall(SYS_pselect6, 0, NULL, NULL, NULL, &limit, NULL);
        printf("%d %ld\\n", count, (long)limit.tv_sec);
    """,
    "a signal that is ignored breaks off no epoll_wait": """
        struct epoll_event event = {.events = EPOLLIN};
        int poll = epoll_create1(0);
        epoll_ctl(poll, EPOLL_CTL_ADD, ends[0], &event);
        if (fork() == 0) _exit(0);
        if (fork() == 0) { sleep(1); _exit(write(ends[1], "x", 1) != 1); }
        int count = epoll_wait(poll, &event, 1, -1);
        printf("%d %d\\n", count, errno);
        while (wait(NULL) > 0) {}
    """,
    "nor a semop": """
        struct sembuf one = {0, -1, 0}, back = {0, 1, 0};
        int semaphore = semget(IPC_PRIVATE, 1, 0600);
        if (fork() == 0) _exit(0);
        if (fork() == 0) { sleep(1); _exit(semop(semaphore, &back, 1) != 0); }
        int result = semop(semaphore, &one, 1);
        printf("%d %d\\n", result, errno);
        while (wait(NULL) > 0) {}
        semctl(semaphore, 0, IPC_RMID);
    """,
    "nor one that comes while it sleeps": """
        struct sembuf one = {0, -1, 0}, back = {0, 1, 0};
        int semaphore = semget(IPC_PRIVATE, 1, 0600);
        signal(SIGUSR1, SIG_IGN);
        if (fork() == 0) {
            usleep(100000);
            kill(getppid(), SIGUSR1);
            usleep(100000);
            _exit(semop(semaphore, &back, 1) != 0);
        }
        int result = semop(semaphore, &one, 1);
        printf("%d %d\\n", result, errno);
        wait(NULL);
        semctl(semaphore, 0, IPC_RMID);
    """,
    "a handler without SA_RESTART breaks off what one with it does not": """
        struct sigaction action = {.sa_handler = heard};
        struct timespec second = {1, 0}, left = {-1, 0};
        char byte;
        for (int restart = 0; restart < 2; restart++) {
            action.sa_flags = restart ? SA_RESTART : 0;
            sigaction(SIGUSR1, &action, NULL);
            if (fork() == 0) {
                usleep(100000);
                kill(getppid(), SIGUSR1);
                usleep(100000);
                _exit(write(ends[1], "x", 1) != 1);
            }
            printf("%d", (int)read(ends[0], &byte, 1));
            if (!restart) printf(" %d", (int)read(ends[0], &byte, 1));
            printf(" %d\\n", wait(NULL) > 0);
            if (fork() == 0) {
                usleep(100000);
                kill(getppid(), SIGUSR1);
                usleep(100000);
                _exit(0);
            }
            printf("%d\\n", wait(NULL) > 0);
            while (wait(NULL) > 0) continue;
        }
        if (fork() == 0) {
            usleep(300000);
            _exit(kill(getppid(), SIGUSR1));
        }
        printf("%d", nanosleep(&second, &left));
        printf(" %d\\n", left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec <= 700000000);
        wait(NULL);
    """,
    "one that is caught does": """
        struct epoll_event event;
        signal(SIGCHLD, heard);
        int poll = epoll_create1(0);
        if (fork() == 0) { sleep(1); _exit(0); }
        int count = epoll_wait(poll, &event, 1, -1);
        printf("%d %d %d\\n", count, errno == EINTR, done);
        wait(NULL);
    """,
    "a timer that is a file: how often it has rung, who waits for it, and by which clock": """
        uint64_t count = 0;
        struct itimerspec told, rings = {{0, 40000000}, {0, 20000000}}, never = {{0, 0}, {0, 0}};
        int timer = timerfd_create(CLOCK_MONOTONIC, 0);
        timerfd_settime(timer, 0, &rings, &told);
        int size = (int)read(timer, &count, 8);
        printf("%d %d\\n", size, count >= 1);
        usleep(100000);
        size = (int)read(timer, &count, 8);
        printf("%d %d\\n", size, count >= 2);
        if (fork() == 0) {
            struct pollfd wanted = {timer, POLLIN, 0};
            printf("%d\\n", poll(&wanted, 1, -1));
            _exit(0);
        }
        wait(NULL);
        timerfd_settime(timer, 0, &never, &told);
        timerfd_gettime(timer, &rings);
        printf("%ld %ld\\n", told.it_interval.tv_nsec, rings.it_interval.tv_nsec);
        int other = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        rings = (struct itimerspec){{0, 0}, {now.tv_sec + 1, now.tv_nsec}};
        timerfd_settime(other, TFD_TIMER_ABSTIME, &rings, NULL);
        printf("%d\\n", (int)read(other, &count, 8));
        sleep(2);
        size = (int)read(other, &count, 8);
        printf("%d %ld\\n", size, (long)count);
        rings.it_value.tv_nsec = -1;
        printf("%d\\n", timerfd_settime(other, 0, &rings, NULL));
    """,
    "a message queue waits until a moment, or for a message": """
        struct timespec until;
        char name[32], message[16];
        struct mq_attr size = {.mq_maxmsg = 2, .mq_msgsize = 16};
        sprintf(name, "/forklab-test-%d", (int)getpid());
        mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &size);
        mq_unlink(name);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec = 0;
        until.tv_sec += 2;
        printf("%d", (int)mq_timedreceive(queue, message, 16, NULL, &until));
        printf(" %s\\n", strerror(errno));
        if (fork() == 0) { sleep(1); _exit(mq_send(queue, "late", 5, 0)); }
        until.tv_sec += 100;
        printf("%d %s\\n", (int)mq_timedreceive(queue, message, 16, NULL, &until), message);
        wait(NULL);
        mq_send(queue, "there", 6, 0);
        until.tv_sec = 0;
        printf("%d %s\\n", (int)mq_timedreceive(queue, message, 16, NULL, &until), message);
        printf("%d %s\\n", (int)mq_timedreceive(queue, message, 16, NULL, &until), strerror(errno));
    """,
    "a semaphore is waited for until a time is over": """
        struct sembuf one = {0, -1, 0};
        struct timespec limit = {2, 0};
        int semaphore = semget(IPC_PRIVATE, 1, 0600);
        printf("%d", (int)syscall(SYS_semtimedop, semaphore, &one, 1, &limit));
        printf(" %s\\n", strerror(errno));
        semctl(semaphore, 0, IPC_RMID);
    """,
    "a futex that has another value by now is no matter of time": """
        int32_t word = 1;
        struct timespec past = {0, 0};
        printf("%d", (int)syscall(SYS_futex, &word, 9, 0, &past, NULL, -1));
        printf(" %s\\n", strerror(errno));
        printf("%d", (int)syscall(SYS_futex, &word, 9, 1, &past, NULL, -1));
        printf(" %s\\n", strerror(errno));
    """,
    "an alarm rings in a loop that reads the clock": """
        struct timeval now;
        signal(SIGALRM, heard);
        alarm(1);
        while (!done) gettimeofday(&now, NULL);
        puts("rang");
    """,
}
HEAD = """\
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t done;
static void heard(int number) { (void)number; done = 1; }
"""
BODY = """
int main(void) {
    int ends[2];
    fd_set set;
    (void)heard;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (pipe(ends)) return 1;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    %s
    return 0;
}
"""
NOWHERE = """
int main(int count, char **words) {
    int guard = count > 1 && *words[1] == 'p' ? PROT_NONE : PROT_READ;
    void *nowhere = (void *)-1;
    (void)heard;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count > 1) nowhere = mmap(NULL, 4096, guard, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    %s
    return 0;
}
"""
BAD_CALLS = [
    "getitimer, 0, nowhere",
    "setitimer, 0, nowhere, 0",
    "nanosleep, nowhere, 0",
    "clock_gettime, 0, nowhere",
    "clock_gettime, 9999, nowhere",
    "write, 1, nowhere, 5",
    "writev, 1, nowhere, 2",
    "writev, 1, nowhere, -1",
    "pselect6, 0, 0, 0, 0, nowhere, 0",
    "timerfd_settime, 0, 0, nowhere, 0",
    "ppoll, 0, 0, nowhere, 0, 8",
    "rt_sigtimedwait, nowhere, 0, nowhere, 8",
    "rt_sigaction, 10, nowhere, 0, 8",
    "gettimeofday, nowhere, 0",
    "gettimeofday, 0, nowhere",
    "wait4, -1, nowhere, 0, 0",
    "waitid, 0, 0, nowhere, 4, 0",
    "clock_nanosleep, 0, 0, nowhere, 0",
    "timer_create, 0, nowhere, nowhere",
    "futex, nowhere, 0, 0, nowhere, 0, 0",
]


def built(text: str, folder: Path) -> str:
    source, program = folder / "program.c", folder / "program"
    source.write_text(text)
    subprocess.run(["cc", "-o", program, source], check=True)
    return str(program)


def untraced(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_told_the_same(name: str, tmp_path: Path) -> None:
    program = built(HEAD + BODY % PROGRAMS[name], tmp_path)
    seen = record([program])
    assert (seen.ended_early, seen.output) == (None, untraced([program]))


@pytest.mark.parametrize("where", [[], ["protected"], ["read-only"]])
def test_bad_pointers_are_errors_of_the_program(where: list[str], tmp_path: Path) -> None:
    """To nowhere, or to memory that it may not read, or not write to: the lens is not allowed more than the program."""
    calls = "\n".join(
        f'errno = 0; printf("{number}: %ld ", syscall(SYS_{call})); puts(strerror(errno));'
        for number, call in enumerate(BAD_CALLS)
    )
    program = built(HEAD + NOWHERE % calls, tmp_path)
    assert record([program, *where]).output == untraced([program, *where])


DEAD = """
int main(void) {
    int ends[2];
    char one;
    (void)heard;
    if (pipe(ends)) return 1;
    if (fork() == 0) return read(ends[0], &one, 1) != 1;
    wait(NULL);
}
"""


def test_a_deadlock_is_one_also_where_there_is_input(tmp_path: Path) -> None:
    """Nobody waits for that."""
    program = built(HEAD + DEAD, tmp_path)
    ours, theirs = os.pipe()
    try:
        seen = record([program], stdin=ours)
    finally:
        os.close(ours)
        os.close(theirs)
    assert seen.ended_early is not None
    assert "P is in wait4, P.1 is in read" in seen.ended_early


def test_who_waits_for_input_waits_for_ever_or_as_long_as_one_says() -> None:
    ours, theirs = os.pipe()
    try:
        limits = Limits(waiting_seconds=0.2)
        seen = record(["sh", "-c", "read line"], stdin=ours, limits=limits)
    finally:
        os.close(ours)
        os.close(theirs)
    assert seen.ended_early == "It waited for more than 0.2 seconds for its input."
