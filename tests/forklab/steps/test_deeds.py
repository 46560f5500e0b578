"""A step is data: what was done, by whom, to whom. Nobody has to read that out of a sentence."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import forklab
from forklab.explore.sentences import sentence
from forklab.kernel.signals import signal_number
from forklab.steps.deeds import A_GROUP, EVERYBODY, Deed, DeedKind
from forklab.steps.moves import Move, MoveKind
from forklab.steps.schedule import Grain, Schedule

TERM = signal_number("SIGTERM")


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (Deed("P", DeedKind.FORK, child="P.2"), "P forks P.2"),
        (Deed("P.1", DeedKind.WRITE, text="a\n"), r"P.1 writes 'a\n'"),
        (Deed("P", DeedKind.PUT, pipe="P/1", size=3), "P writes 3 bytes into pipe P/1"),
        (Deed("P", DeedKind.REAP, child="P.1"), "P reaps P.1"),
        (Deed("P", DeedKind.SEND, signals=(TERM,), target="P.1"), "P sends SIGTERM to P.1"),
        (Deed("P", DeedKind.SEND, signals=(0,), target="77"), "P sends signal 0 to process 77"),
        (
            Deed("P", DeedKind.SEND, signals=(TERM,), target=A_GROUP),
            "P sends SIGTERM to a process group",
        ),
        (
            Deed("P", DeedKind.SEND, signals=(TERM,), target=EVERYBODY),
            "P sends SIGTERM to everybody",
        ),
        (Deed("P", DeedKind.WAKE), "P wakes up"),
        (Deed("P", DeedKind.WAKE, signals=(TERM,)), "P is woken by SIGTERM"),
        (Deed("P", DeedKind.SUSPENDED, call="rt_sigsuspend"), "P is woken in sigsuspend"),
        (Deed("", DeedKind.TIME), "time passes"),
    ],
)
def test_a_deed_has_its_sentence(deed: Deed, words: str) -> None:
    assert sentence(deed) == words


def test_every_kind_of_deed_has_words() -> None:
    for kind in DeedKind:
        assert sentence(Deed("P", kind, signals=(TERM,), target="P.1"))


def test_no_sentence_is_parsed_back_anywhere() -> None:
    """Whoever has the words of a step has its data beside them."""
    for path in Path(forklab.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                assert node.value.attr != "does", f"{path}:{node.lineno}"


def test_a_schedule_is_read_back_as_it_was() -> None:
    moves = (Move("P", MoveKind.CALL), Move("", MoveKind.TIME), Move("P.1", MoveKind.SIGNAL))
    grain = Grain(0b10, frozenset({"file /tmp/a"}))
    for schedule in (Schedule(moves, grain, most=7), Schedule(moves), Schedule()):
        assert Schedule.from_json(schedule.to_json()) == schedule
