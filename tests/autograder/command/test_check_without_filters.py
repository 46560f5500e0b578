"""Where the kernel has no filters of system calls for us, submissions are judged in real time, and one is told."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from refusing import without_filters

from autograder.language.roles import is_in_virtual_time
from autograder.stage import isolation

ORPHANAGE = Path(__file__).parents[3] / "labs" / "orphanage"


@pytest.fixture(autouse=True)
def is_all_that_is_missing() -> None:
    if not is_in_virtual_time(isolation.default().mode):
        pytest.skip("this machine has no virtual time, with or without filters")


def autograder(*words: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "autograder.command.cli", *words)
    return without_filters(errno.ENOSYS, *command)


def test_it_judges_in_real_time_and_tells_what_nobody_enforces() -> None:
    scenarios = ("--scenario", "01_an_orphan", "--scenario", "21_an_orphan")
    done = autograder("check", str(ORPHANAGE), str(ORPHANAGE / "solution" / "c"), *scenarios)
    assert done.returncode == 0, done.stdout + done.stderr
    told = " ".join((done.stdout + done.stderr).split())
    assert "2 passed" in told
    assert "in real time: filters of system calls, by seccomp(2), are refused here" in told
    assert "no system call is forbidden" in told


def test_virtual_time_and_proofs_are_refused_in_words() -> None:
    submission = (str(ORPHANAGE), str(ORPHANAGE / "solution" / "c"))
    for words in (("check", *submission, "--mode", "virtual"), ("prove", *submission)):
        done = autograder(*words)
        assert done.returncode == 2
        assert "seccomp(2)" in done.stderr and "Traceback" not in done.stderr
