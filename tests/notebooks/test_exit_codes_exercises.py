"""The exercises of "Exit codes", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to

EXIT_CODES = "04_exit_codes.ipynb"
# What each exercise wants changed.
OLD = {1: "    exit(failed);", 2: "    return WEXITSTATUS(status);", 3: "        exit(5);"}


@pytest.mark.parametrize(
    ("number", "new", "words"),
    [
        (1, "    exit(failed != 0);", "Right!\n"),
        (1, "    exit(failed > 255 ? 255 : failed);", "Right!\n"),
        (1, "    exit(1);", "Not yet. The first had no failed test, and still reports an error."),
        (1, "    exit(failed * 2);", "Not yet. 256 tests failed, and 0 arrives."),
        (1, "    exit(failed % 255);", "Not yet. 255 tests failed, and 0 arrives."),
        (1, "    exit(failed % 200);", "Not yet. 1000 tests failed, and 0 arrives."),
        (1, "    abort();", "Not yet. A child was killed."),
        (
            2,
            "    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);",
            "Right!\n",
        ),
        (
            2,
            "    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);",
            "Not yet. 9 is the signal.",
        ),
        (
            2,
            "    return WEXITSTATUS(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);",
            "Not yet. For exit code 0 you print 128. Ask WIFEXITED first.",
        ),
        (2, "    return status;", "Not yet. For exit code 3 you print 768."),
        (3, "        _exit(5);", "Right!\n"),
        (3, "        exit(0);", "Not yet. The parent hears [0]."),
    ],
)
def test_a_check_knows_solutions_from_mistakes(
    shell: InteractiveShell, number: int, new: str, words: str
) -> None:
    assert answer_to(shell, EXIT_CODES, number, (OLD[number], new)).startswith(words)


@pytest.mark.parametrize("written_before_the_fork", ['"saved\\n"', '"saved "); fflush(stdout'])
def test_text_that_is_written_before_the_fork_is_written_once(
    shell: InteractiveShell, written_before_the_fork: str
) -> None:
    change = ('"saved "', written_before_the_fork)
    assert answer_to(shell, EXIT_CODES, 3, change) == "Right!\n"


def test_a_buffer_that_nobody_writes_out_is_missed(shell: InteractiveShell) -> None:
    changes = (
        ("        exit(5);", "        _exit(5);"),
        ("    wait(NULL);", "    wait(NULL); _exit(0);"),
    )
    assert answer_to(shell, EXIT_CODES, 3, *changes).startswith("Not yet. Now nobody writes it")
