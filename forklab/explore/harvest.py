"""Reads all outcomes off a state graph, each with a shortest schedule.

From the bottom up: what can come of a state is what can come of those that its steps lead to, with what the step writes
put before it.
"""

from __future__ import annotations

import math

from forklab.bounds import be_in_time
from forklab.explore.graph import Graph
from forklab.explore.learned import Key, Way, numbered_steps, state_for
from forklab.explore.outcome import End, Outcome, StepTaken, end_of, waits_of
from forklab.steps.deeds import Deed, deed_of, goes_on
from forklab.steps.moves import Move
from forklab.steps.state import State

_Rest = tuple[str, End]  # what is still written, and the end
# How many steps a shortest schedule still has, and its first one.
_Best = tuple[int, Move | None]


class TooManyOutcomesError(Exception):
    """There are more than anybody wants to read."""


def harvest(
    graph: Graph, most: int, *, text_only: bool = False, until: float = math.inf
) -> list[Outcome]:
    """In the order of their texts. `text_only`: outcomes that differ in nothing but their ends count once.

    What lies beyond states where the graph is cut or not finished is not there. Raises TooManyOutcomesError if there
    are more than `most`, and TimeIsUpError after `until`.
    """
    rests: dict[Key, dict[_Rest, _Best]] = {}
    for key in graph.bottom_up():
        be_in_time(until)
        rests[key] = _rests_of(graph, key, rests, text_only=text_only)
        if len(rests[key]) > most:
            raise TooManyOutcomesError
    found = sorted(rests[graph.root], key=lambda rest: (rest[0], repr(rest[1])))
    return [_outcome(graph, rest, rests) for rest in found]


def glean(graph: Graph, most: int) -> list[Outcome]:
    """Some of the outcomes, at once: of each state that is the end of all one, by the way on which it was found."""
    found: dict[_Rest, Outcome] = {}
    for key in graph.terminals[:most]:
        here = graph.situation(key)
        if here.cut is not None:
            continue
        state, way, deeds, text = here.state, graph.learned.way_to(here), [], ""
        while here.before is not None:
            key, move, step = here.before
            here = graph.situation(key)
            deeds.append(deed_of(state_for(here, move), move))
            text = step.output + text
        found.setdefault((text, end_of(state)), _of_way(graph, text, way, deeds[::-1], state))
    return [found[rest] for rest in sorted(found, key=lambda rest: (rest[0], repr(rest[1])))]


def _rests_of(
    graph: Graph, key: Key, rests: dict[Key, dict[_Rest, _Best]], *, text_only: bool
) -> dict[_Rest, _Best]:
    here = graph.situation(key)
    if not here.moves and here.cut is None:
        end = End(None, (), ()) if text_only else end_of(here.state)
        return {("", end): (0, None)}
    best: dict[_Rest, _Best] = {}
    for move, step in graph.steps.get(key, {}).items():
        for (text, end), (length, _) in rests[step.target].items():
            rest = (step.output + text, end)
            if rest not in best or length + 1 < best[rest][0]:
                best[rest] = (length + 1, move)
    return best


def _outcome(graph: Graph, rest: _Rest, rests: dict[Key, dict[_Rest, _Best]]) -> Outcome:
    text, end = rest
    key = graph.root
    way: Way = []
    deeds: list[Deed] = []
    while (move := rests[key][text, end][1]) is not None:
        step = graph.steps[key][move]
        way.append((move, step.at_once))
        deeds.append(deed_of(state_for(graph.situation(key), move), move))
        text = text[len(step.output) :]
        key = step.target
    return _of_way(graph, rest[0], way, deeds, graph.situation(key).state)


def _of_way(graph: Graph, text: str, way: Way, deeds: list[Deed], last: State) -> Outcome:
    steps = tuple(
        StepTaken(move, goes_on(move.process) if place is None else deeds[place])
        for move, place in numbered_steps(way)
    )
    return Outcome(text, end_of(last), steps, waits_of(last), graph.grain)
