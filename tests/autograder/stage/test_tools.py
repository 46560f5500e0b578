"""The tools of the stage: a program that was put somewhere can be executed at once."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from autograder.stage.errors import StageError
from autograder.stage.tools import put_program


def test_a_program_can_be_executed_at_once_though_other_threads_fork(tmp_path: Path) -> None:
    true = shutil.which("true")
    assert true is not None
    over = threading.Event()

    def fork_all_the_time() -> None:
        while not over.is_set():
            subprocess.run([true], check=True, preexec_fn=lambda: None)  # fork(2), not vfork(2)

    others = [threading.Thread(target=fork_all_the_time) for _ in range(3)]
    for other in others:
        other.start()
    try:
        for number in range(100):
            target = tmp_path / str(number)
            put_program(Path(true), target)
            subprocess.run([target], check=True)
            target.unlink()
    finally:
        over.set()
        for other in others:
            other.join()


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="none"):
        put_program(tmp_path / "none", tmp_path / "program")
