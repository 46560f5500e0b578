"""The search for a state graph that counts: begun anew as finely as it has to be, and by memory where that pays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from forklab.bounds import TimeIsUpError
from forklab.explore.graph import Graph, explore_graph, grow
from forklab.explore.runs import Runs
from forklab.lens.replay import Played

_T = TypeVar("_T")
_MANY_STATES, _MANY_RUNS = 4_000, 400  # of one graph: from then on it is worth to look at memory


def search(runs: Runs, first: Played | None, is_over: Callable[[Graph], bool]) -> Graph:
    """`first`: one of these runs, if there was one. `is_over` is asked now and then, and may end it."""
    graph = _graph_of(runs, first, is_over)
    while runs.are_void:
        runs.begin_anew()
        graph = _graph_of(runs, None, is_over)
    return graph


def _graph_of(runs: Runs, first: Played | None, is_over: Callable[[Graph], bool]) -> Graph:
    """Where much comes of it, states are one that no process can tell apart any more."""
    runs.by_memory = False
    graph = explore_graph(
        runs, first=first, is_over=lambda graph: _is_large(graph) or is_over(graph)
    )
    if not _is_large(graph) or is_over(graph):
        return graph
    with contextlib.suppress(TimeIsUpError):
        if runs.begin_by_memory():
            merged = explore_graph(
                runs, is_over=lambda graph: bool(graph.learned.doubts) or is_over(graph)
            )
            if not merged.learned.doubts:
                return merged
    runs.by_memory = False
    grow(graph, runs, is_over)
    return graph


def _is_large(graph: Graph) -> bool:
    learned = graph.learned
    many = len(learned.situations) > _MANY_STATES or learned.runs > _MANY_RUNS
    return many and not graph.complete


def objections(graph: Graph, runs: Runs) -> list[str]:
    """Why what was found may not be all, as far as it was searched; without full stops."""
    learned = graph.learned
    cut = dict.fromkeys(here.cut for here in learned.situations.values() if here.cut is not None)
    return [
        *(reason + where for reason, where in runs.reasons.items()),
        *(text.rstrip(".") for text in (*cut, *learned.doubts)),
    ]


def evenly(found: Sequence[_T], most: int) -> list[_T]:
    """Of many, so many, from all over them."""
    count = min(len(found), most)
    return [found[place * len(found) // count] for place in range(count)]
