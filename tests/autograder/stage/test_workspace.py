"""What the scratch folder promises: submissions reach it, whatever TMPDIR says."""

from __future__ import annotations

import os
import tempfile

import pytest

from autograder.stage.sandbox import Sandbox
from autograder.stage.watch import Watched, ready
from autograder.stage.workspace import Workspace


def test_a_temporary_folder_of_ours_alone_hides_no_submission_from_its_own_user(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # tempfile makes them for us alone. With a short name: a longer one would be passed over.
    with tempfile.TemporaryDirectory() as private:
        monkeypatch.setattr(tempfile, "tempdir", private)
        with Workspace() as workspace:
            folder = workspace.subfolder()
            (folder / "init").write_text("#!/bin/sh\nexit 7\n")
            (folder / "init").chmod(0o755)
            with (
                Sandbox(mode, folder, workspace.subfolder()) as sandbox,
                open(os.devnull, "r+b") as nothing,
            ):
                init = Watched(
                    sandbox.open_play([f"{sandbox.folder}/init"], (nothing.fileno(),) * 3)[0]
                )
                assert ready(init.pidfd, seconds=20)
                init.close()
                assert sandbox.status() == 7
