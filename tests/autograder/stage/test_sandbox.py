"""What a sandbox leaves behind: nobody, what was built, and the account of what it has cost."""

from __future__ import annotations

import errno
import os

import pytest

from autograder.stage import contained
from autograder.stage.contained import run_contained
from autograder.stage.endurance import Endurance
from autograder.stage.errors import StageError
from autograder.stage.isolation import probe
from autograder.stage.tools import python_for_submissions
from autograder.stage.workspace import Workspace

PATIENT = Endurance(60, 60, 60)
COMPUTES = "import time\nwhile time.process_time() < 0.5: pass"


def test_what_a_play_has_cost_is_counted(mode: str, workspace: Workspace) -> None:
    before = os.times()
    command = [python_for_submissions(), "-c", COMPUTES]
    completed = run_contained(mode, workspace, workspace.subfolder(), command, PATIENT)
    after = os.times()
    assert completed.status == 0, completed.output
    assert sum(after[2:4]) - sum(before[2:4]) >= 0.5  # seconds of those who have ended


def test_a_build_without_end_is_stopped_and_said_why(mode: str, workspace: Workspace) -> None:
    sleeps = ["/bin/sh", "-c", "echo begun; sleep 1000 & wait"]
    endurance = Endurance(60, 0.5, 60)
    completed = run_contained(mode, workspace, workspace.subfolder(), sleeps, endurance)
    assert (completed.status, completed.output) == (None, "begun\n")
    assert "slept" in completed.overran


def test_a_tar_that_does_not_do_its_work_is_not_the_submission_s_fault(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contained.shutil, "which", lambda *_, **__: "/bin/false")
    with pytest.raises(StageError, match="cannot be packed on this machine"):
        run_contained(probe().mode, workspace, workspace.subfolder(), ["/bin/true"], PATIENT)


def test_a_full_disk_is_not_the_submission_s_fault(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(contained, "_unpack", is_full)
    with pytest.raises(StageError, match="No space left"):
        run_contained(probe().mode, workspace, workspace.subfolder(), ["/bin/true"], PATIENT)
