"""The state graph: every state that a program can come to, and every step between two of them.

Most schedules meet again and again in the same states, so there are far fewer states than schedules. What is written
stands on the steps; `forklab.explore.harvest` reads all outcomes off the finished graph.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field

from forklab.bounds import TimeIsUpError
from forklab.explore.learned import Key, Learned, Situation, Step, real_steps
from forklab.explore.runs import Runs
from forklab.lens.replay import Played
from forklab.steps.moves import Move
from forklab.steps.schedule import PLAIN, Grain

_Unknown = dict[Hashable, list[tuple[Key, Move, tuple[str, ...]]]]  # by what would have to be known


@dataclass
class Graph:
    """`steps[key]` has the steps that can be taken in a state, by move.

    `grain` is how fine the steps of the runs were. `endless`: why the first run had to be ended. What is left to
    do: states at the `frontier`, and steps that are not known yet.
    """

    learned: Learned
    grain: Grain = PLAIN
    endless: str | None = None
    steps: dict[Key, dict[Move, Step]] = field(default_factory=dict)
    frontier: list[Key] = field(default_factory=list)
    unknown: _Unknown = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.frontier and not self.unknown

    @property
    def root(self) -> Key:
        assert self.learned.root is not None
        return self.learned.root

    def situation(self, key: Key) -> Situation:
        return self.learned.situations[key]

    def written_from(self, key: Key) -> list[tuple[str, Key]]:
        """Of each step that can be taken there: what it writes, and where it leads to."""
        return [(step.output, step.target) for step in self.steps.get(key, {}).values()]

    @property
    def terminals(self) -> list[Key]:
        """States in which nothing can happen any more."""
        return [key for key in self.steps if not self.situation(key).moves]

    def bottom_up(self) -> list[Key]:
        """All states, each after those that its steps lead to. There are no circles: whoever steps remembers it."""
        order: list[Key] = []
        seen = {self.root}
        stack = [(self.root, iter(self.steps.get(self.root, {}).values()))]
        while stack:
            key, rest = stack[-1]
            for step in rest:
                if step.target not in seen:
                    seen.add(step.target)
                    stack.append((step.target, iter(self.steps.get(step.target, {}).values())))
                    break
            else:
                order.append(key)
                stack.pop()
        return order

    def schedules(self, ends: Collection[Key] | None = None) -> int:
        """How many different schedules there are; only those that end in one of these states, if any are given."""
        count: dict[Key, int] = {}
        for key in self.bottom_up():
            steps = self.steps.get(key, {})
            counts_itself = int(ends is None or key in ends)
            count[key] = (
                sum(count[step.target] for step in steps.values()) if steps else counts_itself
            )
        return count[self.root]


def explore_graph(
    runs: Runs,
    *,
    first: Played | None = None,
    waits_after_calls: bool = False,
    is_over: Callable[[Graph], bool] = lambda _: False,
) -> Graph:
    """Build it. `is_over` is asked now and then, and may end it before it is complete.

    `first`: one of these runs, if there was one.
    """
    learned = Learned(waits_after_calls)
    try:
        first = first or runs.play([])
    except TimeIsUpError:
        learned.learn(Played(ended_early="Its first run did not end in time."))
        graph = Graph(learned, runs.grain)
        graph.frontier.append(graph.root)
        return graph
    learned.learn(first)
    endless = None if first.stuck else first.ended_early
    graph = Graph(learned, runs.grain, endless)
    graph.frontier.append(graph.root)
    grow(graph, runs, is_over)
    return graph


def grow(graph: Graph, runs: Runs, is_over: Callable[[Graph], bool]) -> None:
    """Until it is complete, or over."""
    while not graph.complete and not is_over(graph):
        if graph.frontier:
            _expand(graph, graph.frontier, graph.unknown)
        else:
            try:
                _ask(graph, runs, graph.unknown, graph.frontier)
            except TimeIsUpError:
                return


_A_WHILE = 0.1  # seconds between two questions whether it is over


def _expand(graph: Graph, frontier: list[Key], unknown: _Unknown) -> None:
    """Take every step that is known from the states at the frontier, for a while."""
    over = time.monotonic() + _A_WHILE
    while frontier and time.monotonic() < over:
        key = frontier.pop()
        if key in graph.steps:
            continue
        graph.steps[key] = {}
        here = graph.situation(key)
        if here.cut is None:
            for move in here.moves:
                _take(graph, here, move, frontier, unknown)


def _take(
    graph: Graph, here: Situation, move: Move, frontier: list[Key], unknown: _Unknown
) -> None:
    try:
        step = graph.learned.step(here, move)
    except (
        KeyError
    ) as missing:  # a step that was learned does not fit here: a footprint was too small
        graph.learned.doubt(f"After a step of {move.process} a fact is missing: {missing}.")
        return
    if isinstance(step, Step):
        graph.steps[here.key][move] = step
        if step.target not in graph.steps:
            frontier.append(step.target)
    else:
        unknown.setdefault(step.conditions, []).append((here.key, move, step.at_once))


def _ask(graph: Graph, runs: Runs, unknown: _Unknown, frontier: list[Key]) -> None:
    """Play what is not known yet, as many at a time as there are processors."""
    learned = graph.learned
    wanted = list(unknown)[: runs.most]
    ways = []
    for conditions in wanted:
        key, move, at_once = unknown[conditions][0]
        ways.append(real_steps([*learned.way_to(graph.situation(key)), (move, at_once)]))
    for played in runs.play_all(ways):
        learned.learn(played)
    for conditions in wanted:
        for key, move, _ in unknown.pop(conditions):
            again: _Unknown = {}
            _take(graph, graph.situation(key), move, frontier, again)
            for still, where in again.items():
                if still == conditions:
                    learned.doubt(f"A step of {move.process} could not be followed.")
                else:
                    unknown.setdefault(still, []).extend(where)
