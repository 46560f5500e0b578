"""The exercises of "Which outputs?", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to, cells_of, source

NOTEBOOK = "10_which_outputs.ipynb"
# What each exercise wants changed.
OLD = {
    1: "    wait(&status);\n",
    2: "        sigprocmask(SIG_SETMASK, &old, NULL);\n        pause();\n",
    3: '        puts("b");\n',
}
SECOND_FORK = "    if (fork() == 0)\n        return 2;\n"
REPORTS = '    wait(&status);\n    printf("%d\\n", WEXITSTATUS(status));\n'


def test_it_asks_at_least_eight_questions_of_which_each_shows_all_outputs() -> None:
    code = [source(cell) for cell in cells_of(NOTEBOOK) if cell["cell_type"] == "code"]
    asked = [at for at, text in enumerate(code) if text.startswith("predict(")]
    assert len(asked) >= 8
    assert all(code[at + 2] == "outputs()" for at in asked)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("    waitpid(first, &status, 0);\n", "Right!\n"),
        ("    sleep(1);\n    wait(&status);\n", "Not yet. A sleep is no arrow."),
        ("    waitpid(-1, &status, WNOHANG);\n", "Not yet. It can still print 2 1"),
    ],
)
def test_always_1_2(shell: InteractiveShell, new: str, words: str) -> None:
    program_part = (SECOND_FORK + OLD[1], SECOND_FORK + new)
    assert answer_to(shell, NOTEBOOK, 1, program_part).startswith(words)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (REPORTS + SECOND_FORK + REPORTS, "Not yet. Right order. But P.2 is born when P.1 is gone"),
        (
            SECOND_FORK.replace("return", "sleep(1);\n        return")
            .replace("== 0)", "== 0) {")
            .replace("2;", "2; }")
            + 2 * REPORTS,
            "Not yet. A sleep is no arrow.",
        ),
        (SECOND_FORK + '    puts("1\\n2");\n', "Not yet. A child is left over"),
        (
            SECOND_FORK + "    waitpid(first, &status, 0);\n" + '    puts("1\\n2");\n',
            "Not yet. A child is",
        ),
    ],
)
def test_what_is_not_always_1_2(shell: InteractiveShell, new: str, words: str) -> None:
    change = (SECOND_FORK + 2 * REPORTS, new)
    assert answer_to(shell, NOTEBOOK, 1, change).startswith(words)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("        sigsuspend(&old);\n", "Right!\n"),
        ("        pause();\n", "Not yet. Nobody ever wakes up"),
        ("        sigsuspend(&mask);\n", "Not yet. Nobody ever wakes up"),
        (
            "        sigprocmask(SIG_SETMASK, &old, NULL);\n        if (!ready)\n            pause();\n",
            "Not yet. It can still wait for ever",
        ),
        (
            "        signal(SIGUSR1, SIG_DFL);\n        sigsuspend(&old);\n",
            "Not yet. The signal can",
        ),
    ],
)
def test_the_gap_is_closed_by_one_call(shell: InteractiveShell, new: str, words: str) -> None:
    assert answer_to(shell, NOTEBOOK, 2, (OLD[2], new)).startswith(words)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ('        read(ends[0], &go, 1);\n        puts("b");\n', "Right!\n"),
        ('        wait(NULL);\n        puts("b");\n', "Not yet. It can still print b a."),
        ('        sleep(1);\n        puts("b");\n', "Not yet. A sleep is no arrow"),
        (
            '        while (read(ends[0], &go, 1) == 1)\n            ;\n        puts("b");\n',
            "Not yet. It can wait for ever",
        ),
        ("", "Not yet. It should print a and b"),
    ],
)
def test_a_child_waits_for_its_parent_by_a_pipe(
    shell: InteractiveShell, new: str, words: str
) -> None:
    assert answer_to(shell, NOTEBOOK, 3, (OLD[3], new)).startswith(words)
