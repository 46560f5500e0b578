"""A directed play: actors have their orders from the lens, and it knows when nothing more will happen."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from forklab.lens.calls import cueing
from forklab.lens.edge import proc, seccomp
from forklab.lens.loop.rest import Kind, Rest
from forklab.lens.performance import Performance, filter_of_stops
from forklab.lens.world.chronicle import Member
from forklab.lens.world.surroundings import identity

ACTOR = """
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static void tell(const char *word) { syscall(400, 1, word, strlen(word)); }
static void caught(int number) { (void)number; tell("caught"); }
int main(void) {
    char order[64];
    for (;;) {
        long length = syscall(400, 0, order, sizeof order - 1);
        if (length < 0) return 125;
        order[length] = 0;
        if (!strcmp(order, "fork")) { if (fork() != 0) tell("forked"); }
        else if (!strcmp(order, "catch")) { signal(SIGTERM, caught); tell("ok"); }
        else if (!strcmp(order, "wait")) { wait(0); tell("reaped"); }
        else if (!strcmp(order, "answer")) {
            length = syscall(400, 3, "answer", 6, order, sizeof order - 1);
            order[length < 0 ? 0 : length] = 0;
            tell(order);
        }
        else _exit(atoi(order));
    }
}
"""
HEAD = """
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static pid_t start(char **arguments) {
    pid_t child = fork();
    if (child == 0) { execv(arguments[1], arguments + 1); _exit(127); }
    return child;
}
"""
_PR_SET_CHILD_SUBREAPER = 36
Compile = Callable[[str], str]


@dataclass
class Script:
    """A director that notes what happens, and lets everybody play who is an actor."""

    born_so_far: list[str] = field(default_factory=list)
    actors: list[Member] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def born(self, member: Member) -> None:
        self.born_so_far.append(member.name)

    def listens(self, member: Member) -> bool:
        self.actors.append(member)
        return True

    def hears(self, member: Member, text: str) -> None:
        self.heard.append(f"{member.name} {text}")

    def effects(self) -> object:
        return None


Perform = Callable[..., tuple[Performance, Script]]


@pytest.fixture
def perform(compiled: Compile) -> Iterator[Perform]:
    """`perform(BODY)` directs a program whose main() has that body; `start(arguments)` starts an actor there."""
    with contextlib.ExitStack() as opened:

        def begin(
            body: str, *, seed: int = 0, holds_exits: bool = False
        ) -> tuple[Performance, Script]:
            actor = compiled(ACTOR)
            program = compiled(
                f"{HEAD} int main(int count, char **arguments) {{ (void)count; (void)start; {body} }}"
            )
            pid = os.fork()
            if pid == 0:
                _become([program, actor], holds_exits=holds_exits)
            file, script = identity(actor), Script()
            assert file is not None
            performance = Performance(pid, file, script, seed=seed)
            opened.callback(performance.close)
            return performance, script

        yield begin


def _become(command: list[str], *, holds_exits: bool = False) -> None:
    """As a starter has to do it: the filter, and then it asks until it is traced."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        call = ctypes.CDLL(None).syscall
        seccomp.install(filter_of_stops(holds_exits=holds_exits))
        while call(cueing.NUMBER, cueing.BEGIN, 0, 0) < 0:
            os.sched_yield()
        os.execv(command[0], command)
    finally:
        os._exit(126)


def rest_of(performance: Performance) -> Kind:
    return performance.come_to_rest().kind


def test_an_actor_waits_for_its_order_and_the_play_is_at_rest_meanwhile(perform: Perform) -> None:
    performance, script = perform("int s; waitpid(start(arguments), &s, 0); return WEXITSTATUS(s);")
    assert performance.come_to_rest() == Rest(Kind.QUIET)
    [actor] = script.actors
    assert not actor.dead and not performance.first.dead
    performance.order(actor, "7")
    assert rest_of(performance) is Kind.QUIET
    assert (actor.status, performance.first.status) == (7, 7)


