"""What a build may take is what it does: on a machine that is busy, nothing is anybody's fault."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.stage.endurance import Endurance
from autograder.stage.errors import StageError
from autograder.stage.watch import Watched

COMPUTES = "while True: pass"
IN_A_GRANDCHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {COMPUTES!r}])"
FORKS_WITHOUT_WAITING_LONG = (
    "import subprocess\nfor _ in range(10**6): subprocess.run(['/bin/sh', '-c', 'i=0; while [ $i -lt 9999 ]; "
    "do i=$((i+1)); done'])"
)
SLEEPS = "import time; time.sleep(1000)"
SLEEPS_OFTEN = "import time\nwhile True: time.sleep(0.02)"
IS_STOPPED = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
# The child of a vfork(2) waits for somebody to open the FIFO; nothing wakes its parent until then.
UNINTERRUPTIBLE = (
    "import os; os.posix_spawn('/bin/true', ['true'], {}, "
    "file_actions=[(os.POSIX_SPAWN_OPEN, 3, 'fifo', os.O_RDONLY, 0)])"
)


@contextlib.contextmanager
def started(program: str, folder: Path) -> Iterator[Watched]:
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, start_new_session=True
    ) as process:
        watched = Watched(process.pid)
        try:
            yield watched
        finally:
            os.killpg(process.pid, 9)
            watched.close()


@pytest.mark.parametrize("program", [COMPUTES, IN_A_GRANDCHILD, FORKS_WITHOUT_WAITING_LONG])
def test_processor_time_counts_whoever_of_them_takes_it(program: str, tmp_path: Path) -> None:
    with started(program, tmp_path) as process:
        assert "processor" in Endurance(0.2, 100, 100).overrun_of(process)


@pytest.mark.parametrize("program", [SLEEPS, SLEEPS_OFTEN, IS_STOPPED, UNINTERRUPTIBLE])
def test_who_sleeps_comes_to_an_end_too(program: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with started(program, tmp_path) as process:
        assert "slept" in Endurance(100, 0.3, 100).overrun_of(process)


def test_who_waits_for_a_processor_has_taken_nothing(tmp_path: Path, busy_machine: None) -> None:
    gives_way = f"import os\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\n{COMPUTES}"
    with (
        started(gives_way, tmp_path) as process,
        pytest.raises(StageError, match="has not ended"),
    ):
        Endurance(100, 0.3, 1).overrun_of(process)


def test_who_is_done_in_time_is_left_alone(tmp_path: Path) -> None:
    with started("pass", tmp_path) as process:
        assert not Endurance(100, 100, 100).overrun_of(process)
