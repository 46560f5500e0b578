"""The exercises of "Orphans", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to

ORPHANS = "06_orphans.ipynb"
MIDDLE = "        sleep(1);\n        return 0; /* the one in the middle */"
PROGRAM_ONLY = "    waitpid(program, NULL, 0);\n    sleep(100);"
WORKER = "        sleep(10); /* the worker */"
WORK = "    sleep(100); /* P works */"
SECOND_FORK = (WORKER, "        if (fork() > 0)\n            return 0;\n" + WORKER)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (MIDDLE, "        wait(&status);\n        return WEXITSTATUS(status);", "Right!"),
        (MIDDLE, "        wait(NULL);\n        return 0;", "Not yet. No orphan. But P was told 0"),
        (
            MIDDLE,
            "        sleep(20);\n        return 123;",
            "Not yet. The one in the middle did not",
        ),
        (MIDDLE, "        sleep(1);\n        return 123;", "Not yet. P.1.1 became an orphan"),
        ("    wait(&status);", "    sleep(99);", "Not yet. P.1.1 became an orphan"),
    ],
)
def test_the_one_in_the_middle_passes_the_status_on(
    shell: InteractiveShell, old: str, new: str, words: str
) -> None:
    assert answer_to(shell, ORPHANS, 1, (old, new)).startswith(words)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("    while (wait(NULL) > 0);", "Right!"),
        ("    while (wait(NULL) != program);", "Not yet. P ended at second 0, while children were"),
        ("    while (wait(NULL) > 0);\n    sleep(10);", "Not yet. All are reaped. But P ended at"),
        ("    sleep(35); while (wait(NULL) > 0);", "Not yet. Not reaped by P in the moment"),
    ],
)
def test_a_subreaper_waits_for_any_child(shell: InteractiveShell, new: str, words: str) -> None:
    assert answer_to(shell, ORPHANS, 2, (PROGRAM_ONLY, new)).startswith(words)


def test_without_the_prctl_the_orphans_are_not_its_own(shell: InteractiveShell) -> None:
    change = ("    prctl(PR_SET_CHILD_SUBREAPER, 1);\n", "")
    assert answer_to(shell, ORPHANS, 2, change).startswith("Not yet. init adopted the orphans.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([SECOND_FORK, (WORK, "    wait(NULL);\n" + WORK)], "Right!"),
        ([SECOND_FORK], "Not yet. At second 50, P.1 is a zombie."),
        ([(WORK, "    wait(NULL);\n" + WORK)], "Not yet. There shall be three"),
        (
            [(WORKER, "        if (fork() > 0) {\n            wait(NULL);\n            return 0;\n"
              "        }\n" + WORKER)],
            "Not yet. The worker is not init's.",
        ),
    ],
)  # fmt: skip
def test_the_worker_is_left_to_init(
    shell: InteractiveShell, changes: list[tuple[str, str]], words: str
) -> None:
    assert answer_to(shell, ORPHANS, 3, *changes).startswith(words)
