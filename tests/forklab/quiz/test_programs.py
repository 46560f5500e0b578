"""The random programs: they compile, they end, they stay small, and C and Python do the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forklab.history import History
from forklab.notebook import look_at
from forklab.quiz.counting import answering, printing
from forklab.quiz.growing import growing
from forklab.quiz.in_c import in_c
from forklab.quiz.in_python import in_python
from forklab.quiz.pieces import Hand, Maker, labelled
from forklab.quiz.program import (
    Block,
    Both,
    Branch,
    Exit,
    Fork,
    Listen,
    Loop,
    MakePipe,
    Say,
    SayStatus,
    Sleep,
    Tell,
    Wait,
    WaitForAll,
)
from forklab.quiz.racing import racing
from forklab.source import C_FLAGS, program_of

ROOT = Path(__file__).parents[3]
MOST_PROCESSES = 32  # of those that are generated; questions are asked about smaller ones
SECONDS = 60  # of the program's own time
MAKERS = (printing, answering, growing, racing)

hands = st.builds(
    lambda seed, level: Hand(Random(seed), level), st.integers(0, 10**9), st.integers(1, 5)
)
slowly = settings(max_examples=7)


def story(history: History) -> list[dict[str, object]]:
    """All that happened, but for what was executed."""
    told = [event.to_json() for event in history.events]
    return [{key: value for key, value in event.items() if key != "argv"} for event in told]


# Every statement of the language, in the positions in which a program has them.
EVERYTHING: tuple[Block, ...] = (
    (Say("A"), Fork(), Say("B"), Wait(sure=False), Say("C")),
    (Branch((Say("A"), Exit(3)), keep="a"), Wait("a", status=True), SayStatus(), Exit(1)),
    (Branch((Sleep(2),), (Say("B"), Wait())), Sleep(1), Say("C")),
    (Branch((), (Say("A"), Fork())), Exit(5, at_once=True)),
    (Both(("and",), (Say("A"),)), Both(("or", "and"), (Say("B"),)), Say("C")),
    (Loop(3, (Branch((Say("A", numbered=True), Exit(4, plus="counter"))),)), WaitForAll()),
    (Branch((Exit(300),)), Wait(status=True), Exit(0, plus="status")),
    (MakePipe(), Branch((Listen(), Say("A"), Exit(0))), Say("B"), Tell(), WaitForAll(), Say("C")),
)


@pytest.mark.parametrize("program", EVERYTHING)
def test_python_does_what_c_does_event_by_event(program: Block) -> None:
    in_both = [look_at("c", in_c(program), seed=3), look_at("python", in_python(program), seed=3)]
    first, second = in_both
    assert first.output == second.output
    assert story(first.history) == story(second.history)
    assert len(first.history.family()) > 1


@pytest.mark.parametrize("program", EVERYTHING)
def test_programs_are_written_as_the_tools_would_have_it(program: Block, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(in_python(program))
    (tmp_path / "program.c").write_text(in_c(program))
    style = f"--style=file:{ROOT / '.clang-format'}"
    for tool, *options in (
        ["ruff", "check", "--isolated", "--select=E,F,I", "program.py"],
        ["ruff", "format", "--check", "program.py"],
        ["clang-format", "--dry-run", "--Werror", style, "program.c"],
    ):
        done = subprocess.run(
            [Path(sys.executable).parent / tool, *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@slowly
@given(hand=hands, maker=st.sampled_from(MAKERS))
def test_a_random_program_compiles_ends_and_stays_small(hand: Hand, maker: Maker) -> None:
    with program_of("c", in_c(maker(hand))) as program:
        assert program.warnings == ""
    recording = look_at("c", in_c(maker(hand)))
    assert recording.ended_early is None
    assert recording.status is not None and recording.status >= 0
    assert recording.seconds <= SECONDS
    assert 2 <= len(recording.history.family()) <= MOST_PROCESSES


def test_a_condition_that_decides_nothing_is_the_whole_statement() -> None:
    """In Python a body may not be empty; in C it may, and there a bare condition would get a warning."""
    told = in_python((Both(("or", "and"), ()), Say("x")))
    assert "\n(os.fork() or os.fork()) and os.fork()\nprint" in told


@settings(max_examples=3)
@given(hand=hands, maker=st.sampled_from(MAKERS), seed=st.integers(0, 99))
def test_a_random_program_is_the_same_in_both_languages(
    hand: Hand, maker: Maker, seed: int
) -> None:
    program = maker(hand)
    in_c_ = look_at("c", in_c(program), seed=seed)
    in_python_ = look_at("python", in_python(program), seed=seed)
    assert in_c_.output == in_python_.output
    assert story(in_c_.history) == story(in_python_.history)


@settings(max_examples=300)
@given(seed=st.integers(), level=st.integers(1, 5), maker=st.sampled_from(MAKERS))
def test_the_same_chance_writes_the_same_program(seed: int, level: int, maker: Maker) -> None:
    one, two = (maker(Hand(Random(seed), level)) for _ in range(2))
    assert one == two
    assert in_c(one) == in_c(two)


def test_c_is_portable_enough_for_a_strict_compiler() -> None:
    """As a student may compile it, with optimisation, which makes compilers see more."""
    for program in EVERYTHING:
        if MakePipe() in program:
            continue
        done = subprocess.run(
            ["cc", *C_FLAGS, "-Werror", "-O2", "-x", "c", "-o", "/dev/null", "-"],
            input=in_c(program),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_lines_are_labelled_in_the_order_of_the_text() -> None:
    unlabelled = (Say(""), Branch((Say(""),), (Say(""),)), Loop(2, (Say("", numbered=True),)))
    assert labelled(unlabelled) == (
        Say("A"),
        Branch((Say("B"),), (Say("C"),)),
        Loop(2, (Say("D", numbered=True),)),
    )
