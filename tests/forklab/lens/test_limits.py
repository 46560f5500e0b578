"""Calls that wait for a limited time wait in virtual time, and then return what they return without the lens."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from forklab.explore import explore
from forklab.lens.record import record

Compile = Callable[[str], str]

HEAD = """
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define TRY(...) do { errno = 0; long result = __VA_ARGS__; printf("%ld %s\\n", result, strerror(errno)); } while (0)
#define MS 1000000
static void heard(int number) { (void)number; }
static struct timespec in(int clock, long milliseconds) {
    struct timespec when;
    clock_gettime(clock, &when);
    when.tv_nsec += milliseconds * MS;
    if (when.tv_nsec >= 1000 * MS) { when.tv_nsec -= 1000 * MS; when.tv_sec++; }
    return when;
}
static void limit(int socket, int option, long milliseconds) {
    struct timeval span = {0, milliseconds * 1000};
    setsockopt(socket, SOL_SOCKET, option, &span, sizeof span);
}
struct waiter { uint64_t value, address; uint32_t flags, reserved; };
int main(void) {
    static char room[65536];
    struct iovec place = {room, sizeof room};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
    struct timespec when, span = {0, 100 * MS};
    void *nowhere = (void *)-1;
    int ends[2];
    (void)heard; (void)in; (void)limit; (void)message; (void)when; (void)span; (void)nowhere; (void)ends;
    setvbuf(stdout, NULL, _IOLBF, 0);
"""
# What it does, and how many seconds that takes.
PROGRAMS = {
    "SO_RCVTIMEO": (
        """
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        limit(ends[0], SO_RCVTIMEO, 100);
        TRY(recv(ends[0], room, 1, 0));
        TRY(read(ends[0], room, 1));
        TRY(readv(ends[0], &place, 1));
        TRY(recvmsg(ends[0], &message, 0));
        TRY(recv(ends[0], room, 1, MSG_DONTWAIT));
        TRY(write(ends[1], "ab", 2));
        TRY(recv(ends[0], room, 4, MSG_WAITALL));
        limit(ends[0], SO_RCVTIMEO, 900);
        if (fork() == 0) { usleep(50000); _exit(write(ends[1], "x", 1) != 1); }
        TRY(recv(ends[0], room, 1, 0));
        wait(NULL);
        """,
        0.55,
    ),
    "SO_RCVTIMEO is told, changed and refused as it was": (
        """
        struct timeval told = {0, 0};
        socklen_t length = sizeof told;
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        limit(ends[0], SO_RCVTIMEO, 500);
        TRY(getsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &told, &length));
        printf("%ld %ld %d\\n", (long)told.tv_sec, (long)told.tv_usec, (int)length);
        told.tv_usec = 1000000;
        TRY(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &told, sizeof told));
        TRY(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &told, 3));
        TRY(setsockopt(99, SOL_SOCKET, SO_RCVTIMEO, &told, sizeof told));
        limit(ends[0], SO_RCVTIMEO, 0);
        if (fork() == 0) { sleep(1); _exit(write(ends[1], "x", 1) != 1); }
        TRY(recv(ends[0], room, 1, 0));
        wait(NULL);
        """,
        1.0,
    ),
    "a handler breaks off a call on a socket that has a limit": (
        """
        signal(SIGALRM, heard);
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        limit(ends[0], SO_RCVTIMEO, 500);
        struct itimerval soon = {{0, 0}, {0, 100000}};
        setitimer(ITIMER_REAL, &soon, NULL);
        TRY(recv(ends[0], room, 1, 0));
        if (fork() == 0) _exit(0);
        signal(SIGCHLD, SIG_IGN);
        TRY(recv(ends[0], room, 1, 0));
        """,
        0.6,
    ),
    "SO_SNDTIMEO": (
        """
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        limit(ends[0], SO_SNDTIMEO, 100);
        while (send(ends[0], room, sizeof room, 0) == sizeof room) {}
        TRY(send(ends[0], room, sizeof room, 0));
        TRY(write(ends[0], room, sizeof room));
        TRY(sendmsg(ends[0], &message, 0));
        """,
        0.4,
    ),
    "accept and connect": (
        """
        struct sockaddr_un name = {AF_UNIX, ""};
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof address;
        int one = socket(AF_UNIX, SOCK_STREAM, 0);
        sprintf(name.sun_path + 1, "%d", getpid());
        bind(one, (struct sockaddr *)&name, sizeof name);
        listen(one, 0);
        limit(one, SO_RCVTIMEO, 100);
        TRY(accept(one, NULL, NULL));
        for (int count = 0; count < 2; count++) {
            int other = socket(AF_UNIX, SOCK_STREAM, 0);
            limit(other, SO_SNDTIMEO, 100);
            TRY(connect(other, (struct sockaddr *)&name, sizeof name));
        }
        one = socket(AF_INET, SOCK_STREAM, 0);
        address.sin_addr.s_addr = htonl(0x7f000001);
        bind(one, (struct sockaddr *)&address, length);
        listen(one, 2);
        getsockname(one, (struct sockaddr *)&address, &length);
        limit(one, SO_RCVTIMEO, 100);
        if (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, length)) return 1;
        TRY(recv(accept(one, NULL, NULL), room, 1, 0));
        """,
        0.3,
    ),
    "message queues": (
        """
        struct mq_attr small = {0, 1, 8, 0, {0}};
        mqd_t queue = mq_open("/forklab", O_CREAT | O_RDWR, 0600, &small);
        mq_unlink("/forklab");
        when = in(CLOCK_REALTIME, 100);
        TRY(mq_timedreceive(queue, room, 8, NULL, &when));
        TRY(mq_timedreceive(queue, room, 8, NULL, &when));
        TRY(mq_timedsend(queue, "a", 1, 0, &when));
        printf("%ld\\n", (long)when.tv_nsec < 1000 * MS);
        when = in(CLOCK_REALTIME, 100);
        TRY(mq_timedsend(queue, "b", 1, 0, &when));
        TRY(mq_timedreceive(queue, room, 8, NULL, &when));
        if (fork() == 0) { usleep(50000); _exit(mq_send(queue, "abc", 3, 0) != 0); }
        when = in(CLOCK_REALTIME, 5000);
        TRY(mq_timedreceive(queue, room, 8, NULL, &when));
        wait(NULL);
        when.tv_nsec = -1;
        TRY(mq_timedreceive(queue, room, 8, NULL, &when));
        """,
        0.25,
    ),
    "semaphores": (
        """
        sem_t one;
        sem_init(&one, 0, 0);
        when = in(CLOCK_REALTIME, 100);
        TRY(sem_timedwait(&one, &when));
        TRY(sem_timedwait(&one, &when));
        struct sembuf take = {0, -1, 0}, give = {0, 1, 0};
        int set = semget(IPC_PRIVATE, 1, 0600);
        TRY(semtimedop(set, &take, 1, &span));
        span.tv_sec = 5;
        if (fork() == 0) { usleep(50000); _exit(semop(set, &give, 1) != 0); }
        TRY(semtimedop(set, &take, 1, &span));
        wait(NULL);
        span.tv_nsec = -1;
        TRY(semtimedop(set, &take, 1, &span));
        semctl(set, 0, IPC_RMID);
        """,
        0.25,
    ),
    "futexes": (
        """
        uint32_t word = 0;
        struct waiter waiter = {0, (uint64_t)&word, 2, 0};
        pthread_mutex_t *mutex = mmap(NULL, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        pthread_mutexattr_t inherits;
        int by_wall = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;
        when = in(CLOCK_REALTIME, 100);
        TRY(syscall(SYS_futex, &word, by_wall, 0, &when, NULL, ~0));
        TRY(syscall(SYS_futex, &word, by_wall, 0, &when, NULL, ~0));
        TRY(syscall(SYS_futex, &word, by_wall, 1, &when, NULL, ~0));
        when = in(CLOCK_MONOTONIC, 100);
        TRY(syscall(449, &waiter, 1, 0, &when, CLOCK_MONOTONIC));
        TRY(syscall(449, &waiter, 1, 0, &when, CLOCK_BOOTTIME));
        TRY(syscall(449, &waiter, 1, 0, nowhere, CLOCK_MONOTONIC));
        TRY(syscall(449, &waiter, 0, 0, &when, CLOCK_MONOTONIC));
        waiter.value = 1;
        TRY(syscall(449, &waiter, 1, 0, &when, CLOCK_MONOTONIC));
        pthread_mutexattr_init(&inherits);
        pthread_mutexattr_setprotocol(&inherits, PTHREAD_PRIO_INHERIT);
        pthread_mutexattr_setpshared(&inherits, 1);
        pthread_mutex_init(mutex, &inherits);
        if (pipe(ends)) return 1;
        int child = fork();
        if (child == 0) { pthread_mutex_lock(mutex); if (write(ends[1], "x", 1)) pause(); }
        if (read(ends[0], room, 1) != 1) return 1;
        when = in(CLOCK_REALTIME, 100);
        TRY(pthread_mutex_timedlock(mutex, &when));
        kill(child, SIGKILL);
        wait(NULL);
        pthread_mutex_t free = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&free);
        when = in(CLOCK_REALTIME, 100);
        TRY(pthread_cond_timedwait(&condition, &free, &when));
        """,
        0.4,
    ),
    "other events": (
        """
        aio_context_t context = 0;
        struct io_event events[2];
        sigset_t wanted;
        siginfo_t about;
        syscall(SYS_io_setup, 4, &context);
        TRY(syscall(SYS_io_getevents, context, 1L, 2L, events, &span));
        TRY(syscall(SYS_io_pgetevents, context, 1L, 2L, events, &span, NULL));
        TRY(syscall(SYS_io_getevents, context, 1L, 2L, events, nowhere));
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGALRM);
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        TRY(sigtimedwait(&wanted, NULL, &span));
        struct itimerval soon = {{0, 0}, {0, 100000}};
        setitimer(ITIMER_REAL, &soon, NULL);
        TRY(sigwaitinfo(&wanted, &about));
        printf("%d %d\\n", about.si_code, about.si_pid);
        """,
        0.4,
    ),
    "a pidfd with O_NONBLOCK does not wait, one can wait for it": (
        """
        int child = fork();
        if (child == 0) { usleep(500000); _exit(7); }
        int descriptor = syscall(SYS_pidfd_open, child, O_NONBLOCK);
        struct pollfd wanted = {descriptor, POLLIN, 0};
        siginfo_t about;
        TRY(waitid(3, descriptor, &about, WEXITED));
        TRY(poll(&wanted, 1, 20));
        TRY(poll(&wanted, 1, -1));
        printf("%d\\n", wanted.revents);
        TRY(waitid(3, descriptor, &about, WEXITED | WNOWAIT));
        TRY(waitid(3, descriptor, &about, WEXITED));
        printf("%d\\n", about.si_status);
        TRY(waitid(3, descriptor, &about, WEXITED));
        """,
        0.5,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_waits_as_without_the_lens(name: str, compiled: Compile) -> None:
    body, seconds = PROGRAMS[name]
    program = compiled(f"{HEAD}\n{body}\nreturn 0; }}")
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True)
    seen = record([program])
    assert (seen.ended_early, seen.output) == (None, done.stdout)
    assert seen.seconds == pytest.approx(seconds, abs=0.02)


def test_a_limit_without_end_is_modelled_where_one_with_an_end_is_not(compiled: Compile) -> None:
    body = """
        struct sembuf take = {0, -1, 0}, give = {0, 1, 0};
        int set = semget(IPC_PRIVATE, 1, 0600);
        if (fork() == 0) _exit(semop(set, &give, 1) != 0);
        semtimedop(set, &take, 1, %s);
        wait(NULL);
        return 0; }
    """
    assert explore([compiled(HEAD + body % "NULL")]).complete
    limited = explore([compiled(HEAD + body % "&span")])
    assert any("semtimedop" in reason for reason in limited.reasons)
    assert not limited.complete
