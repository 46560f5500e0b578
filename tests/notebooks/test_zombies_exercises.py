"""The exercises of "Zombies", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to

ZOMBIES = "05_zombies.ipynb"
SLEEP = "    sleep(100);"
ONE_WAIT = "    wait(NULL);"
FORK = "    if (fork() == 0) {"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("    sleep(20); wait(NULL); sleep(80);", "Right!"),
        ("    wait(NULL); sleep(90);", "Not yet. The child was gone at second 10. The parent"),
        ("    sleep(20); wait(NULL); sleep(100);", "Not yet. The zombie went at 20: good. But"),
        ("    sleep(20);", "Not yet. At second 20 init reaped the child"),
    ],
)
def test_a_zombie_is_gone_at_second_20(shell: InteractiveShell, new: str, words: str) -> None:
    assert answer_to(shell, ZOMBIES, 1, (SLEEP, new)).startswith(words)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("    while (waitpid(-1, NULL, WNOHANG) > 0);", "Right!"),
        ("    while (wait(NULL) > 0);", "Not yet. No zombies, but at second 30 the parent is"),
        ("    waitpid(-1, NULL, WNOHANG);", "Not yet. Zombies at second 30: 2."),
        ("    wait(NULL); wait(NULL);", "Not yet. No zombies, but at second 30"),
        ("    wait(NULL); wait(NULL); wait(NULL);", "Not yet. No zombies, but at second 30"),
    ],
)
def test_a_handler_reaps_all_and_does_not_block(
    shell: InteractiveShell, new: str, words: str
) -> None:
    assert answer_to(shell, ZOMBIES, 2, (ONE_WAIT, new)).startswith(words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (FORK, "    signal(SIGCHLD, SIG_IGN);\n" + FORK, "Right!"),
        (FORK, FORK + "\n        signal(SIGCHLD, SIG_IGN);", "Not yet. At second 50 the child is"),
        (FORK, "    signal(SIGCHLD, SIG_DFL);\n" + FORK, "Not yet. At second 50 the child is"),
        (SLEEP, "    sleep(100);\n    sleep(1);", "Not yet. The parent shall sleep until"),
    ],
)
def test_who_does_not_want_to_know_says_so(
    shell: InteractiveShell, old: str, new: str, words: str
) -> None:
    assert answer_to(shell, ZOMBIES, 3, (old, new)).startswith(words)
