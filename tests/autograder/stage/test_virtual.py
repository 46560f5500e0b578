"""What the stage in virtual time promises of a play, with real processes: PID 1 of a namespace, below the lens."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.language.roles import (
    AS_COMMAND,
    AS_EVER,
    INIT,
    MAIN,
    PIDNS,
    SUBREAPER,
    VIRTUAL,
    VIRTUAL_SUBREAPER,
    Casting,
    Subject,
)
from autograder.stage import isolation
from autograder.stage.activity import Posture
from autograder.stage.actors import ActorLostError
from autograder.stage.errors import StageError, UnrulyError
from autograder.stage.isolation import probe
from autograder.stage.quiescence import Rest
from autograder.stage.stage import Stage
from autograder.stage.start import AS_AT_LOGIN, Start
from autograder.stage.tools import compiler
from autograder.stage.virtual import VirtualPlay
from autograder.stage.watch import Watched, ready
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


BOTH = pytest.mark.parametrize("mode", [VIRTUAL, VIRTUAL_SUBREAPER])


@pytest.fixture
def open_play(workspace: Workspace) -> Iterator[OpenPlay]:
    """`open_play(BODY)` is a play with an init whose main() has that body; in it, `start(arguments)` starts main.

    With `casting` it can be a play of a command, with actors on its PATH.
    """
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
        casting: Casting = AS_EVER,
        typed: bool = False,
        seed: int = 0,
        mode: str = VIRTUAL,
    ) -> VirtualPlay:
        folder = workspace.subfolder()
        source = Path(folder, "init.c")
        main = "int main(int count, char **arguments) { (void)count; (void)start;" + body + "}\n"
        source.write_text(f"{HEAD}{before}\n{main}")
        command = [compiler(), "-std=gnu11", "-pthread", str(source), "-o", str(folder / "init")]
        subprocess.run(command, check=True, timeout=60)
        stage = Stage(mode, workspace, folder)
        stages.append(stage)
        stage.put_commands(casting)
        if casting.commands:
            start = replace(start, variables=(f"PATH={stage.search_path()}",))
        init = [f"{stage.sandbox.folder}/init", *stage.main]
        play = VirtualPlay(
            stage, init, terminal=terminal, start=start, casting=casting, typed=typed, seed=seed
        )
        opened.append(play)
        return play

    yield open_one
    for play in opened:
        play.close()
    for stage in stages:
        stage.close()


def refuse_without_root(mode: str) -> None:
    if mode == VIRTUAL_SUBREAPER and os.geteuid() != 0:
        pytest.skip("without namespaces there is virtual time for root alone")


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
    assert play.cast[MAIN].condition.parent == play.init.pid
    assert play.name_inside(1) == INIT


def test_how_actors_begin_is_noted_only_if_somebody_may_ask(open_play: OpenPlay) -> None:
    body = "start(arguments); pause(); return 0;"
    with open_play(body, casting=replace(AS_EVER, notes_starts=False)) as play:
        assert play.wait_for_main() is None
        assert play.cast[MAIN].pid_inside == 2
        with pytest.raises(AssertionError):
            _ = play.cast[MAIN].condition


def test_files_are_laid_anew_only_for_a_play_that_has_others(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    with Stage(VIRTUAL, workspace, workspace.subfolder()) as stage:
        files = stage.program.with_name("files")
        stage.put_files([("unit", "one")])
        with monkeypatch.context() as patched:
            patched.delattr("autograder.stage.stage.put_program")
            stage.put_files([("unit", "one")])
        stage.put_files([("unit", "two"), ("more", "")])
        assert (files / "unit").read_text() == "two"
        stage.put_files([("more", "")])
        assert [file.name for file in files.iterdir()] == ["more"]


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


def test_a_poller_s_alarm_that_was_set_once_is_waited_for(open_play: OpenPlay) -> None:
    play = open_play(
        "signal(SIGALRM, leave); start(arguments); alarm(3); for (;;) usleep(100000);",
        before="static void leave(int number) { _exit(number); }",
    )
    play.settle()
    assert play.status(INIT) == signal.SIGALRM


def test_an_init_that_spins_is_told_apart_and_the_play_goes_on(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); for (;;) waitpid(-1, NULL, WNOHANG);")
    play.wait_for_main()
    assert play.settle().rest is Rest.SPINNING
    tell(play, MAIN, "exit 0")
    play.settle()
    assert play.process(MAIN).reaped()


def test_a_timer_rings_while_somebody_sends_itself_signals_for_ever(open_play: OpenPlay) -> None:
    play = open_play(
        "sigset_t both; sigemptyset(&both); sigaddset(&both, SIGALRM); sigaddset(&both, SIGTERM);"
        "sigprocmask(SIG_BLOCK, &both, 0); start(arguments); alarm(2);"
        "for (;;) { kill(getpid(), SIGTERM); if (sigwaitinfo(&both, 0) == SIGALRM) return 7; }"
    )
    play.settle()
    assert play.status(INIT) == 7


@pytest.mark.parametrize("fault", ["*(volatile int *)0 = 1;", "abort();"])
def test_a_fault_ends_pid_1_as_if_nobody_traced_it(fault: str, open_play: OpenPlay) -> None:
    play = open_play(f"start(arguments); sleep(1); {fault} return 0;")
    play.settle()
    assert play.status(INIT) == -signal.SIGSEGV
    assert play.status(MAIN) == -signal.SIGKILL


def test_the_last_signal_of_a_child_stops_no_pid_1(open_play: OpenPlay) -> None:
    play = open_play(
        "if (syscall(SYS_clone, SIGSTOP, 0, 0, 0, 0) == 0) _exit(0); waitpid(-1, 0, __WALL);"
        "kill(getpid(), SIGSTOP); start(arguments); pause(); return 0;"
    )
    assert play.wait_for_main() is None


def test_many_who_compute_are_seen_to_be_busy(open_play: OpenPlay) -> None:
    play = open_play(
        "for (int i = 0; i < 3; i++) if (!fork()) for (;;) getpgid(0); start(arguments); pause();"
    )
    assert play.wait_for_main() is None
    for _ in range(3):
        assert play.settle().rest is Rest.SPINNING
        tell(play, MAIN, f"block {signal.SIGUSR1.value}")


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
    "whether it is traced": "syscall(400, 2, 0, 0)",
    "a signal to the tracer": "kill(tracer(), SIGCONT)",
    "its limits": "syscall(SYS_prlimit64, tracer(), RLIMIT_NOFILE, &few, 0)",
    "its memory": "open(memory_of(tracer()), O_RDWR)",
    "somebody else's socket": "connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address)",
}
# Where there is no namespace between, /proc says who traces us. In one it is 0, which would mean ourselves.
TRACER = """
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
static struct rlimit few = {8, 8};
static struct sockaddr_un address = {AF_UNIX, "PATH"};
static pid_t tracer(void) {
    char line[256]; pid_t found = 0; FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status)) sscanf(line, "TracerPid: %d", &found);
    fclose(status); return found ? found : 999999;
}
static char *memory_of(pid_t pid) { static char path[64]; sprintf(path, "/proc/%d/mem", pid); return path; }
"""


@pytest.fixture
def socket_of_others(tmp_path: Path) -> Iterator[Path]:
    """Everybody may connect to it, as far as files go."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o111)
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen()
        yield path


