"""What a sandbox leaves behind: nobody, and the account of what it has cost."""

from __future__ import annotations

import os

from autograder.stage.contained import run_contained
from autograder.stage.tools import python_for_submissions
from autograder.stage.workspace import Workspace

COMPUTES = "import time\nwhile time.process_time() < 0.5: pass"


def test_what_a_play_has_cost_is_counted(mode: str, workspace: Workspace) -> None:
    before = os.times()
    command = [python_for_submissions(), "-c", COMPUTES]
    completed = run_contained(mode, workspace, workspace.subfolder(), command, 60)
    after = os.times()
    assert completed.status == 0, completed.output
    assert sum(after[2:4]) - sum(before[2:4]) >= 0.5  # seconds of those who have ended
