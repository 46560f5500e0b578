"""Timers of all kinds ring in virtual time as they do in real time, and tell the same of themselves."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest

from forklab.explore import explore
from forklab.lens.edge.proc import has_capability
from forklab.lens.record import record

Compile = Callable[[str], str]
CAP_SYS_TIME = 25

HEAD = """
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static volatile int done, code, overruns;
static volatile long value;
static void heard(int number) { (void)number; done++; }
static void told(int number, siginfo_t *about, void *context) {
    (void)number; (void)context;
    done++;
    code = about->si_code;
    value = (long)about->si_value.sival_ptr;
    overruns = about->si_overrun;
}
static void in_thread(union sigval given) { done = given.sival_int; }
#define MS 1000000
static timer_t timer_of(int clock, int how, int signal, long given) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = how, .sigev_signo = signal};
    event.sigev_value.sival_ptr = (void *)given;
    event._sigev_un._tid = gettid();
    if (how == SIGEV_THREAD) event.sigev_notify_function = in_thread;
    if (timer_create(clock, &event, &timer)) perror("timer_create");
    return timer;
}
static int sets(timer_t timer, int flags, long after, long again) {
    struct itimerspec times = {{again / 1000, again % 1000 * MS}, {after / 1000, after % 1000 * MS}};
    return timer_settime(timer, flags, &times, NULL);
}
static void rings(int which, long after, long again) {
    struct itimerval times = {{again / 1000, again % 1000 * 1000}, {after / 1000, after % 1000 * 1000}};
    setitimer(which, &times, NULL);
}
int main(void) {
    struct sigaction action = {.sa_sigaction = told, .sa_flags = SA_SIGINFO};
    struct itimerspec times = {{0, 0}, {0, 0}};
    struct itimerval span = {{0, 0}, {0, 0}};
    struct timespec now;
    sigset_t wanted;
    siginfo_t about;
    long result = 0;
    (void)heard; (void)rings; (void)sets; (void)timer_of; (void)times; (void)span; (void)now; (void)result; (void)about;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGALRM, heard);
    signal(SIGVTALRM, heard);
    signal(SIGPROF, heard);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
