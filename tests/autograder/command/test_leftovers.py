"""After any run, also one that is killed half-way, nothing of it is left: no process, no namespace, no file."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sampled import every_other

from autograder.labs.demo_class import make_class
from autograder.labs.lab import load_lab
from autograder.language.roles import (
    PIDNS,
    SUBREAPER,
    VIRTUAL,
    VIRTUAL_SUBREAPER,
    isolation_of,
)

DEADLINE_SECONDS = 20.0
# Sessions of their own, orphans, nothing that can be blocked gets through, and they never sleep.
RUNS_AWAY = """
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            setsid();
            if (fork() != 0)
                _exit(0);
            prctl(PR_SET_NAME, "OURS");
            for (;;)
                ;
        }
    for (;;)
        ;
}
"""


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
    """Who lives in one of these PID namespaces. Zombies don't: when they are collected is up to the machine's PID 1."""
    everywhere = pid_namespaces().items()
    return [f"/proc/{pid}" for pid, space in everywhere if space in wanted and not is_zombie(pid)]


def is_zombie(pid: int) -> bool:
    """Or gone altogether by now."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return True


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
    begins = "it has no scratch file"
    wait_until(lambda: any(temporary.iterdir()) or grader.poll() is not None, what=begins)
    # Anywhere in the middle of a play will do; what matters is that it differs.
    time.sleep(random.random())
    assert grader.poll() is None, "it was over before it could be killed"
    everywhere = pid_namespaces()
    opened = {everywhere.get(pid, ours) for pid in processes_naming(temporary)} - {ours}
    grader.send_signal(ending)
    grader.wait(DEADLINE_SECONDS)
    none_of("processes", lambda: processes_naming(temporary))
    none_of("files", lambda: list(temporary.iterdir()))
    none_of("who is in its namespaces", lambda: in_namespaces(opened))


def wait_until(
    condition: Callable[[], bool],
    seconds: float = DEADLINE_SECONDS,
    what: str = "it never happened",
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def none_of(what: str, left: Callable[[], Sequence[object]]) -> None:
    """Waits until nobody is left, and says who is if that never comes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while found := left():
        assert time.monotonic() < deadline, f"{what} left: {found}"
        time.sleep(0.02)


@pytest.fixture
def name() -> Iterator[str]:
    """What the submission's processes call themselves; nobody of that name is left after the test."""
    name = f"away{os.getpid()}"  # at most 15 letters, see prctl(2)
    yield name
    for process in called(name):
        os.kill(process, signal.SIGKILL)


def called(name: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                is_so_called = (entry / "comm").read_text().strip() == name
                if is_so_called and not is_zombie(int(entry.name)):
                    found.append(int(entry.name))
            except OSError:  # it has just gone
                continue
    return found


@pytest.mark.parametrize(
    "any_mode", every_other([VIRTUAL, VIRTUAL_SUBREAPER, SUBREAPER, PIDNS]), indirect=True
)
def test_whoever_a_submission_has_let_loose_goes_with_the_grader(
    tmp_path: Path, any_mode: str, name: str
) -> None:
    """With its workers and tracers it is killed, in the middle of a play."""
    handed_in = tmp_path / "class" / "ada" / "init"
    handed_in.mkdir(parents=True)
    (handed_in / "init.c").write_text(RUNS_AWAY.replace("OURS", name))
    command = [sys.executable, "-m", "autograder.command.cli", "grade", "init"]
    command += [str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--mode", any_mode]
    if isolation_of(any_mode) == SUBREAPER:
        command += ["--trusting"]
    with (tmp_path / "said").open("wb") as said:
        grader = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    try:
        wait_until(lambda: bool(called(name)) or grader.poll() is not None, seconds=60)
        assert called(name), (tmp_path / "said").read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(grader.pid, signal.SIGKILL)
        grader.wait()
    wait_until(lambda: not called(name), seconds=60, what="somebody is left")
