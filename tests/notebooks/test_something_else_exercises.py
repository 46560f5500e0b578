"""The exercises of "Making the child do something else", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to

SOMETHING_ELSE = "03_something_else.ipynb"
# What each exercise wants changed.
OLD = {
    1: '    fork();\n    execlp("echo", "echo", "tea is ready", NULL);',
    2: '        execlp("no-such-command", "no-such-command", NULL);',
    3: "        wait(NULL);\n    }\n",
}
TO_ECHO = '        execlp("echo", "echo", "tea is ready", NULL);\n'
FAILS = 'execlp("no-such-command", "no-such-command", NULL)'


@pytest.mark.parametrize(
    ("number", "new", "words"),
    [
        (1, f"    if (fork() == 0)\n{TO_ECHO}    wait(NULL);", "Right!\n"),
        (1, f"    if (fork() > 0)\n{TO_ECHO}", "Not yet. The parent becomes echo too."),
        (1, f"    if (fork() == 0)\n{TO_ECHO}", "Not yet. The parent does not wait"),
        (2, f"    {{ {FAILS}; _exit(127); }}", "Right!\n"),
        (2, f'    {{ {FAILS}; perror("no-such-command"); _exit(127); }}', "Right!\n"),
        (2, f"    {{ {FAILS}; _exit(1); }}", "Not yet. The parent hears [1]"),
        (2, "        _exit(127);\n    else\n        _exit(0);", "Not yet. Now the parent shows no"),
        (3, "    }\n    wait(NULL);\n    wait(NULL);\n", "Right!\n"),
        (3, "    }\n    wait(NULL);\n", "Not yet. The parent reaps only P.1. One wait, one child."),
        (3, "    }\n", "Not yet. The parent reaps nobody."),
    ],
)
def test_a_check_knows_solutions_from_mistakes(
    shell: InteractiveShell, number: int, new: str, words: str
) -> None:
    assert answer_to(shell, SOMETHING_ELSE, number, (OLD[number], new)).startswith(words)