def test_orders_wait_for_an_actor_that_is_busy_with_another(perform: Perform) -> None:
    performance, script = perform("start(arguments); wait(0); return 0;")
    performance.come_to_rest()
    [actor] = script.actors
    for order in ("fork", "wait", "3"):
        performance.order(actor, order)
    performance.come_to_rest()
    _, child = script.actors
    assert not actor.dead and script.heard == ["P.1 forked"]
    performance.order(child, "0")
    performance.come_to_rest()
    assert actor.status == 3 and script.heard == ["P.1 forked", "P.1 reaped"]


def test_who_is_no_actor_is_told_that_there_is_no_such_call(perform: Perform) -> None:
    performance, script = perform("char c[9]; return syscall(400, 0, c, 9) == -1 ? 5 : 6;")
    performance.come_to_rest()
    assert (performance.first.status, script.actors) == (5, [])


def test_an_actor_that_executes_another_program_is_none_any_more(perform: Perform) -> None:
    performance, script = perform(
        "if (arguments[2]) return syscall(400, 0, 0, 0) == -1 ? 5 : 6;"
        'start(arguments); wait(0); execl(arguments[0], arguments[0], "", "again", (char *)0);'
    )
    performance.come_to_rest()
    performance.order(script.actors[0], "0")
    performance.come_to_rest()
    assert performance.first.status == 5


def test_who_is_born_is_told_of_before_it_does_anything(perform: Perform) -> None:
    performance, script = perform("start(arguments); pause();")
    stopped = []

    def born(member: Member) -> None:
        if member is not performance.first:
            performance.send(member, signal.SIGSTOP)
            stopped.append(member)

    script.born = born  # type: ignore[method-assign]
    performance.come_to_rest()
    assert [member.stopped for member in stopped] == [True] and script.actors == []
    performance.send(stopped[0], signal.SIGCONT)
    performance.come_to_rest()
    assert script.actors == stopped


def test_a_sleep_of_hours_is_waited_for_and_costs_nothing(perform: Perform) -> None:
    performance, _ = perform("sleep(10000); sleep(20000); return 3;")
    assert performance.come_to_rest() == Rest(Kind.QUIET)
    assert (performance.first.status, performance.seconds) == (3, 30000)


def test_who_wakes_up_for_nothing_again_and_again_polls(perform: Perform) -> None:
    performance, _ = perform("struct timespec t = {0, 5000000}; for (;;) nanosleep(&t, 0);")
    assert performance.come_to_rest() == Rest(Kind.POLLING, performance.first)
    assert performance.come_to_rest() == Rest(Kind.POLLING, performance.first)


def test_an_alarm_that_rings_for_nothing_is_polling(perform: Perform) -> None:
    performance, _ = perform(
        "signal(SIGALRM, SIG_IGN); sigset_t s; sigemptyset(&s); sigaddset(&s, SIGALRM);"
        "sigprocmask(SIG_BLOCK, &s, 0); int n; for (;;) { alarm(1); sigwait(&s, &n); }"
    )
    assert rest_of(performance) is Kind.POLLING


def test_ten_looks_that_come_to_something_are_no_polling(perform: Perform) -> None:
    """As a shutdown does that waits for ten seconds, and kills then."""
    performance, _ = perform(
        "pid_t c = fork(); if (!c) { signal(SIGTERM, SIG_IGN); for (;;) pause(); }"
        "for (int i = 0; i < 10; i++) { if (waitpid(c, 0, WNOHANG)) return 1; sleep(1); }"
        "kill(c, SIGKILL); wait(0); return 4;"
    )
    assert rest_of(performance) is Kind.QUIET
    assert performance.first.status == 4


@pytest.mark.parametrize(
    "loop",
    [
        "for (;;) {}",
        "for (;;) waitpid(-1, 0, WNOHANG);",
        "for (volatile unsigned long n = 0;; n++);",
    ],
)
def test_who_runs_without_a_pause_is_busy(loop: str, perform: Perform) -> None:
    performance, script = perform(f"start(arguments); {loop}")
    assert performance.come_to_rest() == Rest(Kind.BUSY, performance.first)
    performance.order(script.actors[0], "9")
    assert rest_of(performance) is Kind.BUSY
    assert script.actors[0].status == 9


