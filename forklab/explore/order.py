"""What comes before what in every schedule: the process graph, as CS:APP draws it for chapter 8.4.

Its vertices are what processes do that others may notice: write, fork, reap, exit, send and take signals. There is an
edge from one to another if no schedule has the second without the first before it; only edges that do not follow from
others are kept. Nothing of it comes from the program's text: it is read off the explored states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from forklab.explore.graph import Graph
from forklab.explore.learned import Key, state_for
from forklab.steps.deeds import Deed, DeedKind, deed_of

_NOTICEABLE = frozenset(
    {
        DeedKind.FORK,
        DeedKind.WRITE,
        DeedKind.REAP,
        DeedKind.EXIT,
        DeedKind.SEND,
        DeedKind.SIGNAL,
    }
)


MOST_VERTICES = 500  # with edges between them


@dataclass(frozen=True)
class Vertex:
    """Something that a process does, of a kind that others may notice. `always`: in every schedule."""

    deed: Deed
    always: bool = True

    @property
    def process(self) -> str:
        return self.deed.process

    @property
    def kind(self) -> DeedKind:
        return self.deed.kind


@dataclass(frozen=True)
class ProcessGraph:
    """`edges` are pairs of places in `vertices`; `before[v]` has all that come before v, as a bit mask."""

    vertices: tuple[Vertex, ...]
    edges: tuple[tuple[int, int], ...]
    before: tuple[int, ...]

    def chain(self, first: int, last: int) -> list[int] | None:
        """A shortest way from one to the other along the edges."""
        ways = [[first]]
        seen = {first}
        while ways:
            way = ways.pop(0)
            if way[-1] == last:
                return way
            for tail, head in self.edges:
                if tail == way[-1] and head not in seen:
                    seen.add(head)
                    ways.append([*way, head])
        return None


@dataclass
class _Tally:
    """What is known while the states are gone through from the start."""

    numbers: dict[tuple[Deed, int], int] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)
    before: list[int] = field(default_factory=list)

    def number(self, deed: Deed, nth: int) -> int:
        """`nth`: how often its process has done the same before."""
        known = deed, nth
        if known not in self.numbers:
            self.numbers[known] = len(self.deeds)
            self.deeds.append(deed)
            self.before.append(-1)
        return self.numbers[known]


def process_graph(graph: Graph) -> ProcessGraph:
    tally = _Tally()
    done: dict[Key, int] = {graph.root: 0}  # in every schedule that comes to this state
    own: dict[Key, dict[str, dict[Deed, int]]] = {graph.root: {}}  # of those who live: how often
    always = -1
    for key in reversed(graph.bottom_up()):
        here = graph.situation(key)
        if not here.moves:
            always &= done[key]
        for move, step in graph.steps.get(key, {}).items():
            mask, mine = done[key], own[key].get(move.process, {})
            deed = deed_of(state_for(here, move), move)
            if deed.kind in _NOTICEABLE:
                nth = mine.get(deed, 0)
                number = tally.number(deed, nth)
                tally.before[number] &= mask
                mask |= 1 << number
                mine = {**mine, deed: nth + 1}
            done[step.target] = done.get(step.target, -1) & mask
            if step.target not in own:
                own[step.target] = {**own[key], move.process: mine}
    return _drawn(tally, always)


def graph_of(steps: Iterable[tuple[Deed, int | None]]) -> ProcessGraph:
    """Of steps that all are taken in every schedule, each with the place of the one that it comes right after."""
    tally = _Tally()
    masks: list[int] = []  # of each step: it, and all that come before it
    counts: Counter[Deed] = Counter()
    for deed, after in steps:
        mask = 0 if after is None else masks[after]
        if deed.kind in _NOTICEABLE:
            number = tally.number(deed, counts[deed])
            counts[deed] += 1
            tally.before[number] = mask
            mask |= 1 << number
        masks.append(mask)
    return _drawn(tally, always=-1)


def _drawn(tally: _Tally, always: int) -> ProcessGraph:
    """Without the edges that follow from others; without any if there are too many to be read."""
    edges: list[tuple[int, int]] = []
    for head, mask in enumerate(tally.before if len(tally.before) <= MOST_VERTICES else ()):
        behind = 0  # those that come before others that come before it
        for tail in _bits(mask):
            behind |= tally.before[tail]
        edges += [(tail, head) for tail in _bits(mask & ~behind)]
    vertices = (Vertex(deed, bool(always >> number & 1)) for number, deed in enumerate(tally.deeds))
    return ProcessGraph(tuple(vertices), tuple(edges), tuple(tally.before))


def _bits(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]
