"""What the scratch folder promises: submissions reach it, whatever TMPDIR says."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from autograder.stage.isolation import Ended, Sandbox
from autograder.stage.workspace import Workspace


def test_a_temporary_folder_of_ours_alone_hides_no_submission_from_its_own_user(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Made for us alone, and with a short name: a longer one would be passed over.
    private = Path(tempfile.mkdtemp())
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    with Workspace() as workspace:
        folder = workspace.subfolder()
        (folder / "init").write_text("#!/bin/sh\nexit 7\n")
        (folder / "init").chmod(0o755)
        with (
            Sandbox(mode, folder, workspace.subfolder()) as sandbox,
            open(os.devnull, "r+b") as nothing,
        ):
            sandbox.open_play([f"{sandbox.folder}/init"], (nothing.fileno(),) * 3)
            while (ended := sandbox.status()) is None:
                pass
            assert ended == Ended(7, None)
    private.rmdir()
