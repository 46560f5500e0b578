"""What the stage in virtual time promises of a play, with real processes: PID 1 of a namespace, below the lens."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.language.roles import INIT, MAIN, PIDNS, VIRTUAL
from autograder.stage.activity import Posture
from autograder.stage.actors import ActorLostError
from autograder.stage.errors import UnrulyError
from autograder.stage.isolation import probe
from autograder.stage.quiescence import Rest
from autograder.stage.stage import Stage
from autograder.stage.start import AS_AT_LOGIN, Start
from autograder.stage.tools import compiler
from autograder.stage.virtual import VirtualPlay
from autograder.stage.workspace import Workspace

HEAD = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
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
REAP_ALL = "start(arguments); while (wait(NULL) > 0 || errno == EINTR) {} return 0;"
OpenPlay = Callable[..., VirtualPlay]


@pytest.fixture
def open_play(workspace: Workspace) -> Iterator[OpenPlay]:
    """`open_play(BODY)` is a play with an init whose main() has that body; in it, `start(arguments)` starts main."""
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    opened: list[VirtualPlay] = []
    stages: list[Stage] = []

    def open_one(
        body: str,
        *,
        before: str = "",
        terminal: bool = False,
        start: Start = AS_AT_LOGIN,
        seed: int = 0,
    ) -> VirtualPlay:
        folder = workspace.subfolder()
        source = Path(folder, "init.c")
        main = "int main(int count, char **arguments) { (void)count; (void)start;" + body + "}\n"
        source.write_text(f"{HEAD}{before}\n{main}")
        command = [compiler(), "-std=gnu11", "-pthread", str(source), "-o", str(folder / "init")]
        subprocess.run(command, check=True, timeout=60)
        stage = Stage(VIRTUAL, workspace, folder)
        stages.append(stage)
        init = [f"{stage.sandbox.folder}/init", *stage.main]
        play = VirtualPlay(stage, init, terminal=terminal, start=start, seed=seed)
        opened.append(play)
        return play

    yield open_one
    for play in opened:
        play.close()
    for stage in stages:
        stage.close()


def tell(play: VirtualPlay, name: str, order: str) -> int:
    play.cast.command(name, order)
    return play.reply(name)


def fork(play: VirtualPlay, parent: str, *children: str) -> None:
    for child in children:
        play.cast.command(parent, f"fork {child}")
    for _ in children:
        play.reply(parent)
    assert play.wait_for_births(children)


def test_init_is_pid_1_and_main_its_child(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); pause(); return 0;")
    assert play.wait_for_main() is None
    status = Path(f"/proc/{play.init.pid}/status").read_text()
    assert status.split("NSpid:")[1].split("\n")[0].split()[-1] == "1"
    assert play.cast[MAIN].hello.condition.parent == play.init.pid
    assert play.name_inside(1) == INIT


def test_an_orphan_becomes_a_child_of_init_and_is_collected(open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL)
    play.wait_for_main()
    fork(play, MAIN, "worker")
    fork(play, "worker", "first", "second")
    tell(play, "worker", "exit 0")
    play.settle()
    stat = play.process("second").stat()
    assert stat is not None and play.name_of(stat.parent) == INIT
    worker = play.process("worker").stat()
    assert worker is not None and worker.state == "Z"
    tell(play, "first", "exit 7")
    play.settle()
    assert play.process("first").reaped() and play.status("first") == 7


def test_who_sleeps_in_the_kernel_is_woken_by_the_death_of_one_who_is_stopped(
    open_play: OpenPlay,
) -> None:
    """Nobody runs then: main dies in its sleep, after we have seen that init sleeps."""
    waits = "sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0); pid_t main = start(arguments); "
    play = open_play(
        waits + "do sigwaitinfo(&all, 0); while (waitpid(main, 0, WNOHANG) == 0); return 5;"
    )
    play.wait_for_main()
    play.cast.command(MAIN, "stop")
    play.settle()
    play.send(MAIN, signal.SIGKILL)
    play.settle()
    assert play.init.ended() and play.status(INIT) == 5


def test_what_init_is_doing_is_known(open_play: OpenPlay) -> None:
    play = open_play("waitpid(start(arguments), NULL, 0); return 3;")
    play.wait_for_main()
    settled = play.settle()
    assert (settled.rest, settled.activity.posture) == (Rest.QUIET, Posture.ASLEEP)
    assert play.name_inside(settled.activity.waits_for or 0) == MAIN
    tell(play, MAIN, "exit 0")
    play.settle()
    assert play.status(INIT) == 3 and play.init.ended()
    assert not play.init.reaped()


def test_a_sleep_of_ten_seconds_is_waited_for(open_play: OpenPlay) -> None:
    play = open_play("sleep(10); start(arguments); pause(); return 0;")
    assert play.wait_for_main() is None


@pytest.mark.parametrize(
    "naps",
    [
        "usleep(1000);",
        "struct itimerval t = {{0, 0}, {0, 5000}}; setitimer(ITIMER_REAL, &t, 0); pause();",
        "struct timespec t = {0, 5000000}; sigset_t s; sigemptyset(&s); sigtimedwait(&s, 0, &t);",
        "struct timeval t = {0, 5000}; char c; setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);"
        "recv(pair[0], &c, 1, 0);",
        "struct itimerspec t = {{0, 0}, {0, 5000000}}; char c[8]; timerfd_settime(file, 0, &t, 0);"
        "if (read(file, c, 8) < 0) return 1;",
    ],
    ids=["sleep", "alarm", "limit", "limit of a socket", "timer that is a file"],
)
def test_polling_is_seen_however_it_is_done(naps: str, open_play: OpenPlay) -> None:
    play = open_play(
        "signal(SIGALRM, nothing); int pair[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, pair);"
        "int file = timerfd_create(CLOCK_MONOTONIC, 0); (void)file;"
        f"start(arguments); for (;;) {{ {naps} }}",
        before="#include <sys/socket.h>\n#include <sys/time.h>\n#include <sys/timerfd.h>\n"
        "static void nothing(int number) { (void)number; }",
    )
    assert play.wait_for_main() is None
    assert play.settle().rest is Rest.POLLING


def test_an_init_that_spins_is_told_apart_and_the_play_goes_on(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); for (;;) waitpid(-1, NULL, WNOHANG);")
    play.wait_for_main()
    assert play.settle().rest is Rest.SPINNING
    tell(play, MAIN, "exit 0")
    play.settle()
    assert play.process(MAIN).reaped()


def test_who_starts_one_process_after_the_other_is_unruly(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); for (;;) { if (!fork()) _exit(0); wait(NULL); }")
    with pytest.raises(UnrulyError):
        play.wait_for_main()


def test_an_init_with_threads_plays(open_play: OpenPlay) -> None:
    """One thread takes the signals, the other one collects: it hung a first prototype."""
    play = open_play(
        "sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0); child = fork();"
        "if (!child) { setpgid(0, 0); sigset_t n; sigemptyset(&n); sigprocmask(SIG_SETMASK, &n, 0);"
        "execv(arguments[1], arguments + 1); _exit(127); }"
        "setpgid(child, child); pthread_t t; pthread_create(&t, 0, reap, 0); sigdelset(&all, SIGCHLD);"
        "for (;;) { int n; sigwait(&all, &n); kill(-child, n); }",
        before="static pid_t child; static void *reap(void *x) { (void)x; for (;;) { int s;"
        " if (wait(&s) == child) exit(WIFEXITED(s) ? WEXITSTATUS(s) : 128 + WTERMSIG(s)); } }",
    )
    assert play.wait_for_main() is None
    tell(play, MAIN, f"catch {signal.SIGUSR1.value}")
    play.send(INIT, signal.SIGUSR1)
    play.settle()
    assert play.cast[MAIN].caught == [(signal.SIGUSR1, 1)]
    play.send(INIT, signal.SIGTERM)
    play.settle()
    assert play.status(INIT) == 128 + signal.SIGTERM


def test_pid_1_takes_everybody_along(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); pause(); return 0;")
    play.wait_for_main()
    fork(play, MAIN, "worker")
    play.send(INIT, signal.SIGKILL)
    assert play.settle().rest is Rest.QUIET
    assert play.status(INIT) == play.status(MAIN) == play.status("worker") == -signal.SIGKILL
    with pytest.raises(ActorLostError):
        tell(play, "worker", "exit 0")


def test_a_signal_that_waits_is_pending_and_one_that_is_ignored_is_not(open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL)
    play.wait_for_main()
    tell(play, MAIN, f"block {signal.SIGUSR1.value}")
    tell(play, MAIN, f"ignore {signal.SIGUSR2.value}")
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
        play.send(MAIN, number)
    play.settle()
    assert play.process(MAIN).pending() == {signal.SIGUSR1}


def test_init_can_be_frozen_and_goes_on_where_it_was(open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL)
    play.wait_for_main()
    assert play.freeze()
    tell(play, MAIN, "exit 0")
    play.settle()
    stat = play.process(MAIN).stat()
    assert stat is not None and stat.state == "Z" and not play.init.ended()
    play.thaw()
    play.settle()
    assert play.process(MAIN).reaped() and play.status(INIT) == 0


@pytest.mark.parametrize("frozen", [INIT, MAIN])
def test_somebody_can_be_frozen_right_after_the_fork(frozen: str, open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL, start=Start(frozen=frozen))
    play.wait_for_fork()
    assert (MAIN in play.cast, play.frozen) == (frozen == INIT, frozen == INIT)
    play.thaw() if frozen == INIT else play.thaw_main()
    assert play.wait_for_main() is None


def test_the_same_seed_gives_the_same_play(open_play: OpenPlay) -> None:
    body = (
        "for (int i = 0; i < 6; i++) if (!fork()) { char c = 'a' + i; for (int j = 0; j < 3; j++)"
        "{ if (write(1, &c, 1) < 0) return 1; sched_yield(); usleep(10); } _exit(0); }"
        "start(arguments); while (wait(0) > 0) {} return 0;"
    )
    outputs = []
    for seed in (0, 0, 1, 1, 2, 2):
        play = open_play(body, seed=seed)
        play.wait_for_main()
        outputs.append(play.output())
    assert outputs[::2] == outputs[1::2]
    assert len(set(outputs)) > 1


ATTACKS = {
    "a child that is not traced": "syscall(SYS_clone, 0x00800000 | SIGCHLD, 0, 0, 0, 0)",
    "tracing": "ptrace(PTRACE_TRACEME, 0, 0, 0)",
    "a filter of its own": "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)",
    "a filter by seccomp": "syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)",
    "the other way to clone": "syscall(SYS_clone3, 0, 0)",
    "a namespace": "unshare(CLONE_NEWUSER)",
    "orders": "syscall(400, 0, room, sizeof room)",
    "replies": 'syscall(400, 1, "ok 0", 4)',
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_leaves_the_trace_or_plays_an_actor(attack: str, open_play: OpenPlay) -> None:
    play = open_play(
        "struct sock_filter code[] = {{6, 0, 0, 0x7fff0000}}; struct sock_fprog program = {1, code};"
        f"char room[64]; (void)room; (void)program; long r = {ATTACKS[attack]};"
        "if (r == 0 && getpid() != 1) for (;;) pause();"
        "start(arguments); wait(0); return r < 0 ? 5 : 6;"
    )
    assert play.wait_for_main() is None
    tell(play, MAIN, "exit 0")
    play.settle()
    assert play.status(INIT) == 5


def test_nobody_is_left_once_it_is_closed(open_play: OpenPlay) -> None:
    play = open_play("if (!fork()) { setsid(); fork(); pause(); } start(arguments); pause();")
    play.wait_for_main()
    pids = [play.init.pid, *(stray.pid for _, stray in play.strays()), play.process(MAIN).pid]
    assert len(pids) == 4
    play.close()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
