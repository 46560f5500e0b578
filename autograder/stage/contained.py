"""Runs a command of the submission's, its build, where it can do no harm."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from pathlib import Path

from autograder.stage.isolation import Sandbox
from autograder.stage.workspace import Workspace

_MOST_OUTPUT = 1 << 16  # bytes


def run_contained(
    mode: str, workspace: Workspace, folder: Path, command: Sequence[str], seconds: float
) -> tuple[int | None, str]:
    """Runs `command` in a sandbox of its own, where `folder` is the current folder and can be written to.

    Answers its exit status (128+n for a signal; None if it was not done within `seconds` and was killed) and what it
    wrote to standard output and error. Nothing that it started is left. Raises StageError if there is no sandbox.
    """
    with Sandbox(mode, folder, workspace.subfolder(), writable=True) as sandbox:
        output = os.memfd_create("output")
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            pidfd = os.pidfd_open(sandbox.open_play(command, (nothing, output, output)))
            try:
                select.select([pidfd], [], [], seconds)
            finally:
                os.close(pidfd)
            ended = sandbox.status()
            sandbox.end_play()
            text = os.pread(output, _MOST_OUTPUT, 0).decode(errors="replace")
        finally:
            os.close(output)
            os.close(nothing)
    if ended is None:
        return None, text
    return (ended.status if ended.status is not None else 128 + (ended.signal or 0)), text
