"""The exercises of "What a process is", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to, cells_of, source

NOTEBOOK = "01_what_a_process_is.ipynb"

RETURN_0 = "        return 0;\n"
ANSWER = "answer);\n}"
EXIT_CODE = (RETURN_0, "        return answer;\n")
UNPACKED = (ANSWER, "WEXITSTATUS(status));\n}")
COMPUTE = "    int answer = 0, status;\n"

TWO_FORKS = "    if (fork() == 0)\n        fork();\n"
WAIT = "    wait(NULL);\n"

THREAD = """\
    pthread_t thread;
    pthread_create(&thread, NULL, helper, NULL);
    pthread_join(thread, NULL);
"""


def test_the_cell_about_this_machine_is_shipped_without_its_answer() -> None:
    (cell,) = (cell for cell in cells_of(NOTEBOOK) if source(cell).startswith("%%sh\n"))
    assert "nbval-ignore-output" in cell["metadata"]["tags"]
    assert cell["outputs"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([EXIT_CODE, UNPACKED], "Right!\n"),
        ([EXIT_CODE, (ANSWER, "status >> 8);\n}")], "Right!\n"),
        ([EXIT_CODE], "Not yet. The parent was told 42, but it prints: the answer is 0"),
        ([EXIT_CODE, (ANSWER, "status);\n}")], "Not yet. 10752 is 42 * 256"),
        ([(COMPUTE, "    int answer = 42, status;\n")], "Not yet. The parent hears 0 from its"),
    ],
)
def test_a_number_crosses_from_child_to_parent(
    shell: InteractiveShell, changes: list[tuple[str, str]], words: str
) -> None:
    assert answer_to(shell, NOTEBOOK, 1, *changes).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([(TWO_FORKS, "    if (fork() > 0)\n        fork();\n"), (WAIT, WAIT + WAIT)], "Right!\n"),
        (
            [(TWO_FORKS, "    if (fork() > 0)\n        fork();\n")],
            "Not yet. The first process has waited for 1 of its children.",
        ),
        (
            [(TWO_FORKS, "    fork();\n    fork();\n"), (WAIT, WAIT + WAIT)],
            "Not yet. There are 4 processes.",
        ),
        ([(TWO_FORKS, "    fork();\n")], "Not yet. Processes: 2."),
    ],
)
def test_two_children_and_no_grandchild(
    shell: InteractiveShell, changes: list[tuple[str, str]], words: str
) -> None:
    assert answer_to(shell, NOTEBOOK, 2, *changes).startswith(words)


@pytest.mark.parametrize(
    ("helping", "words"),
    [
        (
            "    if (fork() == 0) {\n        helper(NULL);\n        return 0;\n    }\n    wait(NULL);\n",
            "Right!\n",
        ),
        (
            "    if (fork() == 0)\n        helper(NULL);\n    wait(NULL);\n",
            "Not yet. The child goes on after the helper",
        ),
        (
            "    if (fork() == 0) {\n        helper(NULL);\n        return 0;\n    }\n",
            "Not yet. The parent does not wait for the helper",
        ),
        (
            "    if (fork() == 0) {\n        sleep(1);\n        helper(NULL);\n        return 0;\n    }\n",
            "Not yet. The parent does not wait for the helper",
        ),
        (
            "    fork();\n    helper(NULL);\n    wait(NULL);\n",
            "Not yet. The child goes on after the helper",
        ),
    ],
)
def test_a_helper_that_can_not_spoil_the_variable(
    shell: InteractiveShell, helping: str, words: str
) -> None:
    assert answer_to(shell, NOTEBOOK, 3, (THREAD, helping)).startswith(words)