"""
# Each prints what it is told, and nothing that depends on how fast the machine is, unless that is very slow.
PROGRAMS = {
    "ITIMER_VIRTUAL rings for who spins, ITIMER_PROF too": """
        rings(ITIMER_VIRTUAL, 100, 0);
        getitimer(ITIMER_VIRTUAL, &span);
        printf("%d\\n", span.it_value.tv_sec == 0 && span.it_value.tv_usec > 50000);
        while (!done) {}
        getitimer(ITIMER_VIRTUAL, &span);
        printf("%d %ld\\n", done, (long)span.it_value.tv_usec);
        rings(ITIMER_PROF, 100, 0);
        while (done < 2) {}
        puts("both");
    """,
    "and for who counts": """
        volatile long count = 0;
        rings(ITIMER_PROF, 20, 20);
        while (done < 3) count++;
        getitimer(ITIMER_PROF, &span);
        printf("%d %ld\\n", done, (long)span.it_interval.tv_usec);
    """,
    "and ends whom it does not please": """
        int status;
        signal(SIGPROF, SIG_DFL);
        if (fork() == 0) {
            rings(ITIMER_PROF, 50, 0);
            for (;;) {}
        }
        wait(&status);
        printf("%d\\n", WTERMSIG(status) == SIGPROF);
    """,
    "whoever sleeps uses none of it": """
        rings(ITIMER_VIRTUAL, 100, 0);
        usleep(200000);
        getitimer(ITIMER_VIRTUAL, &span);
        printf("%d %d\\n", done, span.it_value.tv_usec > 50000);
    """,
    "alarm tells in whole seconds what is left": """
        long lengths[] = {3000, 2300, 2800, 200};
        for (int place = 0; place < 4; place++) {
            rings(ITIMER_REAL, lengths[place], 0);
            printf("%u\\n", alarm(0));
        }
    """,
    "each has its own": """
        int child = fork();
        rings(ITIMER_VIRTUAL, child ? 50 : 300, 0);
        while (!done) {}
        puts(child ? "early" : "late");
        if (child) wait(NULL);
    """,
    "who looks at the clock, asks whether others are there, or makes children, computes": """
        struct timeval when;
        rings(ITIMER_PROF, 20, 0);
        while (!done) gettimeofday(&when, NULL);
        rings(ITIMER_PROF, 20, 0);
        while (done < 2) kill(getpid(), 0);
        rings(ITIMER_REAL, 20, 0);
        while (done < 3) kill(getpid(), 0);
        rings(ITIMER_REAL, 20, 0);
        while (done < 4) { if (fork() == 0) _exit(0); wait(NULL); }
        rings(ITIMER_REAL, 20, 0);
        while (done < 5) time(NULL);
        rings(ITIMER_REAL, 20, 0);
        while (done < 6) clock();
        puts("all");
    """,
    "who asks again and again waits, too": """
        int ends[2], child = fork();
        char one;
        if (child == 0) { usleep(100000); _exit(3); }
        while (waitpid(child, NULL, WNOHANG) == 0) {}
        if (pipe2(ends, 04000)) return 1;
        if (fork() == 0) { usleep(100000); _exit(write(ends[1], "x", 1) != 1); }
        while (read(ends[0], &one, 1) < 0) {}
        struct pollfd end = {ends[0], POLLIN, 0};
        if (fork() == 0) { usleep(100000); _exit(write(ends[1], "x", 1) != 1); }
        while (poll(&end, 1, 0) == 0) {}
        while (wait(NULL) > 0) {}
        puts("there");
    """,
    "a timer with a signal says whose it is, and how often it would have rung": """
        timer_t timer = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 77);
        sets(timer, 0, 50, 0);
        pause();
        timer_gettime(timer, &times);
        printf("%d %d %ld %d %ld\\n", done, code == SI_TIMER, value, overruns, times.it_value.tv_nsec);
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        sets(timer, 0, 100, 100);
        usleep(350000);
        sigprocmask(SIG_UNBLOCK, &wanted, NULL);
        printf("%d %d %d\\n", done, overruns >= 2, timer_getoverrun(timer) == overruns);
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        sets(timer, 0, 100, 100);
        usleep(250000);
        result = sigwaitinfo(&wanted, &about);
        printf("%d %d %d\\n", result == SIGUSR1, about.si_code == SI_TIMER, about.si_overrun >= 1);
        printf("%d\\n", (int)(long)about.si_value.sival_ptr);
        result = sigwaitinfo(&wanted, &about);
        printf("%d\\n", result == SIGUSR1);
        printf("%d %d\\n", timer_delete(timer), timer_delete(timer));
    """,
    "who reads signals from a file is told the same": """
        struct signalfd_siginfo read_one;
        sigaddset(&wanted, SIGALRM);
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        int file = signalfd(-1, &wanted, 0);
        timer_t timer = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 9);
        sets(timer, 0, 100, 100);
        usleep(350000);
        result = read(file, &read_one, sizeof read_one);
        printf("%ld %d %d\\n", result, read_one.ssi_code, read_one.ssi_int);
        printf("%d\\n", read_one.ssi_overrun >= 2);
        result = read(file, &read_one, sizeof read_one);
        printf("%d\\n", (int)read_one.ssi_signo);
        sets(timer, 0, 0, 0);
        rings(ITIMER_REAL, 20, 0);
        result = read(file, &read_one, sizeof read_one);
        printf("%d %d %d\\n", (int)read_one.ssi_signo, read_one.ssi_code, (int)read_one.ssi_pid);
    """,
    "two timers with one signal ring twice": """
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        timer_t one = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
        timer_t two = timer_of(CLOCK_BOOTTIME, SIGEV_SIGNAL, SIGUSR1, 2);
        sets(one, 0, 20, 0);
        sets(two, 0, 10, 0);
        usleep(60000);
        sigprocmask(SIG_UNBLOCK, &wanted, NULL);
        printf("%d\\n", done);
    """,
    "a moment that has passed, and one to come, by the clock on the wall": """
        timer_t timer = timer_of(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 0);
        clock_gettime(CLOCK_REALTIME, &now);
        times = (struct itimerspec){{10, 0}, {now.tv_sec - 25, now.tv_nsec}};
        timer_settime(timer, TIMER_ABSTIME, &times, NULL);
        printf("%d %d\\n", done, overruns);
        clock_gettime(CLOCK_REALTIME, &now);
        times = (struct itimerspec){{0, 0}, {now.tv_sec + 1, now.tv_nsec}};
        timer_settime(timer, TIMER_ABSTIME, &times, NULL);
        pause();
        printf("%d\\n", done);
    """,
    "more overruns than can be told": """
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        timer_t timer = timer_of(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 0);
        times = (struct itimerspec){{0, 1}, {1, 0}};
        timer_settime(timer, TIMER_ABSTIME, &times, NULL);
        int number = sigwaitinfo(&wanted, &about);
        timer_delete(timer);
        printf("%d %d\\n", number == SIGUSR1, about.si_overrun);
    """,
    "one that rings by nothing, for one thread, in a new one": """
        timer_t silent = timer_of(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
        sets(silent, 0, 100000, 0);
        usleep(100000);
        timer_gettime(silent, &times);
        printf("%d\\n", times.it_value.tv_sec > 9 && times.it_value.tv_sec < 100);
        sets(silent, 0, 50, 0);
        usleep(100000);
        timer_gettime(silent, &times);
        printf("%ld\\n", times.it_value.tv_nsec);
        timer_t mine = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL | 4, SIGUSR1, 3);
        sets(mine, 0, 50, 0);
        pause();
        printf("%ld\\n", value);
        timer_t other = timer_of(CLOCK_MONOTONIC, SIGEV_THREAD, 0, 9);
        sets(other, 0, 50, 0);
        while (!done) usleep(10000);
        printf("%d\\n", done);
    """,
    "one of processor time": """
        timer_t timer = timer_of(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 5);
        sets(timer, 0, 50, 0);
        while (!done) {}
        printf("%ld\\n", value);
    """,
    "once it is set anew or deleted, its signal does not come any more": """
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        timer_t timer = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
        sets(timer, 0, 10, 0);
        usleep(30000);
        sets(timer, 0, 100000, 0);
        sigprocmask(SIG_UNBLOCK, &wanted, NULL);
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        printf("%d\\n", done);
    """,
    "nor can it be waited for": """
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        timer_t timer = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
        struct timespec at_once = {0, 0};
        sets(timer, 0, 10, 0);
        usleep(30000);
        sets(timer, 0, 0, 0);
        printf("%d %d\\n", sigtimedwait(&wanted, &about, &at_once), errno == EAGAIN);
        sets(timer, 0, 10, 0);
        printf("%d\\n", sigwaitinfo(&wanted, &about) == SIGUSR1);
        sets(timer, 0, 10, 0);
        usleep(30000);
        timer_delete(timer);
        printf("%d %d\\n", sigtimedwait(&wanted, &about, &at_once), errno == EAGAIN);
    """,
    "errors": """
        timer_t timer = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
        void *nowhere = (void *)-1;
        struct itimerspec bad[] = {{{0, 0}, {0, 1000000000}}, {{0, 0}, {-1, 0}}, {{0, -1}, {1, 0}}};
        struct itimerval wrong[] = {{{0, 0}, {0, 1000000}}, {{0, 1000000}, {1, 0}}, {{0, 0}, {0, -1}}};
        int file = timerfd_create(CLOCK_REALTIME, 0);
        int clocks[] = {3, 4, 5, 6, 10, 11, 12, 99, -1, -6};
        #define TRY(...) errno = 0; result = syscall(__VA_ARGS__); printf("%ld %s\\n", result, strerror(errno))
        for (int number = 0; number < 3; number++) {
            TRY(SYS_timer_settime, timer, 0, &bad[number], NULL);
            TRY(SYS_timerfd_settime, file, 0, &bad[number], NULL);
            TRY(SYS_setitimer, number, &wrong[number], NULL);
        }
        times.it_value.tv_sec = 100;
        span.it_value.tv_sec = 100;
        TRY(SYS_timer_settime, timer, 0, NULL, NULL);
        TRY(SYS_timer_settime, timer, 0, nowhere, NULL);
        TRY(SYS_timer_settime, timer, 0, &times, nowhere);
        TRY(SYS_timer_settime, 999, 0, &times, NULL);
        TRY(SYS_timer_gettime, timer, NULL);
        TRY(SYS_timer_gettime, 999, &times);
        TRY(SYS_timer_getoverrun, 999);
        TRY(SYS_timer_delete, 999);
        TRY(SYS_setitimer, 1, &span, nowhere);
        getitimer(1, &span);
        printf("%d\\n", span.it_value.tv_sec > 90);
        TRY(SYS_setitimer, 3, &span, NULL);
        TRY(SYS_setitimer, 1, NULL, NULL);
        TRY(SYS_getitimer, 3, &span);
        TRY(SYS_getitimer, 1, nowhere);
        TRY(SYS_timerfd_settime, file, 8, &times, NULL);
        TRY(SYS_timerfd_settime, file, 0, &times, nowhere);
        TRY(SYS_timerfd_settime, file, 0, NULL, NULL);
        TRY(SYS_timerfd_settime, 0, 0, &times, NULL);
        TRY(SYS_timerfd_gettime, file, NULL);
        TRY(SYS_timerfd_gettime, 99, &times);
        for (int number = 0; number < 10; number++) {
            TRY(SYS_timer_create, clocks[number], NULL, &timer);
            if (clocks[number] != -6) { TRY(SYS_clock_nanosleep, clocks[number], 0, &(struct timespec){0, 1}, NULL); }
            printf("%d\\n", clock_gettime(clocks[number], &now));
        }
    """,
    "a timer that is a file: none yet, whole counts, a moment that has passed": """
        int timer = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
        uint64_t count = 0;
        struct iovec place = {&count, 8};
        char room[64];
        result = read(timer, &count, 8);
        printf("%ld %d\\n", result, errno == EAGAIN);
        times = (struct itimerspec){{0, 100 * MS}, {0, 100 * MS}};
        timerfd_settime(timer, 0, &times, NULL);
        usleep(350000);
        result = readv(timer, &place, 1);
        printf("%ld %d\\n", result, count >= 3);
        result = read(timer, room, 4);
        printf("%ld %d\\n", result, errno == EINVAL);
        usleep(300000);
        result = read(timer, room, 64);
        printf("%ld %d\\n", result, room[0] >= 2);
        clock_gettime(CLOCK_REALTIME, &now);
        times = (struct itimerspec){{10, 0}, {now.tv_sec - 25, now.tv_nsec}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &times, NULL);
        result = read(timer, &count, 8);
        printf("%ld %ld\\n", result, (long)count);
        timerfd_gettime(timer, &times);
        printf("%d\\n", times.it_value.tv_sec <= 5);
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_rings_as_without_the_lens(name: str, compiled: Compile) -> None:
    program = compiled(f"{HEAD}\n{PROGRAMS[name]}\nreturn 0; }}")
    seen = record([program])
    assert seen.ended_early is None
    assert seen.output in untraced(program, seen.output)


