"""After any run, also one that is killed half-way, nothing of it is left: no process, no namespace, no file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.lab import load_lab
from autograder.mutants import make_class
from autograder.stage.isolation import PIDNS, SUBREAPER, probe

DEADLINE_SECONDS = 20.0


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    make_class(load_lab("init"), folder)
    return folder


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """A folder for the grader's scratch files; whoever still has its name in the command line was left behind."""
    folder = tmp_path / "t"
    folder.mkdir()
    yield folder
    for pid in processes_naming(folder):
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


@pytest.mark.parametrize("mode", [PIDNS, SUBREAPER])
@pytest.mark.parametrize("after", [0.3, 0.8, 1.5])
def test_a_grader_that_is_killed_leaves_nothing(
    submissions: Path, temporary: Path, tmp_path: Path, mode: str, after: float
) -> None:
    if mode == PIDNS and probe().mode != PIDNS:
        pytest.skip(probe().why)
    ours = pid_namespaces()[os.getpid()]
    command = [sys.executable, "-m", "autograder.cli", "grade", "init", str(submissions)]
    grader = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--mode", mode],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: any(temporary.iterdir()) or grader.poll() is not None)
    # Anywhere in the middle of a play will do; what matters is that it differs.
    time.sleep(after * random.random())
    assert grader.poll() is None, "it was over before it could be killed"
    everywhere = pid_namespaces()
    opened = {everywhere.get(pid, ours) for pid in processes_naming(temporary)} - {ours}
    grader.kill()
    grader.wait()
    wait_until(lambda: not processes_naming(temporary) and not any(temporary.iterdir()))
    assert processes_naming(temporary) == []
    assert list(temporary.iterdir()) == []
    wait_until(lambda: not in_namespaces(opened))
    assert in_namespaces(opened) == []


def wait_until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
