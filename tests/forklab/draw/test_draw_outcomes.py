"""The page of outcomes: what a box says of how its output can end."""

from __future__ import annotations

import re
from html import unescape

import pytest
from programs import TABLE

from forklab.draw.outcomes.page import SHOWN, outcomes_html
from forklab.explore import Exploration, explore
from forklab.source import program_of

LOST = next(case.text for case in TABLE if case.name == "check_then_pause")
ALWAYS = "#include <unistd.h>\nint main(void) { pause(); }"
NEVER = '#include <stdio.h>\nint main(void) { puts("a <b>"); }'
TWO_ALIKE = '#include <stdio.h>\n#include <unistd.h>\nint main(void) { fork(); puts("a"); }'


def found(program: str) -> Exploration:
    with program_of("c", program) as runnable:
        return explore(runnable.argv, program=runnable.path)


def said(page: str) -> str:
    """The words of a page, without its style sheet and its picture."""
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", text).split()))


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (LOST, "schedules). It can come to a deadlock."),
        (ALWAYS, "1 output , and no others (1 schedule). It always comes to a deadlock."),
        (NEVER, "1 output , and no others (1 schedule). P a <b> 1 exits 0 An arrow means"),
    ],
    ids=["in some schedule", "in every schedule", "in none"],
)
def test_a_deadlock_is_said_of_some_schedules_or_of_all(program: str, words: str) -> None:
    assert words in said(outcomes_html(found(program)))


def test_a_box_says_who_waits_for_what_and_whom_nobody_reaps() -> None:
    page = outcomes_html(found(LOST))
    assert page.count('class="outputs-box outputs-stuck"') == 1
    assert "prints nothing 1 deadlock P waits for a signal, in pause P.1 not reaped" in said(page)
    assert "P done 2 exits 0 P.1 not reaped" in said(page)


def test_nobody_is_named_at_a_text_that_two_may_have_written() -> None:
    page = outcomes_html(found(TWO_ALIKE))
    assert "a a 1–2 exits 0 P.1 perhaps not reaped" in said(page)
    assert 'class="hue-' not in page


def test_that_there_are_more_boxes_than_shown_is_said() -> None:
    five = "".join(f'if (fork() == 0) {{ puts("{letter}"); _exit(0); }}' for letter in "abcde")
    program = f"#include <stdio.h>\n#include <unistd.h>\nint main(void) {{ {five} }}"
    page = outcomes_html(found(program))
    assert page.count('class="outputs-box"') == SHOWN
    assert f"… and {120 - SHOWN} more." in page
