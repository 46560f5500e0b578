"""The three ways to search agree on programs that nobody wrote."""

from __future__ import annotations

import pytest
from random_programs import random_program

from forklab.explore.dpor import one_of_each_kind
from forklab.explore.every import every_schedule
from forklab.explore.graph import explore_graph
from forklab.explore.harvest import harvest
from forklab.explore.replays import Replays
from forklab.source import program_of

AFFORDABLE = 300  # schedules, each of them a real run


def compare(seed: int) -> bool:
    """False: nothing to compare, as there are too many schedules."""
    text = random_program(seed)
    with (
        program_of("c", text) as program,
        Replays(program.argv, program=program.path, longest=1000) as replays,
    ):
        lazy = explore_graph(replays)
        while replays.are_void:  # somebody is sent a signal, and blocks it now and then
            replays.begin_anew()
            lazy = explore_graph(replays)
        if lazy.schedules() > AFFORDABLE:
            return False
        graph = explore_graph(replays, waits_after_calls=True)
        if graph.schedules() > AFFORDABLE:
            return False
        every = every_schedule(replays)
        reduced = one_of_each_kind(replays)
        assert not graph.learned.doubts and not lazy.learned.doubts, text
        assert graph.complete and lazy.complete and every.complete and reduced.complete, text
        assert graph.schedules() == every.schedules, text
        assert {(o.output, o.end) for o in harvest(graph, 1000)} == every.outcomes, text
        assert {(o.output, o.end) for o in harvest(lazy, 1000)} == every.outcomes, text
        assert reduced.outcomes == every.outcomes, text
        assert reduced.schedules <= every.schedules, text
    return True


def test_the_three_ways_agree() -> None:
    assert sum(map(compare, range(8))) > 4


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(1, 6))
def test_the_three_ways_agree_on_many(hundred: int) -> None:
    assert sum(map(compare, range(100 * hundred - 100, 100 * hundred))) > 50
