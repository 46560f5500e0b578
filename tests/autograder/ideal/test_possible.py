"""Which deeds are drawn, and what is told of them: only what has one right course, whatever init it is."""

from __future__ import annotations

import random

import pytest

from autograder.ideal.certain import after, census
from autograder.ideal.foresight import Foresight
from autograder.ideal.perfect import PerfectPlay
from autograder.ideal.possible import KINDS, can_be_thawed, send_to_init
from autograder.language.beginnings import Beginning
from autograder.language.deeds import Deed
from autograder.language.expectations import Expectation
from autograder.language.grammar import write_line
from autograder.language.roles import PIDNS
from autograder.language.script import parse

DRAWS = 300


def stood(script: str) -> tuple[PerfectPlay, Foresight, list[str]]:
    """How a perfect play stands after a script of deeds, and what is told of the last one."""
    play = PerfectPlay(PIDNS)
    foresight = Foresight(play)
    told: list[Expectation] = []
    for step in parse(script.replace("; ", "\n")):
        assert not isinstance(step, Beginning | Expectation)
        before = play.table
        foresight.next_deed()
        play.perform(step)
        told = after(step, before, play, foresight)
        assert all(foresight.objections(one) == [] for one in told)
    return play, foresight, [write_line(one) for one in told]


def told_of(script: str) -> list[str]:
    return stood(script)[2]


def drawn(play: PerfectPlay) -> list[Deed]:
    """Many deeds that could be next."""
    chance = random.Random(1).randrange
    made = (KINDS[number % len(KINDS)](play, chance) for number in range(DRAWS))
    return [deed for deed in made if deed is not None]


@pytest.mark.parametrize(
    "script",
    [
        "main forks p1; p1 forks p2..p4; p2 stops; p3 exits 0",
        "main catches SIGTERM; main stops; send SIGTERM to main",
        "main forks p1; main reaps p1",
        "main forks p1; p1 starts a session; p1 forks p2; freeze init; p1 exits 1",
        "main blocks SIGINT; send SIGINT to init; freeze init; send SIGINT to init",
    ],
)
def test_whatever_is_drawn_can_be_done_and_main_survives_it(script: str) -> None:
    kinds = set()
    for deed in drawn(stood(script)[0]):
        play = stood(script)[0]
        play.perform(deed)
        assert not play.table["main"].dead, write_line(deed)
        kinds.add(type(deed))
    assert len(kinds) >= 4


@pytest.mark.parametrize(
    ("script", "certain"),
    [
        ("freeze init", True),
        ("freeze init; send SIGTERM to init", True),  # main dies of it, and of nothing else
        ("freeze init; send SIGTERM to init; send SIGHUP to init", False),  # of which one?
        ("main catches SIGTERM; freeze init; send SIGTERM to init; send SIGHUP to init", False),
        (
            "main catches SIGTERM; main catches SIGHUP; freeze init; "
            "send SIGTERM to init; send SIGHUP to init",
            True,
        ),
        ("main stops; freeze init", False),  # thawing may wake it
        ("main catches SIGCONT; freeze init", False),
        ("main blocks SIGTTIN; send SIGTTIN to main; freeze init", False),  # it may be taken away
        ("freeze init; send SIGTERM to init; send SIGHUP to init; main exits 3", True),
    ],
)
def test_init_is_thawed_where_only_one_thing_can_come_of_it(script: str, certain: bool) -> None:
    assert can_be_thawed(stood(script)[0]) is certain


def test_who_hears_of_a_child_is_not_stopped_together_with_it() -> None:
    play, _, _ = stood("main catches SIGCHLD; main catches SIGTERM; main forks p1")
    chance = random.Random(1).randrange
    sent = {write_line(deed) for _ in range(DRAWS) if (deed := send_to_init(play, chance))}
    assert "send SIGTERM to init" in sent
    assert not [line for line in sent if "SIGTSTP" in line or "SIGTTIN" in line]


def test_a_frozen_init_gets_nothing_that_could_thaw_it() -> None:
    play, _, _ = stood("freeze init")
    chance = random.Random(1).randrange
    sent = " ".join(write_line(deed) for _ in range(DRAWS) if (deed := send_to_init(play, chance)))
    assert "SIGWINCH" in sent
    assert not [s for s in ("SIGCONT", "SIGTSTP", "SIGKILL", "SIGSTOP", "SIGTERM") if s in sent]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("main forks p1", []),
        ("main forks p1; p1 exits 3", ["expect p1 is a zombie"]),
        (
            "main forks p1; p1 forks p2..p4; p2 exits 0; p1 exits 0",
            [
                "expect p1 is a zombie",
                "expect p2 is reaped",
                "expect p3..p4 are children of init",
            ],
        ),
        (
            "main forks p1; send SIGKILL to p1",
            ["expect p1 is a zombie", "expect p1 dies by SIGKILL"],
        ),
        (
            "main catches SIGINT; main forks p1; p1 starts a group; send SIGINT to init",
            ["expect main gets SIGINT 1 time", "expect p1 gets nothing", "expect init is alive"],
        ),
        ("main exits 7", ["expect init exits 7"]),
        ("main dies by SIGTERM", ["expect init exits 143"]),
        ("freeze init; main exits 7", ["expect main is a zombie"]),
    ],
)
def test_what_a_deed_has_changed_is_told(script: str, told: list[str]) -> None:
    assert told_of(script) == told


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("main catches SIGUSR1; send SIGUSR1 to init 3 times", "expect main gets SIGUSR1"),
        (
            "main catches SIGRTMIN; send SIGRTMIN to init 3 times",
            "expect main gets SIGRTMIN 3 times",
        ),
        (
            "main catches SIGUSR1; freeze init; send SIGUSR1 to init 3 times; thaw init",
            "expect main gets SIGUSR1 1 time",  # one bit holds one
        ),
        ("main catches SIGCHLD; main forks p1..p3; p1..p3 exit 0", "expect main gets SIGCHLD"),
        ("main blocks SIGRTMIN; send SIGRTMIN to init 3 times", "expect main gets SIGRTMIN"),
    ],
)
def test_signals_are_counted_where_their_number_is_certain(script: str, told: str) -> None:
    assert told in told_of(script)


def test_a_census_tells_of_everybody() -> None:
    play, _, _ = stood("main forks p1..p2; p1 forks p3; p3 stops; p1 exits 0; p2 exits 0")
    assert [write_line(one) for one in census(play)] == [
        "expect main is alive",
        "expect p1..p2 are zombies",
        "expect p3 is stopped",
        "expect p3 is a child of init",
        "expect init is idle",
    ]
    play.perform(parse("freeze init")[0])  # type: ignore[arg-type]
    assert "expect init is idle" not in [write_line(one) for one in census(play)]
