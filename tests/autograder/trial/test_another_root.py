"""An init that stands in a system of its own: that is what it sees, and nothing of this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.errors import CommandError
from autograder.labs.lab import load_lab
from autograder.language.roles import PIDNS
from autograder.stage.isolation import probe
from autograder.stage.workspace import Workspace
from autograder.trial.assess import judge_installed
from autograder.trial.verdict import Status

LAB = load_lab("init")


@pytest.fixture
def root() -> Iterator[Path]:
    """All that is there is /bin/first, which is the lab's solution, and an empty /etc."""
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    with Workspace() as workspace:
        root = workspace.subfolder()
        for folder in ("bin", "etc"):
            (root / folder).mkdir()
        source = LAB.folder / "solution" / "c" / "init.c"
        command = ["cc", "-static", "-o", root / "bin" / "first", source]
        if subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("there is no static C library here")
        yield root


def test_it_plays_in_its_own_system(root: Path) -> None:
    wanted = [one for one in LAB.scenarios if one.name in ("02_orphan", "28_arguments")]
    orphan, arguments = judge_installed(["/bin/first"], wanted, mode=PIDNS, root=root)
    assert orphan.status is Status.PASSED
    assert arguments.status is Status.FAILED  # for there is no sh
    assert "exited with 127" in arguments.message


def test_a_program_of_this_machine_is_not_there(root: Path) -> None:
    with pytest.raises(CommandError, match="no such program"):
        judge_installed(["/bin/sh"], LAB.scenarios[:1], mode=PIDNS, root=root)
