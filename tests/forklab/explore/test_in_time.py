"""Whatever the program is, a search comes to its end in time, and says what it has by then."""

from __future__ import annotations

import math
import sys
import time

import pytest
from programs import TABLE, Runnable

from forklab.bounds import TimeIsUpError
from forklab.explore import Exploration, explore
from forklab.explore.explore import comes_to
from forklab.explore.graph import Graph, explore_graph
from forklab.explore.harvest import glean, harvest
from forklab.explore.replays import Replays

CASE = next(case for case in TABLE if case.name == "two_lines_each")


@pytest.fixture
def graph(runnable: Runnable) -> Graph:
    with Replays(**runnable(CASE.language, CASE.text)) as replays:
        return explore_graph(replays)


def test_a_run_that_is_not_over_in_time_is_given_up_and_the_next_one_is_right(
    runnable: Runnable,
) -> None:
    with Replays(**runnable(CASE.language, CASE.text), until=time.monotonic()) as replays:
        with pytest.raises(TimeIsUpError):
            replays.play([])
        replays.until = math.inf
        assert replays.play([]).status == 0


def test_without_a_first_run_nothing_is_claimed(runnable: Runnable) -> None:
    found = explore(**runnable(CASE.language, CASE.text), seconds=1e-6)
    assert (found.outcomes, found.complete) == ((), False)
    assert "Its first run did not end in time" in found.reasons


def test_reading_off_the_outcomes_ends_in_time_too(graph: Graph) -> None:
    with pytest.raises(TimeIsUpError):
        harvest(graph, 1000, until=time.monotonic())


def test_what_is_gleaned_then_can_happen_as_it_says(graph: Graph, runnable: Runnable) -> None:
    all_of_them = {(outcome.output, outcome.end) for outcome in harvest(graph, 1000)}
    some = glean(graph, 1000)
    assert some and {(outcome.output, outcome.end) for outcome in some} <= all_of_them
    with Replays(**runnable(CASE.language, CASE.text)) as replays:
        for outcome in some:
            assert comes_to(replays.play(outcome.replay.moves), outcome)


def test_no_time_to_read_off_all_is_said(
    runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_no_time(*_: object, **__: object) -> None:
        raise TimeIsUpError

    monkeypatch.setattr(sys.modules["forklab.explore.explore"], "harvest", has_no_time)
    found: Exploration = explore(**runnable(CASE.language, CASE.text), seconds=50)
    assert found.outcomes and not found.complete
    assert found.reasons == ("50 seconds were over",)
