"""The exercises of "How many hellos?", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to

HELLOS = "02_how_many_hellos.ipynb"
TWO_FORKS = "    fork();\n    fork();\n    printf"


@pytest.mark.parametrize(
    ("number", "new", "words"),
    [
        (1, "    fork();\n    fork();\n    fork();\n    fork();\n    printf", "Right!\n"),
        (1, "    fork();\n    fork();\n    fork();\n    printf", "Not yet. There are 8 processes."),
        (3, "    if (fork() > 0)\n        fork();\n    printf", "Right!\nP has two children.\n"),
        (3, "    if (fork() == 0)\n        fork();\n    printf", "Right!\nP has a child and a"),
        (3, "    fork();\n    printf", "Not yet. There are 2 processes, and there should be 3."),
    ],
)
def test_a_check_knows_solutions_from_mistakes(
    shell: InteractiveShell, number: int, new: str, words: str
) -> None:
    assert answer_to(shell, HELLOS, number, (TWO_FORKS, new)).startswith(words)


def test_the_hello_before_the_forks_is_printed_once(shell: InteractiveShell) -> None:
    hello = '    printf("hello: %d\\n", getpid());\n'
    moved = ("    fork();\n    fork();\n" + hello, hello + "    fork();\n    fork();\n")
    assert answer_to(shell, HELLOS, 2, moved) == "Right!\n"
