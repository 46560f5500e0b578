"""After any run, also one that is killed half-way, nothing of it is left: no process, no namespace, no file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.labs.demo_class import make_class
from autograder.labs.lab import load_lab

DEADLINE_SECONDS = 20.0


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    make_class(load_lab("init"), folder)
    return folder


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for the grader's scratch files; whoever still has its name in the command line was left behind.

    Its name is short: sockets go there. Everybody may pass through: submissions may have users of their own.
    """
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)
        for pid in processes_naming(Path(name)):
            os.kill(pid, signal.SIGKILL)


def processes_naming(folder: Path) -> list[int]:
    """Those that have the folder's name in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in told:
                found.append(int(entry.name))
    return found


def in_namespaces(wanted: set[str]) -> list[str]:
    """Who is in one of these PID namespaces. One that nobody is in any more is gone."""
    return [f"/proc/{pid}" for pid, namespace in pid_namespaces().items() if namespace in wanted]


def pid_namespaces() -> dict[int, str]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = os.readlink(entry / "ns" / "pid")
            except OSError:
                continue
    return found


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_grader_that_is_ended_half_way_leaves_nothing(
    submissions: Path, temporary: Path, tmp_path: Path, mode: str, ending: signal.Signals
) -> None:
    ours = pid_namespaces()[os.getpid()]
    command = [sys.executable, "-m", "autograder.command.cli", "grade", "init", str(submissions)]
    grader = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--mode", mode],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: any(temporary.iterdir()) or grader.poll() is not None)
    # Anywhere in the middle of a play will do; what matters is that it differs.
    time.sleep(random.random())
    assert grader.poll() is None, "it was over before it could be killed"
    everywhere = pid_namespaces()
    opened = {everywhere.get(pid, ours) for pid in processes_naming(temporary)} - {ours}
    grader.send_signal(ending)
    grader.wait(DEADLINE_SECONDS)
    wait_until(lambda: processes_naming(temporary) == [])
    wait_until(lambda: list(temporary.iterdir()) == [])
    wait_until(lambda: in_namespaces(opened) == [])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
