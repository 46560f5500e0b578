"""Lab init: what the scenarios cannot say of the solutions, and what holds its files together.

A scenario meets an init that has come to rest. Here the solutions start in places that nobody tidied up: signals
blocked, ignored or pending, a terminal that is somebody else's.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.labs.mutants import load_mutants, write

LAB = Path(__file__).parents[2] / "labs" / "init"
STRICT_C = ("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror")
PATIENCE = 60  # seconds, for a machine that is busy


@pytest.fixture(scope="module", params=["c", "python"])
def init(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that starts a solution."""
    if request.param == "python":
        return [sys.executable, str(LAB / "solution/python/init.py")]
    program = tmp_path_factory.mktemp("init") / "init"
    subprocess.run([*STRICT_C, "-o", program, LAB / "solution/c/init.c"], check=True)
    return [str(program)]


def run(
    command: list[str], before: Callable[[], object] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `command` in a session of its own, after `before` in the process that becomes it."""
    with subprocess.Popen(
        command,
        preexec_fn=before,
        env={
            **os.environ,
            "PATH": os.defpath,
        },  # a folder in it that we may not read would change the error
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            output, complaints = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            end_session(process.pid)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, complaints)


def run_at_terminal(script: str, typed: bytes) -> str:
    """What a terminal shows while `script` runs at it and `typed` is waiting to be read."""
    child, terminal = pty.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        os.execvp("sh", ["sh", "-c", script])
    os.write(terminal, typed)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # EIO: everybody has closed it
        pass
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return shown.decode()


def end_session(session: int) -> None:
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            if os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def block_everything_and_get_sigterm() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    os.kill(os.getpid(), signal.SIGTERM)


def ignore_and_block() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGRTMIN, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGRTMAX})


def test_a_signal_that_came_before_init_began_reaches_the_command(init: list[str]) -> None:
    assert run([*init, "sleep", "600"], block_everything_and_get_sigterm).returncode == 143


def test_a_status_is_not_lost_where_sigchld_is_ignored_by_inheritance(init: list[str]) -> None:
    ended = run(
        [*init, "sh", "-c", "exit 42"], lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    )
    assert ended.returncode == 42


def test_a_command_starts_clean_under_an_init_that_did_not(init: list[str]) -> None:
    masks = run([*init, "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"], ignore_and_block).stdout
    # glibc's posix_spawn, which make uses, leaves its own two signals, 32 and 33, ignored; nobody can undo that.
    reserved = 1 << 31 | 1 << 32
    assert [int(line.split()[1], 16) & ~reserved for line in masks.splitlines()] == [0, 0]


@pytest.mark.parametrize("command", ["no-such-command", "", "/proc/version/no/folder"])
def test_a_command_that_is_not_found_is_named(init: list[str], command: str) -> None:
    ended = run([*init, command])
    assert ended.returncode == 127
    assert ended.stderr.startswith(f"init: {command}: ")


def test_without_a_command_init_says_how_it_is_used(init: list[str]) -> None:
    ended = run(init)
    assert ended.returncode == 2
    assert "usage: " in ended.stderr


def test_the_terminal_is_given_back(init: list[str]) -> None:
    script = f"{' '.join(init)} true; read line && echo and now $line"
    assert "and now me" in run_at_terminal(script, b"me\n")


def test_an_init_in_the_background_leaves_the_terminal_alone(init: list[str]) -> None:
    script = f"set -m; {' '.join(init)} true & wait $!; read line && echo still $line"
    assert "still mine" in run_at_terminal(script, b"mine\n")


def test_the_lab_is_worth_120_points() -> None:
    assert load_lab(LAB).max_points == 120


def test_every_mutant_compiles_without_a_warning(tmp_path: Path) -> None:
    mutants = [mutant for mutant in load_mutants(load_lab(LAB)) if mutant.of.suffix == ".c"]
    for mutant in mutants:
        write(mutant, tmp_path / mutant.name)
        source = tmp_path / mutant.name / mutant.of.name
        subprocess.run([*STRICT_C, "-fsyntax-only", source], check=True)
    assert mutants