def test_signals_to_oneself_without_an_end_are_busy(perform: Perform) -> None:
    performance, _ = perform("signal(SIGTERM, SIG_IGN); for (;;) kill(getpid(), SIGTERM);")
    assert rest_of(performance) is Kind.BUSY


def test_whoever_makes_many_processes_is_not_busy_however_much_they_do(perform: Perform) -> None:
    performance, _ = perform(
        "for (int n = 0; n < 50; n++) if (fork() == 0) { for (int i = 0; i < 70; i++) kill(getpid(), 0); _exit(0); }"
        "while (wait(0) > 0); return 6;"
    )
    assert rest_of(performance) is Kind.QUIET
    assert performance.first.status == 6


def test_a_sibling_is_no_child_of_who_has_made_it(perform: Perform) -> None:
    performance, _ = perform(
        "if (fork() == 0) {"
        "    if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) _exit(7);"
        "    _exit(wait(0) < 0 ? 3 : 4);"
        "}"
        "int s, sum = 0; while (wait(&s) > 0) sum += WEXITSTATUS(s); return sum;"
    )
    assert rest_of(performance) is Kind.QUIET
    assert [member.parent for member in performance.everybody[1:]] == [performance.first] * 2
    assert performance.first.status == 3 + 7


def test_who_computes_for_long_lets_others_come_and_goes_on(perform: Perform) -> None:
    performance, script = perform(
        "start(arguments); for (volatile long n = 0; n < 200000000; n++); return 6;"
    )
    assert rest_of(performance) is Kind.QUIET
    assert performance.first.status == 6 and len(script.actors) == 1


def test_a_signal_comes_to_an_actor_that_waits_for_orders(perform: Perform) -> None:
    performance, script = perform("start(arguments); wait(0); return 0;")
    performance.come_to_rest()
    [actor] = script.actors
    performance.order(actor, "catch")
    performance.come_to_rest()
    performance.send(actor, signal.SIGTERM)
    performance.come_to_rest()
    assert script.heard == ["P.1 ok", "P.1 caught"]
    assert performance.caught_by(actor) == [(signal.SIGTERM, "")]
    performance.order(actor, "2")
    performance.come_to_rest()
    assert actor.status == 2


def test_an_answer_is_heard_once_whatever_signal_comes_to_who_waits_for_the_next_order(
    perform: Perform,
) -> None:
    performance, script = perform("start(arguments); wait(0); return 0;")
    performance.come_to_rest()
    [actor] = script.actors
    for order in ("catch", "answer"):
        performance.order(actor, order)
    performance.come_to_rest()
    assert script.heard == ["P.1 ok", "P.1 answer"]
    performance.send(actor, signal.SIGTERM)
    performance.come_to_rest()
    assert script.heard == ["P.1 ok", "P.1 answer", "P.1 caught"]
    performance.order(actor, "go on")
    performance.come_to_rest()
    assert script.heard[3:] == ["P.1 go on"]


SIGNALS_WAITED_FOR = """
    sigset_t some, none;
    sigemptyset(&none);
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
"""
CATCHES = "signal(SIGUSR1, (void (*)(int))abs);"
BLOCKS = "sigprocmask(SIG_BLOCK, &some, 0);"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (f"{CATCHES} pause(); return errno;", errno.EINTR),
        (f"{CATCHES} {BLOCKS} sigsuspend(&none); return errno;", errno.EINTR),
        (f"{BLOCKS} return sigwaitinfo(&some, 0);", signal.SIGUSR1),
        (f"{CATCHES} sigemptyset(&some); sigwaitinfo(&some, 0); return errno;", errno.EINTR),
        (
            f"{BLOCKS} struct timespec t = {{1000, 0}}; return sigtimedwait(&some, 0, &t);",
            signal.SIGUSR1,
        ),
    ],
)
def test_who_waits_for_signals_alone_is_held_and_hears_each(
    body: str, status: int, perform: Perform
) -> None:
    performance, _ = perform(SIGNALS_WAITED_FOR + body)
    performance.come_to_rest(patience=1)
    assert proc.state(performance.first.pid) == "t", "it does not sleep in the kernel"
    performance.send(performance.first, signal.SIGUSR1)
    performance.come_to_rest(patience=1)
    assert performance.first.status == status


