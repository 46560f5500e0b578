"""A program once more, with small changes, and what a check makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from forklab.notebook import check
from forklab.notebook.last import last
from forklab.notebook.variants import NotYetError, changed

COUNTS = """%%lens c
#include <stdio.h>
int main(void) { printf("%d\\n", 6 *  7); }
"""


@pytest.mark.parametrize(
    ("text", "change", "becomes"),
    [
        ("a = 6*7;", ("6 * 7", "x"), "a = x;"),
        ("exit(1); _exit(1);", ("exit(1)", "x"), "x; _x;"),
        ("i < 60; i < 6;", ("i < 6", "x"), "i < 60; x;"),
        ('puts("a b");', ('puts( "a b" );', "x"), "x"),
        ('puts("a  b"); puts("a b");', ('"a b"', "x"), 'puts("a  b"); puts(x);'),
        ("pi < 6", ("i < 6", "x"), "pi < 6 x"),
    ],
)
def test_a_piece_is_found_by_its_words_and_signs_whatever_white_space_is_between_them(
    text: str, change: tuple[str, str], becomes: str
) -> None:
    if text.startswith("pi"):
        with pytest.raises(NotYetError, match="The check looks for i < 6"):
            changed(text, change)
    else:
        assert changed(text, change) == becomes


def test_one_of_several_pieces_is_enough() -> None:
    assert changed("return 1;", ("exit(1)", "exit(7)"), ("return 1", "return 7")) == "return 7;"


def test_the_program_runs_again_with_other_numbers_and_is_known_as_it_was(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    with capture_output():
        shell.run_cell(COUNTS).raise_error()
    other = shell.run_cell("again(('6 * 7', '3 * 11')).output;").result
    assert other == "33\n"
    assert shell.user_ns["output"] == "42\n"
    shell.run_cell("def claims(): yield again(('7);', '7')), ''").raise_error()
    with capture_output() as told:
        shell.run_cell("check(claims())").raise_error()
    assert told.stdout.startswith("Not yet. Your program runs, but not with other numbers in it")


def test_claims_of_a_generator_are_asked_in_turn_until_one_does_not_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    last.forget()

    def claims(second: bool) -> Iterator[tuple[bool, str]]:
        yield True, "one"
        yield second, "two"
        asked.append("three")
        yield True, "three"

    asked: list[str] = []
    check(claims(False))
    assert not asked
    check(claims(True))
    assert asked == ["three"]
    assert capsys.readouterr().out == "Not yet. two\nRight!\n"


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("c\nint main(void) { for (;;); }", "Everybody waits, and nobody will ever wake them"),
        ("c\nint main(void) { return *(volatile int *)0; }", "P has crashed: SIGSEGV killed it."),
        ("python\nprint(undefined)", "Python has stopped the program: NameError: name 'undefined'"),
    ],
)
@pytest.mark.parametrize("holds", ["True", "False"])
def test_trouble_is_told_before_anything_else(
    shell: InteractiveShell, program: str, told: str, holds: str
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    with capture_output():
        shell.run_cell(f"%%lens {program}").raise_error()
    with capture_output() as captured:
        shell.run_cell(f"check(({holds}, 'something else'), hint='Perhaps so.')").raise_error()
    ended = told.startswith("Everybody")
    if holds == "True" and not ended:  # an exercise may be about that
        assert captured.stdout == "Right!\n"
    else:
        assert captured.stdout.startswith(f"Not yet. {told}")
        assert captured.stdout.endswith("Perhaps so.\n")
