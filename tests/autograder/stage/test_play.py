"""What the stage promises of a play, with real processes and in both modes."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.language.roles import PIDNS
from autograder.stage.activity import Posture
from autograder.stage.play import Play
from autograder.stage.quiescence import Rest
from autograder.stage.stage import Stage
from autograder.stage.start import Start
from autograder.stage.workspace import Workspace

REAP_ALL = "start(arguments); while (wait(NULL) > 0 || errno == EINTR) {} return 0;"
WAIT_FOR_MAIN = "return waitpid(start(arguments), NULL, 0) < 0;"

OpenPlay = Callable[..., Play]


def fork(play: Play, parent: str, child: str) -> None:
    play.cast.command(parent, f"fork {child}")
    play.reply(parent)
    assert play.wait_for_births([child])


def tell(play: Play, name: str, order: str) -> None:
    play.cast.command(name, order)
    play.reply(name)


def test_init_is_pid_1_of_its_own_namespace_only_in_mode_pidns(
    open_play: OpenPlay, mode: str
) -> None:
    play = open_play("start(arguments); pause(); return getpid();")
    assert play.wait_for_main() is None
    inside = (
        Path(f"/proc/{play.init.pid}/status").read_text().split("NSpid:")[1].splitlines()[0].split()
    )
    assert (inside[-1] == "1" and len(inside) > 1) is (mode == PIDNS)
    assert play.cast["main"].condition.parent == play.init.pid


def test_an_orphan_becomes_a_child_of_init(open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL)
    play.wait_for_main()
    fork(play, "main", "worker")
    fork(play, "worker", "child")
    tell(play, "worker", "exit 0")
    assert play.settle(lambda: play.process("worker").ended()).rest is Rest.DONE
    stat = play.process("child").stat()
    assert stat is not None
    assert play.name_of(stat.parent) == "init"


def test_a_zombie_is_not_gone_before_it_is_reaped(open_play: OpenPlay) -> None:
    play = open_play(WAIT_FOR_MAIN)
    play.wait_for_main()
    fork(play, "main", "worker")
    tell(play, "worker", "exit 3")
    play.settle()
    worker = play.process("worker")
    assert worker.ended() and not worker.reaped()
    # Of a program that may not be read some kernels tell it to root alone: then nothing is said, and not 0.
    assert play.status("worker") == 3 or (os.geteuid() != 0 and play.status("worker") is None)
    tell(play, "main", f"reap {play.cast['worker'].pid_inside}")
    assert worker.reaped()


def test_how_one_ended_is_known_after_it_was_reaped_by_another(open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL)
    play.wait_for_main()
    fork(play, "main", "worker")
    tell(play, "worker", f"die {signal.SIGUSR1.value}")
    play.settle(play.process("worker").ended)
    tell(play, "main", f"reap {play.cast['worker'].pid_inside}")
    if play.status("worker") is None and play.process("worker").ended():
        pytest.skip(
            "this kernel forgets the status with the process (Linux 6.15 keeps it with the pidfd)"
        )
    assert play.status("worker") == -signal.SIGUSR1


def test_the_status_of_init_is_what_wait_says(open_play: OpenPlay) -> None:
    play = open_play("start(arguments); exit(42);")
    play.settle(play.init.ended)
    assert play.status("init") == 42


def test_init_killed_by_a_signal_is_told_from_one_that_exits_with_128_more(
    open_play: OpenPlay,
) -> None:
    play = open_play("start(arguments); for (;;) pause();")
    play.wait_for_main()
    play.init.send(signal.SIGKILL)
    play.settle(play.init.ended)
    assert play.status("init") == -signal.SIGKILL


def test_a_frozen_init_does_not_reap_and_a_thawed_one_does(open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL)
    play.wait_for_main()
    fork(play, "main", "worker")
    fork(play, "worker", "child")
    tell(play, "worker", "exit 0")
    play.settle()
    assert play.freeze()
    tell(play, "child", "exit 0")
    assert play.settle().rest is Rest.QUIET
    child = play.process("child")
    assert child.ended() and not child.reaped()
    play.thaw()
    assert play.settle(child.reaped).rest is Rest.DONE


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ("start(arguments); for (;;) pause();", "pause"),
        (REAP_ALL, "wait4"),
        ("start(arguments); for (;;) poll(NULL, 0, -1);", "poll"),
        (
            "start(arguments); sigset_t m; int n; sigfillset(&m); for (;;) sigwait(&m, &n);",
            "sigwaitinfo",
        ),
        (
            "int p[2]; char c; socketpair(AF_UNIX, SOCK_STREAM, 0, p); start(arguments);"
            "for (;;) recv(p[0], &c, 1, 0);",
            "recvfrom",
        ),
    ],
)
def test_who_is_blocked_for_ever_is_at_rest_and_it_is_known_in_which_call(
    open_play: OpenPlay, body: str, call: str
) -> None:
    play = open_play(body)
    play.wait_for_main()
    settled = play.settle()
    assert (settled.rest, settled.activity.posture) == (Rest.QUIET, Posture.ASLEEP)
    assert call in settled.activity.call or (call, settled.activity.call) in {
        ("pause", "ppoll"),
        ("poll", "ppoll"),
    }


@pytest.mark.parametrize(
    "body",
    [
        "start(arguments); for (;;) poll(NULL, 0, 20);",
        "start(arguments); for (;;) usleep(20000);",
        "start(arguments); for (;;) { waitpid(-1, NULL, WNOHANG); usleep(20000); }",
    ],
)
def test_one_who_wakes_up_again_and_again_for_nothing_is_polling(
    open_play: OpenPlay, body: str
) -> None:
    play = open_play(body)
    play.wait_for_main()
    settled = play.settle()
    assert (settled.rest, settled.activity.posture) == (Rest.POLLING, Posture.TIMED)


@pytest.mark.parametrize("body", ["for (;;) {}", "for (;;) waitpid(-1, NULL, WNOHANG);"])
def test_one_who_never_sleeps_is_spinning(open_play: OpenPlay, body: str) -> None:
    play = open_play("start(arguments);" + body)
    play.wait_for_main()
    assert play.settle().rest is Rest.SPINNING
    assert play.settle().rest is Rest.SPINNING


def test_an_init_that_never_starts_its_command_is_found_out_at_once(open_play: OpenPlay) -> None:
    settled = open_play("(void)start; for (;;) pause();").wait_for_main()
    assert settled is not None and settled.rest is Rest.QUIET
    settled = open_play("(void)start; (void)arguments; return 1;").wait_for_main()
    assert settled is not None


def test_a_process_that_init_starts_for_itself_is_seen_too(open_play: OpenPlay) -> None:
    play = open_play(
        "if (fork() == 0) { if (fork() == 0) for (;;) {} for (;;) pause(); } start(arguments); for (;;) pause();"
    )
    play.wait_for_main()
    assert play.settle().rest is Rest.SPINNING
    assert len(play.quiescence.strays()) == 2


def test_an_init_that_is_frozen_after_its_fork_is_known_to_be_so(open_play: OpenPlay) -> None:
    """It has still to stop when the signal has been sent: several plays, for that is a matter of microseconds."""
    for _ in range(8):
        play = open_play(REAP_ALL, start=Start(frozen="init"))
        play.wait_for_fork()
        assert play.frozen
        assert play.wait_for_main() is None


def test_a_row_of_deaths_leaves_nobody_behind(open_play: OpenPlay) -> None:
    play = open_play(REAP_ALL)
    play.wait_for_main()
    names = [f"w{number}" for number in range(20)]
    for name in names:
        fork(play, "main", name)
    pids = [play.process(name).pid for name in names]
    play.init.send(signal.SIGKILL)
    play.settle(play.init.ended)
    play.close()
    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}")] == []


def test_output_is_kept_apart_from_complaints(open_play: OpenPlay) -> None:
    play = open_play(
        'start(arguments); puts("out"); fflush(stdout); fprintf(stderr, "err"); for (;;) pause();'
    )
    play.wait_for_main()
    play.settle()
    tell(play, "main", "say hello\n")
    assert (play.output(), play.complaints()) == ("out\nhello\n", "err")


def test_a_megabyte_of_output_blocks_nobody(open_play: OpenPlay) -> None:
    play = open_play(
        'start(arguments); for (int i = 0; i < 1 << 16; i++) puts("0123456789abcdef"); return 5;'
    )
    play.settle(play.init.ended)
    assert play.status("init") == 5
    assert len(play.output()) >= 1 << 20


def test_with_a_terminal_init_has_a_controlling_one(open_play: OpenPlay) -> None:
    play = open_play(
        'int fd = open("/dev/tty", O_RDWR); start(arguments); dprintf(1, "%d", isatty(0) && fd >= 0); '
        "for (;;) pause();",
        terminal=True,
    )
    play.wait_for_main()
    play.settle()
    assert play.output() == "1"
    assert play.cast["main"].condition.foreground is not None


def test_somebody_who_pretends_to_be_an_actor_is_turned_away(open_play: OpenPlay) -> None:
    play = open_play(
        """
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int length = strrchr(arguments[1], '/') - arguments[1];
        snprintf(address.sun_path, sizeof address.sun_path, "%.*s/socket", length, arguments[1]);
        int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 9;
        char hello[] = "hello main 200";
        write(fd, hello, sizeof hello - 1);
        for (;;) pause();
        """
    )
    assert play.wait_for_main() is not None
    assert "main" not in play.cast


def test_nobody_learns_from_the_kernel_where_a_stage_listens(
    mode: str, workspace: Workspace
) -> None:
    with Stage(mode, workspace, workspace.subfolder()) as stage:
        assert str(workspace.folder) not in Path("/proc/net/unix").read_text()
        found = os.stat(stage.program.with_name("socket"))
        owner = os.getuid() if stage.sandbox.user is None else stage.sandbox.user
        assert (found.st_mode & 0o777, found.st_uid) == (0o600, owner)


def test_strangers_who_connect_use_up_nothing_of_a_play(mode: str, workspace: Workspace) -> None:
    folder = workspace.subfolder()
    script = folder / "init"
    script.write_text('#!/bin/sh\n"$@" &\nwait\n')
    script.chmod(0o755)
    with (
        Stage(mode, workspace, folder) as stage,
        Play(stage, [f"{stage.sandbox.folder}/init", *stage.main]) as play,
    ):
        for _ in range(1200):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
                stranger.connect(str(stage.program.with_name("socket")))
            play.cast.greet()
        assert play.wait_for_main() is None


def test_an_init_that_calls_connect_is_not_at_rest_before_it_is_answered(
    open_play: OpenPlay,
) -> None:
    play = open_play(
        """
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
        start(arguments);
        for (int i = 0; i < 3; i++) {
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return 9;
            close(fd);
        }
        for (;;) pause();
        """
    )
    assert play.wait_for_main() is None
    settled = play.settle()
    assert (settled.rest, settled.activity.call in ("pause", "ppoll")) == (Rest.QUIET, True)
