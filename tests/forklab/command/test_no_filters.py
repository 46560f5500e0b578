"""Where the kernel has no filters of system calls for us: a program runs all the same, and nothing is claimed."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest
from refusing import without_filters

WHY = "does not let us trace a program: it may not have a filter by seccomp(2)"


def forklab(error: int, *words: str) -> subprocess.CompletedProcess[str]:
    return without_filters(error, sys.executable, "-m", "forklab.command.main", *words)


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EINVAL, errno.EPERM])
def test_a_program_runs_to_its_end_in_real_time_and_one_is_told_the_mend(error: int) -> None:
    done = forklab(error, "run", "sh", "-c", "(sleep 0.3; echo child); echo parent; exit 3")
    assert (done.returncode, done.stdout) == (3, "child\nparent\n")
    why, mend, what, tree = done.stderr.splitlines()
    assert WHY in why
    assert "CONFIG_SECCOMP_FILTER" in mend and "SYS_PTRACE" not in mend
    assert "in real time" in what
    assert tree.startswith("P(1000)")


@pytest.mark.parametrize("program", ["sleep 1000", "kill -STOP $$"])
def test_who_does_not_end_is_ended_and_named(program: str) -> None:
    done = forklab(errno.EPERM, "run", "--timeout", "0.5", "sh", "-c", f"{program}; true")
    assert done.returncode == 124
    assert "It was ended, P" in done.stderr and "--timeout" in done.stderr


def test_all_outputs_are_refused_in_words() -> None:
    done = forklab(errno.ENOSYS, "outputs", "true")
    assert (done.returncode, done.stdout) == (1, "")
    assert WHY in done.stderr and "Traceback" not in done.stderr
