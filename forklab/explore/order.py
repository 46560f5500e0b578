"""What comes before what in every schedule: the process graph, as CS:APP draws it for chapter 8.4.

Its vertices are what processes do that others may notice: write, fork, reap, exit, send and take signals. There is an
edge from one to another if no schedule has the second without the first before it; only edges that do not follow from
others are kept. Nothing of it comes from the program's text: it is read off the explored states.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from forklab.explore import words
from forklab.explore.graph import Graph
from forklab.explore.learned import EARLY, Key
from forklab.lens.calls import groups as calls
from forklab.steps import state as facts
from forklab.steps.state import Move, State


class Kind(StrEnum):
    """What a vertex is."""

    FORK = "fork"
    WRITE = "write"
    REAP = "reap"
    EXIT = "exit"
    SEND = "send"
    SIGNAL = "signal"


@dataclass(frozen=True)
class Vertex:
    """Something that a process does. `always`: in every schedule; `text` is what it writes."""

    process: str
    kind: Kind
    does: str
    text: str = ""
    child: str = ""  # of a fork
    always: bool = True


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

    numbers: dict[tuple[str, Kind, str, int], int] = field(default_factory=dict)
    vertices: list[Vertex] = field(default_factory=list)
    before: list[int] = field(default_factory=list)

    def number(self, vertex: Vertex, nth: int) -> int:
        """`nth`: how often its process has done the same before."""
        known = vertex.process, vertex.kind, vertex.does, nth
        if known not in self.numbers:
            self.numbers[known] = len(self.vertices)
            self.vertices.append(vertex)
            self.before.append(-1)
        return self.numbers[known]


def process_graph(graph: Graph) -> ProcessGraph:
    tally = _Tally()
    done: dict[Key, int] = {graph.root: 0}  # in every schedule that comes to this state
    own: dict[Key, dict[str, tuple[int, ...]]] = {graph.root: {}}  # of those who live
    always = -1
    for key in reversed(graph.bottom_up()):
        here = graph.situation(key)
        if not here.moves:
            always &= done[key]
        for move, step in graph.steps.get(key, {}).items():
            mask, mine = done[key], own[key].get(move.process, ())
            vertex = _vertex(here.state, move)
            if vertex is not None:
                alike = [tally.vertices[number] for number in mine]
                nth = sum(v.kind is vertex.kind and v.does == vertex.does for v in alike)
                number = tally.number(vertex, nth)
                tally.before[number] &= mask
                mask |= 1 << number
                mine = (*mine, number)
            done[step.target] = done.get(step.target, -1) & mask
            if step.target not in own:
                own[step.target] = {**own[key], move.process: mine}
    return _drawn(tally, always)


def _drawn(tally: _Tally, always: int) -> ProcessGraph:
    """Without the edges that follow from others."""
    edges = []
    for head, mask in enumerate(tally.before):
        behind = 0  # those that come before others that come before it
        for tail in _bits(mask):
            behind |= tally.before[tail]
        edges += [(tail, head) for tail in _bits(mask & ~behind)]
    vertices = (
        Vertex(v.process, v.kind, v.does, v.text, v.child, bool(always >> number & 1))
        for number, v in enumerate(tally.vertices)
    )
    return ProcessGraph(tuple(vertices), tuple(edges), tuple(tally.before))


def _bits(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _vertex(state: State, move: Move) -> Vertex | None:
    """What others may notice of this step; None: nothing."""
    name = move.process
    if move.kind == facts.TIME:
        return None
    does = words.does(state, move).removeprefix(f"{name} ")
    if move.kind in (facts.SIGNAL, EARLY):
        return Vertex(name, Kind.SIGNAL, does)
    place = facts.place_of(state, name)
    call = place.call
    if move.kind == facts.RETURN:
        return None
    if call in calls.FORKS:
        return Vertex(name, Kind.FORK, does, child=does.rpartition(" ")[2])
    if call in calls.EXITS:
        return Vertex(name, Kind.EXIT, does)
    if call in ("write", "writev") and place.detail[0] == "output":
        return Vertex(name, Kind.WRITE, does, text=str(place.detail[1]))
    if call in calls.WAITS and does.startswith("reaps"):
        return Vertex(name, Kind.REAP, does)
    if call in calls.SIGNALLING:
        return Vertex(name, Kind.SEND, does)
    return None