def untraced(program: str, awaited: str) -> list[str]:
    """What it prints by itself, until that is as awaited, but not more than five times.

    Real time does not wait for a busy machine: a signal may come before the pause(2) that waits for it, and the program
    sleeps for ever then; or once more before it is counted.
    """
    printed: list[str] = []
    while len(printed) < 5 and awaited not in printed:
        try:
            done = subprocess.run([program], capture_output=True, text=True, timeout=20, check=True)
            printed.append(done.stdout)
        except subprocess.TimeoutExpired:
            printed.append("")
    return printed


def test_processor_time_is_virtual_time_in_which_one_does_not_wait(compiled: Compile) -> None:
    """The same in every run."""
    body = """
        rings(ITIMER_PROF, 2000, 0);
        sleep(10);
        while (!done) {}
        puts("rang");
        return 0; }
    """
    seen = record([compiled(HEAD + body)])
    assert (seen.output, seen.seconds, seen.reasons) == ("rang\n", 12.0, ())


COUNTS = """
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    timer_t timer = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    int file = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t count = 0;
    sets(timer, 0, 100, 100);
    times = (struct itimerspec){{0, 100 * MS}, {0, 100 * MS}};
    timerfd_settime(file, 0, &times, NULL);
    usleep(450000);
    timer_gettime(timer, &times);
    printf("%ld ", times.it_value.tv_nsec / MS);
    sigwaitinfo(&wanted, &about);
    result = read(file, &count, 8);
    printf("%d %d %ld ", about.si_overrun, timer_getoverrun(timer), (long)count);
    sigwaitinfo(&wanted, &about);
    result = read(file, &count, 8);
    printf("%d %d %ld\\n", about.si_overrun, timer_getoverrun(timer), (long)count);
    return 0; }
"""


