"""The exercises of "Signals", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to

SIGNALS = "07_signals.ipynb"
IN_THE_CHILD = "if child == 0:\n"
CATCH = "    signal.signal(signal.SIGTERM, end_well)\n"
RUDE = "kill(child, SIGKILL);"
YOUR_LINE = "/* P.1.1: your line */"


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (CATCH, "Right!\n"),
        (
            "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n",
            "Not yet. The child does not write saved",
        ),
    ],
)
def test_ending_well_needs_the_handler(shell: InteractiveShell, handler: str, words: str) -> None:
    change = (IN_THE_CHILD, IN_THE_CHILD + handler)
    assert answer_to(shell, SIGNALS, 1, change).startswith(words)


def test_a_handler_that_only_returns_does_not_end_the_child(shell: InteractiveShell) -> None:
    changes = ((IN_THE_CHILD, IN_THE_CHILD + CATCH), ("    sys.exit(0)\n", ""))
    assert answer_to(shell, SIGNALS, 1, *changes).startswith("Not yet. The child exits with 1")


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ("kill(child, SIGTERM); sleep(10); kill(child, SIGKILL);", "Right!\n"),
        ("kill(child, SIGTERM); kill(child, SIGKILL);", "Not yet. You kill in the same second"),
        ("kill(child, SIGTERM);", "Not yet. The child ignores the SIGTERM"),
        ("kill(child, SIGKILL); kill(child, SIGTERM);", "Not yet. It should be asked, then"),
    ],
)
def test_grace_is_a_question_and_ten_seconds(
    shell: InteractiveShell, calls: str, words: str
) -> None:
    assert answer_to(shell, SIGNALS, 2, (RUDE, calls)).startswith(words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("setpgid(0, 0);", "Right!\n"),
        ("setsid();", "Right!\n"),
        ("signal(SIGINT, SIG_IGN);", "Not yet. P.1.1 survives, but the signal was sent to it."),
        ("return 0;", "Not yet. P.1.1 should sleep"),
    ],
)
def test_only_another_group_keeps_the_signal_away(
    shell: InteractiveShell, call: str, words: str
) -> None:
    assert answer_to(shell, SIGNALS, 3, (YOUR_LINE, call)).startswith(words)


def test_the_signal_has_to_go_to_the_group(shell: InteractiveShell) -> None:
    answer = answer_to(shell, SIGNALS, 3, ("kill(-job, SIGINT)", "kill(job, SIGINT)"))
    assert answer.startswith("Not yet. ^C should still reach P.1 and P.1.2.")
