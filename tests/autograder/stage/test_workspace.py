"""What the scratch folder promises: submissions reach it, whatever TMPDIR says."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

from autograder.stage.sandbox import Sandbox
from autograder.stage.watch import Watched, ready
from autograder.stage.workspace import Workspace, why_not_there


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


def test_what_is_no_place_for_scratch_folders_is_said_with_the_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        os.chmod(short, 0o755)
        long = Path(short, "a" * 60)
        long.mkdir()
        for place, word in ((Path(short), ""), (long, "Name a folder in less than 60 bytes")):
            monkeypatch.setattr(tempfile, "tempdir", str(place))
            assert word in why_not_there()
            with Workspace() as workspace:
                assert (workspace.folder.parent == place) == (why_not_there() == "")


@pytest.mark.skipif(os.geteuid() != 0, reason="others run submissions as themselves")
def test_a_folder_that_is_ours_alone_is_no_place_for_them_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as private:
        monkeypatch.setattr(tempfile, "tempdir", private)
        assert "open to all" in why_not_there()


def test_it_is_gone_where_no_process_can_be_started_to_remove_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def short_of_processes(*_: object, **__: object) -> NoReturn:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with Workspace() as workspace:
        (workspace.subfolder() / "file").write_text("left behind")
        monkeypatch.setattr(subprocess, "run", short_of_processes)
    assert not workspace.folder.exists()
