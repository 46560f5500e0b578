"""The exercises of "Looking at processes", as a reader solves them, or does not."""

from __future__ import annotations

import shutil

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import answer_to

LOOKING = "09_looking.ipynb"
SLEEPS = "    time.sleep(10)\n"
FINDS = "pkill -P $$ sleep"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("    os.close(write_end)\n" + SLEEPS, "Right!\n"),
        (SLEEPS + "    os.close(write_end)\n", "Not yet. The child still holds 4."),
        ("    os.close(read_end)\n" + SLEEPS, "Not yet. The child cannot read any more"),
        ("", "Not yet. The child has ended before the parent looks."),
    ],
)
def test_the_child_closes_what_it_does_not_need(
    shell: InteractiveShell, new: str, words: str
) -> None:
    assert answer_to(shell, LOOKING, 1, (SLEEPS, new)).startswith(words)


@pytest.mark.skipif(shutil.which("pkill") is None, reason="there is no pkill")
@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("pkill -g $$ sleep", "Right!\n"),
        ("pkill sleep", "Not yet. It works here, but in a terminal it would hit all your sleeps"),
        ("pkill -g $$", "Not yet. The shell itself was killed"),
        ("pkill -P $$ -n sleep", "Not yet. P.1 and P.3.1 slept to the end."),
        ("pkill -P $$", "Not yet. The subshell was killed"),
    ],
)
def test_the_third_sleep_is_found_by_its_group(
    shell: InteractiveShell, new: str, words: str
) -> None:
    assert answer_to(shell, LOOKING, 2, (FINDS, new)).startswith(words)