def test_what_was_there_before_is_not_waited_for(perform: Perform) -> None:
    performance, _ = perform(
        f"{SIGNALS_WAITED_FOR} {BLOCKS} raise(SIGUSR1); return sigwaitinfo(&some, 0);"
    )
    performance.come_to_rest()
    assert performance.first.status == signal.SIGUSR1


def test_a_wait_for_signals_that_is_over_says_so_in_its_time(perform: Perform) -> None:
    performance, _ = perform(
        f"{SIGNALS_WAITED_FOR} {BLOCKS} struct timespec t = {{10, 0}};"
        " return sigtimedwait(&some, 0, &t) < 0 ? errno : 0;"
    )
    performance.come_to_rest()
    assert performance.first.status == errno.EAGAIN
    assert 10 <= performance.seconds < 10.1


def test_what_kills_or_stops_was_not_caught(perform: Perform) -> None:
    performance, script = perform("start(arguments); pause();")
    performance.come_to_rest()
    [actor] = script.actors
    performance.send(actor, signal.SIGSTOP)
    performance.come_to_rest()
    assert actor.stopped
    performance.send(actor, signal.SIGCONT)
    performance.send(actor, signal.SIGTERM)
    performance.come_to_rest()
    assert actor.status == -signal.SIGTERM and performance.caught_by(actor) == []


def test_one_that_is_killed_where_it_waits_is_gone_at_rest(perform: Perform) -> None:
    performance, script = perform("start(arguments); wait(0); return 8;")
    performance.come_to_rest()
    performance.send(script.actors[0], signal.SIGKILL)
    assert rest_of(performance) is Kind.QUIET
    assert (script.actors[0].status, performance.first.status) == (-signal.SIGKILL, 8)


def test_the_same_seed_gives_the_same_play_and_another_one_another(perform: Perform) -> None:
    body = (
        "for (int i = 0; i < 5; i++) if (!fork()) { for (int j = 0; j < 3; j++) kill(getpid(), 0);"
        "kill(getppid(), SIGCONT); _exit(i); }"
        "int last = 0, s; while (wait(&s) > 0) last = 5 * last + WEXITSTATUS(s); return last % 251;"
    )

    def order_of_ends(seed: int) -> int | None:
        performance, _ = perform(body, seed=seed)
        performance.come_to_rest()
        return performance.first.status

    found = [order_of_ends(seed) for seed in range(6)]
    assert found == [order_of_ends(seed) for seed in range(6)]
    assert len(set(found)) > 1


def test_nobody_is_left_of_a_play_that_is_closed(perform: Perform) -> None:
    performance, script = perform("setsid(); if (fork()) pause(); start(arguments); pause();")
    performance.come_to_rest()
    pids = [member.pid for member in performance.everybody]
    assert len(pids) == 3 and len(script.actors) == 1
    performance.close()
    # Whoever has adopted them has still to collect them.
    assert {proc.state(pid) for pid in pids} <= {None, "Z"}


def test_children_of_others_are_left_alone(perform: Perform) -> None:
    """The tracer may have some: nobody but the play's own is waited for."""
    other = os.fork()
    if other == 0:
        os._exit(5)
    performance, _ = perform("return 0;")
    performance.come_to_rest()
    performance.close()
    assert os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) == 5


TEN_SECONDS = "struct timespec t = {10, 0}; nanosleep(&t, 0);"


