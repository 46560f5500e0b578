"""Whoever sleeps on a timer is waited for; who wakes up again and again and does nothing is polling, whatever wakes it.

The inits below are all in C, with the calls that students use: each of them starts main and reaps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from autograder.stage.activity import Posture
from autograder.stage.play import Play
from autograder.stage.quiescence import Rest

OpenPlay = Callable[..., Play]


def tell(play: Play, name: str, order: str) -> None:
    play.cast.command(name, order)
    play.reply(name)


INCLUDES = """
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <stdint.h>
#include <time.h>
"""
NOBODY_CARES = "signal(SIGALRM, tick);"
EACH_20_MS = "struct itimerval t = {{0, 20000}, {0, 20000}}; setitimer(ITIMER_REAL, &t, NULL);"

# What an init does after it has started main: it wakes up every 20 ms, and there is nothing to do.
CLOCKS = {
    "nanosleep": "struct timespec t = {0, 20000000}; for (;;) nanosleep(&t, NULL);",
    "until a moment": """
        struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
        for (;;) {
            if ((t.tv_nsec += 20000000) >= 1000000000) { t.tv_sec++; t.tv_nsec -= 1000000000; }
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        }""",
    "poll": "for (;;) poll(NULL, 0, 20);",
    "select": "for (;;) { struct timeval t = {0, 20000}; select(0, NULL, NULL, NULL, &t); }",
    "epoll": "struct epoll_event e; int p = epoll_create1(0); for (;;) epoll_wait(p, &e, 1, 20);",
    "setitimer": NOBODY_CARES + EACH_20_MS + "for (;;) pause();",
    "alarm again and again": NOBODY_CARES + "for (;;) { ualarm(20000, 0); pause(); }",
    "timer_settime": NOBODY_CARES
    + """
        timer_t id; struct itimerspec t = {{0, 20000000}, {0, 20000000}};
        timer_create(CLOCK_MONOTONIC, NULL, &id); timer_settime(id, 0, &t, NULL);
        for (;;) pause();""",
    "timerfd": """
        struct itimerspec t = {{0, 20000000}, {0, 20000000}}; uint64_t n;
        int fd = timerfd_create(CLOCK_MONOTONIC, 0); timerfd_settime(fd, 0, &t, NULL);
        for (;;) if (read(fd, &n, sizeof n) < 0) return 1;""",
    "SO_RCVTIMEO": """
        int s[2]; char c; struct timeval t = {0, 20000}; socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
        for (;;) recv(s[0], &c, 1, 0);""",
}
HANDLER = "static void tick(int n) { (void)n; }"


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=list(CLOCKS))
def test_whatever_wakes_it_again_and_again_for_nothing_it_is_polling(
    open_play: OpenPlay, clock: str
) -> None:
    play = open_play("start(arguments);" + clock, before=INCLUDES + HANDLER)
    assert play.wait_for_main() is None
    assert play.settle().rest is Rest.POLLING


NAPS = {
    "usleep": "usleep(300000);",
    "many short ones": "for (int i = 0; i < 300; i++) usleep(1000);",
    "poll": "poll(NULL, 0, 300);",
    "alarm": NOBODY_CARES + "alarm(1); pause();",
    "setitimer": NOBODY_CARES
    + "struct itimerval t = {{0, 0}, {0, 300000}}; setitimer(ITIMER_REAL, &t, NULL); pause();",
    "two timers": NOBODY_CARES
    + "struct itimerval t = {{0, 0}, {0, 300000}}, much_later = {{0, 0}, {3600, 0}}; "
    "timer_t id; struct itimerspec later = {{0, 0}, {3600, 0}}; "
    "timer_create(CLOCK_MONOTONIC, NULL, &id); timer_settime(id, 0, &later, NULL); "
    "setitimer(ITIMER_REAL, &t, NULL); setitimer(ITIMER_PROF, &much_later, NULL); "
    "setitimer(ITIMER_VIRTUAL, &(struct itimerval){0}, NULL); pause();",
    "timerfd": """
        struct itimerspec t = {{0, 0}, {0, 300000000}}; uint64_t n;
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); timerfd_settime(fd, 0, &t, NULL);
        if (read(fd, &n, sizeof n) < 0) return 1;""",
    "SO_RCVTIMEO": """
        int s[2]; char c; struct timeval t = {0, 300000};
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s);
        setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t); recv(s[0], &c, 1, 0);""",
}


def functions(nap: str) -> str:
    return INCLUDES + HANDLER + "static int nap(void) {" + nap + "return 0; }"


@pytest.mark.parametrize("nap", NAPS.values(), ids=list(NAPS))
def test_a_child_that_sleeps_before_its_exec_is_waited_for(open_play: OpenPlay, nap: str) -> None:
    play = open_play(
        "if (fork() == 0) { nap(); execv(arguments[1], arguments + 1); } for (;;) wait(NULL);",
        before=functions(nap),
    )
    assert play.wait_for_main() is None


@pytest.mark.parametrize("nap", ["usleep", "setitimer"])
def test_an_init_that_sleeps_before_it_does_something_is_waited_for(
    open_play: OpenPlay, nap: str
) -> None:
    play = open_play(
        "nap(); waitpid(start(arguments), NULL, 0); nap(); return 7;", before=functions(NAPS[nap])
    )
    assert play.wait_for_main() is None
    tell(play, "main", "exit 0")
    play.settle()
    assert play.status("init") == 7


def test_a_timer_that_main_has_from_init_rings_before_the_play_is_at_rest(
    open_play: OpenPlay,
) -> None:
    """Interval timers survive execve(2): setitimer(2)."""
    play = open_play(
        """if (fork() == 0) {
            struct itimerval t = {{0, 0}, {0, 300000}}; setitimer(ITIMER_REAL, &t, NULL);
            execv(arguments[1], arguments + 1);
        }
        for (;;) pause();""",
        before=INCLUDES,
    )
    assert play.wait_for_main() is None
    play.settle()
    assert play.process("main").ended()


def test_nobody_waits_for_a_timer_that_rings_much_later(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); alarm(3600); for (;;) pause();")
    play.wait_for_main()
    assert play.settle().rest is Rest.QUIET
    play = open_play("start(arguments); for (;;) sleep(3600);")
    play.wait_for_main()
    settled = play.settle()
    assert (settled.rest, settled.activity.posture) == (Rest.TIMED, Posture.TIMED)


def test_a_sleep_that_was_stopped_goes_on_as_one(open_play: OpenPlay) -> None:
    """restart_syscall(2): the kernel does not tell any more which call it was."""
    play = open_play("start(arguments); usleep(300000); return 7;")
    play.wait_for_main()
    assert play.freeze()
    play.thaw()
    play.settle()
    assert play.status("init") == 7


def test_one_that_is_stopped_while_it_sets_a_timer_is_at_rest(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); for (;;) alarm(100);")
    play.wait_for_main()
    assert play.freeze()
    looks = itertools.count()
    assert play.settle(lambda: next(looks) > 1000).rest is not Rest.DONE


def test_a_child_of_vfork_that_sleeps_leaves_its_parent_asleep_too(open_play: OpenPlay) -> None:
    """vfork(2) keeps the parent in state D, in which nobody can wake it."""
    play = open_play("start(arguments); if (vfork() == 0) { pause(); _exit(0); } return 0;")
    play.wait_for_main()
    assert play.settle().rest is Rest.QUIET
