"""Plays that nobody wrote: they make sense, a perfect init passes each, and whatever can happen does so in some."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.ideal.ideal import Ideal
from autograder.labs.improvise import improvise
from autograder.language.deeds import (
    Blocks,
    Catches,
    Continues,
    Dies,
    Exits,
    Forks,
    Freezes,
    Ignores,
    Reaps,
    Sends,
    SendsOften,
    StartsGroup,
    StartsSession,
    Stops,
    Thaws,
)
from autograder.language.expectations import (
    Gets,
    GetsExactly,
    GetsNothing,
    HasDied,
    HasExited,
    IsAlive,
    IsChild,
    IsIdle,
    IsReaped,
    IsStopped,
    IsZombie,
)
from autograder.language.roles import INIT, MODES
from autograder.language.script import format_script, parse
from autograder.language.sense import check
from autograder.language.steps import Step
from autograder.trial.fuzz import plays_by_chance

DRAWN = {
    *(Forks, Exits, Dies, Reaps, Catches, Ignores, Blocks, StartsGroup, StartsSession, Stops),
    *(Continues, Sends, SendsOften, Freezes, Thaws),
}
TOLD = {
    *(IsAlive, IsStopped, IsZombie, IsReaped, IsChild, IsIdle, Gets, GetsExactly, GetsNothing),
    *(HasDied, HasExited),
}


def play(seed: int, at_least: int = 0) -> tuple[Step, ...]:
    chance = random.Random(seed)
    return improvise(chance.randrange, at_least)


@given(plays_by_chance(), st.sampled_from(MODES))
def test_every_play_makes_sense_and_a_perfect_init_passes_it(
    steps: tuple[Step, ...], mode: str
) -> None:
    assert check(steps) == []
    assert Ideal(steps, mode=mode).contradictions == ()


@given(plays_by_chance())
def test_every_play_ends_with_the_end_of_init(steps: tuple[Step, ...]) -> None:
    assert isinstance(steps[-1], HasExited) and INIT in steps[-1].actors


@given(plays_by_chance())
def test_a_play_is_what_its_script_says(steps: tuple[Step, ...]) -> None:
    read = parse(format_script(steps))
    assert tuple(read) == steps
    assert [step.line for step in read] == [step.line for step in steps]


def test_everything_that_can_happen_happens_in_some_play() -> None:
    steps = [step for seed in range(400) for step in play(seed)]
    assert {type(step) for step in steps} >= DRAWN | TOLD
    rows = Counter(type(step) for step in steps if step.named and step.named[0].is_row)
    assert {Exits, Dies, Forks} <= set(rows)
    to_init = {s.signal for s in steps if isinstance(s, Sends) and INIT in s.actors}
    assert len(to_init) > 25


def test_the_smallest_chance_makes_the_smallest_play() -> None:
    steps = improvise(lambda below: 0)
    assert format_script(steps).splitlines()[-2:] == ["main exits 0", "expect init exits 0"]
    assert len(steps) == 5


@pytest.mark.parametrize("at_least", [0, 6])
def test_a_play_has_as_many_deeds_as_are_asked_for(at_least: int) -> None:
    for seed in range(50):
        deeds = [step for step in play(seed, at_least) if type(step) in DRAWN]
        assert len(deeds) > at_least
