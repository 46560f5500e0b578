"""A grader that is killed in the middle of a play takes along whoever a submission has let loose, in each mode."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sampled import every_other

from autograder.language.roles import PIDNS, SUBREAPER, VIRTUAL, VIRTUAL_SUBREAPER
from autograder.stage.errors import StageError
from autograder.stage.isolation import choose

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


@pytest.fixture(params=every_other([VIRTUAL, VIRTUAL_SUBREAPER, SUBREAPER, PIDNS]))
def mode(request: pytest.FixtureRequest) -> str:
    try:
        return choose(str(request.param)).mode
    except StageError as impossible:
        pytest.skip(str(impossible))


@pytest.fixture
def name() -> Iterator[str]:
    """What the submission's processes call themselves; nobody of that name is left after the test."""
    name = f"away{os.getpid()}"  # at most 15 letters, see prctl(2)
    yield name
    for process in called(name):
        os.kill(process, signal.SIGKILL)


def called(name: str) -> list[int]:
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if Path(f"/proc/{process}/comm").read_text().strip() == name:
                found.append(int(process))
        except OSError:  # it has just gone
            continue
    return found


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False


def test_nobody_outlives_a_killed_grader(tmp_path: Path, mode: str, name: str) -> None:
    handed_in = tmp_path / "class" / "ada" / "init"
    handed_in.mkdir(parents=True)
    (handed_in / "init.c").write_text(RUNS_AWAY.replace("OURS", name))
    command = [
        sys.executable,
        "-m",
        "autograder.command.cli",
        "grade",
        "init",
        str(tmp_path / "class"),
    ]
    command += ["--out", str(tmp_path / "out"), "--mode", mode]
    if mode in (SUBREAPER, VIRTUAL_SUBREAPER):
        command += ["--trusting"]
    with (tmp_path / "said").open("wb") as said:
        grader = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    try:
        started = until(lambda: bool(called(name)) or grader.poll() is not None)
        assert started and called(name), (tmp_path / "said").read_text()
    finally:
        os.killpg(grader.pid, signal.SIGKILL)  # workers and tracers, too
        grader.wait()
    assert until(lambda: not called(name)), f"left alone: {called(name)}"