@BOTH
@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_leaves_the_trace_or_plays_an_actor(
    attack: str, mode: str, open_play: OpenPlay, socket_of_others: Path
) -> None:
    refuse_without_root(mode)
    play = open_play(
        "struct sock_filter code[] = {{6, 0, 0, 0x7fff0000}}; struct sock_fprog program = {1, code};"
        f"char room[64]; (void)room; (void)program; pid_t self = getpid(); long r = {ATTACKS[attack]};"
        "if (r == 0 && getpid() != self) for (;;) pause();"
        "start(arguments); wait(0); return r < 0 ? 5 : 6;",
        before=TRACER.replace("PATH", str(socket_of_others))
        + "void *unused[] = {tracer, memory_of, &few, &address};\n",
        mode=mode,
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


BOSS = Casting(Subject("boss", AS_COMMAND), main=False, commands=("sleepy", "other"))
WITH_MAIN = replace(BOSS, main=True)
RUN = (
    "static pid_t run(const char *name) { pid_t child = fork();"
    " if (child == 0) { execlp(name, name, (char *)0); _exit(127); } return child; }\n"
)


@BOTH
def test_a_command_is_no_init_and_orphans_come_to_the_one_above_it(
    mode: str, open_play: OpenPlay
) -> None:
    refuse_without_root(mode)
    play = open_play("waitpid(start(arguments), 0, 0); return 4;", casting=WITH_MAIN, mode=mode)
    assert play.wait_for_main() is None
    fork(play, MAIN, "worker")
    fork(play, "worker", "child")
    tell(play, "worker", "exit 0")
    play.settle()
    above = play.process("boss").stat()
    stat = play.process("child").stat()
    assert above is not None and stat is not None
    assert play.name_of(above.parent) == play.name_of(stat.parent) == INIT
    tell(play, "child", "exit 3")
    play.settle()
    assert play.process("child").reaped() and not play.process("worker").reaped()
    assert play.status("child") == 3
    tell(play, MAIN, "exit 0")
    play.settle()
    assert play.status("boss") == 4 and not play.init.reaped()


@BOTH
def test_whoever_executes_a_command_is_called_like_its_file_and_runs_are_counted(
    mode: str, open_play: OpenPlay
) -> None:
    refuse_without_root(mode)
    body = '(void)arguments; run("sleepy"); run("other"); run("sleepy"); pause(); return 0;'
    play = open_play(body, before=RUN, casting=BOSS, mode=mode)
    play.settle()
    assert {actor.name for actor in play.cast} == {"sleepy", "other", "sleepy-2"}
    assert play.strays() == []
    assert play.children("boss") == 3
    tell(play, "sleepy", "exit 3")
    play.settle()
    assert play.status("sleepy") == 3 and not play.process("sleepy-2").ended()


def test_nobody_is_an_actor_whom_the_lab_does_not_cast(open_play: OpenPlay) -> None:
    """The actor program itself is main's alone, and there is no main here."""
    body = 'start(arguments); run("other"); int s; wait(&s); pause(); return 0;'
    casting = replace(BOSS, commands=("sleepy",))
    play = open_play(body, before=RUN, casting=casting)
    play.settle()
    assert list(play.cast) == []


def test_whom_the_subject_makes_is_named_the_oldest_first(open_play: OpenPlay) -> None:
    body = (
        "(void)arguments; for (int i = 0; i < 3; i++) if (!fork()) { setsid(); pause(); } pause();"
    )
    play = open_play(body, casting=BOSS)
    play.settle()
    assert len(play.strays()) == 3 and play.name_children("boss", ["first", "second"])
    assert not play.name_children("boss", ["third", "fourth"])
    assert play.pid_inside("boss") < min(
        int(
            Path(f"/proc/{play.process(name).pid}/status").read_text().split("NSpid:")[1].split()[1]
        )
        for name in ("first", "second")
    )
    assert play.process("first").pid < play.process("second").pid
    play.send("first", signal.SIGTERM)
    play.settle()
    assert play.status("first") == -signal.SIGTERM and play.status("second") is None
    assert [name for name, _ in play.strays()][:2] == ["first", "second"]


def test_lines_that_are_typed_are_read_by_whom_they_are_for(open_play: OpenPlay) -> None:
    body = '(void)arguments; char c; if (read(0, &c, 1) == 1) run("sleepy"); wait(0); return c;'
    play = open_play(body, before=RUN, casting=BOSS, typed=True)
    play.settle()
    assert "sleepy" not in play.cast
    play.type(b"x")
    play.settle()
    play.cast.command("sleepy", "read")
    play.type(b"one line\nand another\n")
    play.reply("sleepy")
    assert play.cast["sleepy"].heard == ["one line\n"]
    play.cast.command("sleepy", "read")
    play.reply("sleepy")
    play.cast.command("sleepy", "read")
    play.end_input()
    play.reply("sleepy")
    assert play.cast["sleepy"].heard == ["one line\n", "and another\n", ""]


def test_a_key_is_a_signal_to_the_foreground_and_to_nobody_else(open_play: OpenPlay) -> None:
    body = (
        "(void)arguments; signal(SIGINT, SIG_IGN); if (fork() == 0) { setpgid(0, 0);"
        'execlp("other", "other", (char *)0); }'
    )
    play = open_play(
        body + 'run("sleepy"); pause(); return 0;', before=RUN, casting=BOSS, terminal=True
    )
    play.settle()
    tell(play, "sleepy", f"catch {signal.SIGINT.value}")
    tell(play, "other", f"catch {signal.SIGINT.value}")
    play.type(b"\x03")
    play.settle()
    assert play.cast["sleepy"].caught == [(signal.SIGINT, 0)]
    assert play.cast["other"].caught == [] and not play.init.ended()


def test_more_than_a_terminal_holds_is_written_to_it(open_play: OpenPlay) -> None:
    body = "(void)arguments; char text[1000]; memset(text, 'x', 1000); for (int i = 0; i < 50; i++)"
    play = open_play(
        body + "if (write(1, text, 1000) < 0) return 1; return 0;", casting=BOSS, terminal=True
    )
    play.settle()
    assert play.status("boss") == 0 and len(play.output()) == 50_000


def test_output_and_error_output_are_told_apart(open_play: OpenPlay) -> None:
    body = (
        '(void)arguments; if (write(1, "out", 3) + write(2, "error", 5) != 8) return 1; return 0;'
    )
    play = open_play(body, casting=BOSS)
    play.settle()
    assert (play.output(), play.complaints()) == ("out", "error")


def test_a_timer_of_many_minutes_is_no_reason_to_wait(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); sleep(1000); return 3;", casting=WITH_MAIN)
    assert play.wait_for_main() is None
    settled = play.settle()
    assert (settled.rest, settled.activity.posture) == (Rest.TIMED, Posture.TIMED)
    assert settled.sleeper is not None and settled.sleeper.limit == 1000.0
    assert not play.init.ended()


def test_in_virtual_time_nobody_is_judged_as_the_graders_own_user(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StageError, match="the grader's own user"):
        Stage(VIRTUAL_SUBREAPER, workspace, workspace.subfolder())


def test_where_namespaces_are_refused_virtual_time_is_had_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = isolation.ModeChoice(SUBREAPER, "they are refused here")
    monkeypatch.setattr(isolation, "probe", lambda: refused)
    if os.geteuid() != 0:
        with pytest.raises(StageError):
            isolation.choose(VIRTUAL)
    else:
        choice = isolation.choose(VIRTUAL)
        assert choice.mode == VIRTUAL_SUBREAPER and "refused here" in choice.why


def test_who_is_to_be_traced_sleeps_until_then_and_executes_nothing_if_nobody_does(
    workspace: Workspace,
) -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    with Stage(VIRTUAL, workspace, workspace.subfolder()) as stage, open(os.devnull) as nothing:
        standard = (nothing.fileno(), nothing.fileno(), nothing.fileno())
        settings = stage.settings(AS_AT_LOGIN)
        pid, gate = stage.sandbox.open_play(["/bin/sh", "-c", ":"], standard, settings=settings)
        assert gate is not None
        with contextlib.closing(Watched(pid)) as process:
            until = time.monotonic() + 60
            while (stat := process.stat()) and stat.state != "S":
                assert time.monotonic() < until
                os.sched_yield()
            os.close(gate)
            assert ready(process.pidfd, seconds=60)
        assert stage.sandbox.status() == 1
