"""The exercises of "What PID 1 must do", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import Change, answer_to

PID_1 = "11_what_pid_1_must_do.ipynb"

SERVER = "int server(void) {\n"
ENDS = (SERVER, "void end(int number) {\n    _exit(number - SIGTERM);\n}\n\n" + SERVER)
CATCHES = (SERVER, SERVER + "    signal(SIGTERM, end);\n")
WAITS = "while (wait(NULL) != result) {\n        }\n"
EXEC = '        execl("/no/bin/cowsay", "cowsay", NULL);\n'
STATUS = (WAITS, WAITS.replace("NULL", "&status") + "        return WEXITSTATUS(status);\n")
DECLARES = ("    pid_t result = fork();", "    int status;\n    pid_t result = fork();")
LEAVES = (EXEC, EXEC + "        _exit(127);\n")
TELLS = "    return WEXITSTATUS(status);"
ASKS = "    kill(-1, SIGTERM);\n"
ALL_GONE = "    while (wait(NULL) > 0) {\n    }\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([ENDS, CATCHES], "Right!\n"),
        ([ENDS], "Not yet. At second 15 it is killed. What does PID 1 do with a SIGTERM?"),
        pytest.param(
            [(SERVER, SERVER + "    signal(SIGTERM, SIG_DFL);\n")],
            "Not yet. At second 15 it is killed.",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [(SERVER, SERVER + "    sleep(4);\n    _exit(0);\n")],
            "Not yet. It ends at second 4",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [
                (SERVER, SERVER.replace("server", "end_7") + "    _exit(7);\n}\n\n" + SERVER),
                (
                    SERVER + "    while",
                    SERVER + "    signal(SIGTERM, (void (*)(int))end_7);\n    while",
                ),
            ],
            "Not yet. It ends when it is asked, but exits with 7.",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_server_as_pid_1_asks_for_the_signal(
    shell: InteractiveShell, changes: list[Change], words: str
) -> None:
    assert answer_to(shell, PID_1, 1, *changes).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([DECLARES, STATUS, LEAVES], "Right!\n"),
        ([LEAVES], "Not yet. The child exits with 127. But the init says 0"),
        pytest.param(
            [DECLARES, STATUS],
            "Not yet. The child that could not exec exits with 0",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [(EXEC, EXEC + "        _exit(1);\n")],
            "Not yet. The child exits with 1, not with 127.",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [(EXEC, "        _exit(127);\n")],
            "Not yet. The child exits with 127. But the init",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_command_that_is_not_there_is_told(
    shell: InteractiveShell, changes: list[Change], words: str
) -> None:
    assert answer_to(shell, PID_1, 2, *changes).startswith(words)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (ASKS + ALL_GONE + TELLS, "Right!\n"),
        (ASKS + TELLS, "Not yet. The helper is asked, and then killed"),
        pytest.param(
            ALL_GONE + TELLS, "Not yet. Nobody asks the helper to end.", marks=pytest.mark.slow
        ),
        pytest.param(
            ASKS + "    sleep(10);\n" + TELLS,
            "Not yet. The init ends at second 11",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ASKS + ALL_GONE + "    return 0;",
            "Not yet. All are gone. But the init exits with 0",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_an_init_says_goodbye(shell: InteractiveShell, new: str, words: str) -> None:
    assert answer_to(shell, PID_1, 3, (TELLS, new)).startswith(words)
