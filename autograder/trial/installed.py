"""Any init of this machine, judged as if it were a submission: tini -g --, dumb-init, sh."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CommandError
from autograder.labs.lab import Scenario
from autograder.safe_text import one_line
from autograder.stage.isolation import probe
from autograder.stage.play import Stage
from autograder.stage.tools import put_program
from autograder.stage.workspace import Workspace
from autograder.submission.build import Program
from autograder.trial.decide import judge
from autograder.trial.verdict import Verdict


@dataclass(frozen=True)
class Installed(Program):
    """A program with the arguments that it takes before the command that it is to start."""

    arguments: tuple[str, ...] = ()

    def command(self, folder: Path | str) -> list[str]:
        path = self.folder / self.file
        return [str(path if _is_seen_inside(path) else f"{folder}/{self.file}"), *self.arguments]


def judge_installed(
    command: Sequence[str], scenarios: Sequence[Scenario], *, mode: str | None = None
) -> list[Verdict]:
    """A verdict a scenario on `command`, an init with the arguments that it takes before its own.

    Raises CommandError if there is no such program, StageError if this machine has no stage.
    """
    found = shutil.which(command[0])
    if found is None:
        raise CommandError(f"{one_line(command[0])}: no such program, or it cannot be executed.")
    path = Path(found).absolute()
    mode = mode or probe().mode
    with Workspace() as workspace:
        folder = workspace.subfolder()
        if not _is_seen_inside(path):
            put_program(path, folder / path.name)
        program = Installed(path.parent, path.name, arguments=tuple(command[1:]))
        with Stage(mode, workspace, folder) as stage:
            return [judge(scenario, program, stage) for scenario in scenarios]


def _is_seen_inside(path: Path) -> bool:
    """Whether a sandbox shows it; a program from elsewhere is taken inside as a copy."""
    return str(path).startswith(("/usr/", "/bin/", "/sbin/"))