def test_who_sleeps_longer_than_the_patience_is_not_waited_for(perform: Perform) -> None:
    performance, _ = perform(f"{TEN_SECONDS} return 0;")
    assert performance.come_to_rest(9.0) == Rest(Kind.LATER, performance.first, 10.0)
    assert (performance.first.dead, performance.seconds) == (False, 0.0)
    assert performance.come_to_rest(10.0) == Rest(Kind.QUIET)
    assert performance.first.status == 0 and performance.seconds >= 10.0


def test_who_polls_each_second_is_not_waited_for_either(perform: Perform) -> None:
    body = "struct timespec t = {1, 0}; for (int i = 0; i < 10; i++) nanosleep(&t, 0); return 0;"
    performance, _ = perform(body)
    assert performance.come_to_rest(5.0) == Rest(Kind.POLLING, performance.first)
    assert performance.seconds < 10.0


def test_while_one_polls_another_one_who_sleeps_is_waited_for(perform: Perform) -> None:
    body = (
        "struct timespec four = {4, 0}, few = {0, 2000000};"
        "if (fork() == 0) { nanosleep(&four, 0); _exit(7); }"
        "while (waitpid(-1, 0, WNOHANG) == 0) nanosleep(&few, 0); return 3;"
    )
    performance, _ = perform(body)
    assert performance.come_to_rest(5.0) == Rest(Kind.QUIET)
    assert performance.first.status == 3


def test_who_looks_at_its_own_processor_time_is_not_busy(perform: Perform) -> None:
    body = (
        "struct timespec t; do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);"
        "while (t.tv_sec == 0 && t.tv_nsec < 50000000); return 4;"
    )
    performance, _ = perform(body)
    assert performance.come_to_rest() == Rest(Kind.QUIET)
    assert performance.first.status == 4


@pytest.mark.parametrize("clock", ["CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID"])
def test_whoever_has_computed_is_told_so_by_its_clocks(perform: Perform, clock: str) -> None:
    body = (
        "for (volatile int i = 0; i < 30000000; i++) continue;"
        f"struct timespec t; clock_gettime({clock}, &t); return t.tv_sec || t.tv_nsec > 5000000 ? 4 : 5;"
    )
    performance, _ = perform(body)
    performance.come_to_rest()
    assert performance.first.status == 4


FAMILY = "if (fork() == 0) _exit(7); int s; wait(&s); return WEXITSTATUS(s);"


def test_where_exits_are_held_everybody_stands_still_until_it_may_go(perform: Perform) -> None:
    performance, _ = perform(FAMILY, holds_exits=True)
    performance.come_to_rest()
    parent, child = performance.everybody
    assert (performance.held_exit(child), performance.held_exit(parent)) == (7, None)
    performance.let_exit(child)
    performance.come_to_rest()
    assert child.reaped and performance.held_exit(parent) == 7
    performance.let_exit(parent)
    performance.come_to_rest()
    assert parent.status == 7


def test_who_may_exit_before_it_wants_to_is_not_held(perform: Perform) -> None:
    performance, _ = perform(FAMILY, holds_exits=True)
    performance.let_exit(performance.first)
    performance.come_to_rest()
    performance.let_exit(performance.everybody[1])
    performance.come_to_rest()
    assert performance.first.status == 7


@pytest.mark.parametrize(
    ("before", "number", "status"),
    [
        ("", signal.SIGTERM, -signal.SIGTERM),
        ("", signal.SIGKILL, -signal.SIGKILL),
        ("signal(SIGTERM, (void (*)(int))abort);", signal.SIGTERM, None),
        ("", signal.SIGSTOP, None),
    ],
)
def test_what_kills_kills_who_is_held_at_its_exit_and_nothing_else_moves_it(
    perform: Perform, before: str, number: int, status: int | None
) -> None:
    performance, _ = perform(f"{before} return 5;", holds_exits=True)
    performance.come_to_rest()
    performance.send(performance.first, number)
    performance.come_to_rest()
    assert performance.first.status == status
    assert performance.held_exit(performance.first) == (5 if status is None else None)