def test_what_was_missed_is_counted(compiled: Compile) -> None:
    """As hrtimer_forward() does: four times until 450 ms, which is three more than one."""
    seen = record([compiled(HEAD + COUNTS)])
    assert (seen.output, seen.seconds) == ("50 3 3 4 0 0 1\n", 0.5)


CANCELLED = """
    int timer = timerfd_create(CLOCK_REALTIME, 0);
    uint64_t count = 0;
    struct pollfd readable = {timer, POLLIN, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    times.it_value.tv_sec = now.tv_sec + 100;
    timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &times, NULL);
    timer_t other = timer_of(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 0);
    timer_settime(other, TIMER_ABSTIME, &times, NULL);
    if (fork() == 0) {
        now.tv_sec += 90;
        sleep(1);
        _exit(clock_settime(CLOCK_REALTIME, &now) != 0);
    }
    printf("%d\\n", poll(&readable, 1, -1));
    result = read(timer, &count, 8);
    printf("%ld %d\\n", result, errno == ECANCELED);
    wait(NULL);
    pause();
    puts("rang");
    return 0; }
"""


def test_who_sets_the_clock_moves_the_moments_on_it(compiled: Compile) -> None:
    """timerfd_create(2), "cancel on set"; and the other one comes 89 s earlier."""
    if not has_capability(os.getpid(), CAP_SYS_TIME):
        pytest.skip("CAP_SYS_TIME is refused here: who sets the clock fails, as without the lens")
    seen = record([compiled(HEAD + CANCELLED)])
    assert (seen.output, seen.seconds) == ("1\n-1 1\nrang\n", 11.0)


def test_who_waits_for_what_a_stopped_timer_has_sent_waits_for_ever(compiled: Compile) -> None:
    program = compiled(f"""{HEAD}
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        timer_t timer = timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
        sets(timer, 0, 10, 0);
        usleep(30000);
        sets(timer, 0, 0, 0);
        sigwaitinfo(&wanted, NULL);
        return 0;
    }}""")
    (outcome,) = explore([program]).outcomes
    assert outcome.deadlock == ("P",)


NOT_MODELLED = {
    "uses setitimer for processor time": "rings(ITIMER_VIRTUAL, 10, 0); while (!done) {}",
    "uses timer_create for processor time": """
        sets(timer_of(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 5), 0, 50, 0);
        while (!done) {}
    """,
    "has a timer that rings again": """
        sets(timer_of(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 5), 0, 50, 50);
        pause();
    """,
}


@pytest.mark.parametrize("what", NOT_MODELLED)
def test_no_explorer_knows_all_that_they_do(what: str, compiled: Compile) -> None:
    found = explore([compiled(f'{HEAD}\n{NOT_MODELLED[what]}\nputs("rang"); return 0; }}')])
    assert not found.complete
    assert any(what in reason for reason in found.reasons)
    assert found.outputs == ("rang\n",)
