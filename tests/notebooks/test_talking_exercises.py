"""The exercises of "How processes talk", as a reader solves them, or does not."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from reader import Change, answer_to

TALKING = "08_talking.ipynb"

READS = "        while ((length"
WAITS = "    wait(NULL);"
CLOSE = "close(ends[1]);\n"
IN_CHILD = (READS, "        " + CLOSE + READS)
IN_PARENT = (WAITS, "    " + CLOSE + WAITS)
TOO_LATE = (WAITS, WAITS + "\n    " + CLOSE)
READS_ONCE = (READS, "        if ((length")
WRONG_END = (READS, "        close(ends[0]);\n" + READS)
KILLS = (WAITS, "    kill(0, 9);\n" + WAITS)
WITH_KILL = ("#include <stdio.h>", "#include <signal.h>\n#include <stdio.h>")

SECOND_PIPE = ("    pipe(ends);", "    int back[2];\n    pipe(ends);\n    pipe(back);")
CHILD_WRITES_BACK = ('write(ends[1], "pong"', 'write(back[1], "pong"')
PARENT_READS_BACK = (
    "read(ends[0], text, 4);\n    printf",
    "read(back[0], text, 4);\n    printf",
)
WAITS_FIRST = (
    "    read(ends[0], text, 4);\n    printf",
    "    sleep(2);\n    read(ends[0], text, 4);\n    printf",
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([IN_CHILD, IN_PARENT], "Right!\n"),
        ([IN_CHILD], "Not yet. Everybody waits, and nobody will ever wake them: P is in wait4,"),
        ([IN_CHILD, TOO_LATE], "Not yet. Everybody waits, and nobody will ever wake them"),
        ([READS_ONCE], "Not yet. The child did not read def"),
        ([IN_CHILD, IN_PARENT, (WAITS, "    sleep(1);")], "Not yet. P should wait for its child."),
        ([WRONG_END], "Not yet. The child says end, but it never read abc"),
        ([WITH_KILL, KILLS], "Not yet. Somebody was killed."),
    ],
)
def test_the_pipe_ends_when_both_have_closed_its_writing_end(
    shell: InteractiveShell, changes: list[Change], words: str
) -> None:
    assert answer_to(shell, TALKING, 1, *changes).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([SECOND_PIPE, CHILD_WRITES_BACK, PARENT_READS_BACK], "Right!\n"),
        ([WAITS_FIRST], "Right!\n"),
        ([SECOND_PIPE, PARENT_READS_BACK], "Not yet. Everybody waits"),
    ],
)
def test_an_answer_needs_a_second_direction(
    shell: InteractiveShell, changes: list[Change], words: str
) -> None:
    assert answer_to(shell, TALKING, 2, *changes).startswith(words)
