"""Wait statuses in words, held against a real shell."""

from __future__ import annotations

import signal
import subprocess

import pytest

from forklab.kernel.statuses import exit_code, how_it_ended, in_shell, killer


@pytest.mark.parametrize("deed", ["exit 0", "exit 3", "kill -TERM $$", "kill -KILL $$"])
def test_a_shell_reports_the_same_number(deed: str) -> None:
    ended = subprocess.run(["sh", "-c", deed], check=False)
    reported = subprocess.run(
        ["sh", "-c", f"sh -c '{deed}'; echo $?"], capture_output=True, text=True, check=True
    )
    assert in_shell(ended.returncode) == int(reported.stdout)


def test_an_end_is_an_exit_or_a_signal_and_says_which() -> None:
    assert (exit_code(3), killer(3), how_it_ended(3)) == (3, None, "exited with 3")
    term = -signal.SIGTERM
    assert (exit_code(term), killer(term)) == (None, "SIGTERM")
    assert how_it_ended(term) == "was killed by SIGTERM"
    assert (exit_code(None), killer(None)) == (None, None)
