"""`forklab tree`, as a user types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from forklab.command.main import main


def test_tree_draws_this_process_with_its_pid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tree", str(os.getpid())]) == 0
    assert f"({os.getpid()})" in capsys.readouterr().out.splitlines()[0]


def test_tree_of_the_machine_has_this_process_and_its_parent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["tree"]) == 0
    drawn = capsys.readouterr().out
    assert f"({os.getpid()})" in drawn
    assert f"({os.getppid()})" in drawn


def test_tree_marks_a_zombie_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert main(["tree", str(process.pid)]) == 0
    finally:
        process.wait()
    assert f"({process.pid}) zombie · exited 7" in capsys.readouterr().out


def test_tree_writes_a_picture_beside_the_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "tree.svg"
    assert main(["tree", str(os.getpid()), "--svg", str(picture)]) == 0
    assert picture.read_text().startswith("<svg")
    assert f"({os.getpid()})" in capsys.readouterr().out


def test_a_file_of_minus_is_the_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tree", str(os.getpid()), "--svg", "-"]) == 0
    written = capsys.readouterr().out
    assert written.startswith("<svg") and written.endswith("</svg>\n")


def test_no_such_process_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert main(["tree", str(gone.pid)]) == 1
    captured = capsys.readouterr()
    assert f"forklab: there is no process {gone.pid}." in captured.err
    assert captured.out == ""


def test_a_picture_that_cannot_be_written_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "no" / "tree.svg"
    assert main(["tree", str(os.getpid()), "--svg", str(nowhere)]) == 1
    assert f"forklab: {nowhere} can't be written: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["abc", "-3", "0", "1.5", ""])
def test_what_is_no_pid_is_wrong_usage(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["tree", word])
    assert ending.value.code == 2
    assert "usage: forklab tree" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_trouble() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "forklab.command.main", "tree"],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (1, b"")
