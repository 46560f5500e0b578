"""A process graph, as CS:APP draws it: each process a line to the right, dots where it does something.

An edge says "in every schedule before". Where two dots have no way from one to the other, either may come first.
What does not happen in every schedule has a hollow dot. Where everything stands follows from the edges alone, so the
picture is the same bytes on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from forklab.draw import measure, shapes
from forklab.draw.characters import single_line
from forklab.draw.outcomes.graph_style import GRAPH_STYLE_SHEET
from forklab.draw.shapes import Point
from forklab.explore.order import ProcessGraph, Vertex
from forklab.explore.sentences import predicate, sent, sentence
from forklab.steps.deeds import DeedKind

_EDGE = 16  # free space around everything
_LANE = 58  # from one process to the next
_GAP = 26  # least space between the words of two dots
_DOT = 4.5
_HEAD, _WING = 7, 3.5  # an arrow's length and half its width
_PAST, _TURN = 27, 26  # an arrow that goes around a dot: how far below it, and how long it turns
_ABOVE, _BELOW = 10, 20  # from a dot to the words above and below it


def process_graph_svg(graph: ProcessGraph, title: str | None = None, *, styled: bool = True) -> str:
    """One <svg> element, without prolog and ids. It stands alone as a file if `styled`."""
    return _Picture(graph, title).draw(styled=styled)


class _Picture:
    def __init__(self, graph: ProcessGraph, title: str | None) -> None:
        self._graph = graph
        self._title = single_line(title) if title else ""
        self._lanes = _lanes(graph.vertices)
        names = [measure.text_width(name, measure.NAME_SIZE, bold=True) for name in self._lanes]
        self._left = float(_EDGE + max(names, default=0) + _GAP)
        self._top = _EDGE + (measure.TITLE_SIZE + 16 if title else 0) + 18
        self._across = self._columns()

    def _columns(self) -> list[float]:
        """How far right each dot stands: after all that come before it, and clear of its neighbours' words."""
        levels = _levels(self._graph)
        widest = [0.0] * (max(levels, default=-1) + 1)
        for level, vertex in zip(levels, self._graph.vertices, strict=True):
            width = max(measure.text_width(w, measure.LABEL_SIZE) for w in _words(vertex))
            widest[level] = max(widest[level], width)
        places: list[float] = []
        x: float = self._left
        for space in widest:
            x += space / 2
            places.append(x)
            x += space / 2 + _GAP
        return [places[level] for level in levels]

    def _place(self, number: int) -> Point:
        lane = self._lanes.index(self._graph.vertices[number].process)
        return self._across[number], self._top + lane * _LANE

    def draw(self, *, styled: bool) -> str:
        right = max(self._across, default=self._left) + 40
        title_width = measure.text_width(self._title, measure.TITLE_SIZE, bold=True)
        lines = shapes.opening(
            "forklab-order",
            "; ".join(single_line(sentence(v.deed)) for v in self._graph.vertices),
            round(max(right, title_width + 2 * _EDGE)),
            round(self._top + (len(self._lanes) - 1) * _LANE + _BELOW + _EDGE),
            title=self._title or "process graph",
            style_sheet=GRAPH_STYLE_SHEET if styled else "",
        )
        if self._title:
            lines.append(shapes.text("title", _EDGE, _EDGE + measure.TITLE_SIZE, self._title))
        for lane, name in enumerate(self._lanes):
            lines.append(shapes.text("name", _EDGE, self._top + lane * _LANE + 5, name))
        lines += [self._arrow(tail, head) for tail, head in self._graph.edges]
        lines += [self._dot(number) for number in range(len(self._graph.vertices))]
        return "\n".join([*lines, "</svg>\n"])

    def _arrow(self, tail: int, head: int) -> str:
        """Along a line, and around the dots between; else up or down first where a child begins, and last where it is
        reaped."""
        (x1, y1), (x2, y2) = self._place(tail), self._place(head)
        first, last = self._graph.vertices[tail], self._graph.vertices[head]
        end = (x2 - _DOT, y2, 1, 0)
        if y1 == y2 and self._something_between(tail, head):
            low, turn = y1 + _PAST, _TURN / 2
            way = (
                f"M{x1:g} {y1:g}c{turn:g} 0 {turn:g} {_PAST} {_TURN} {_PAST}H{x2 - _TURN:g}"
                f"C{x2 - turn:g} {low:g} {x2 - turn:g} {y2:g} {x2 - _DOT:g} {y2:g}"
            )
        elif y1 == y2:
            way = f"M{x1:g} {y1:g}H{x2 - _DOT:g}"
        elif first.kind is DeedKind.FORK and last.process == first.deed.child:
            way = f"M{x1:g} {y1:g}V{y2:g}H{x2 - _DOT:g}"
        elif first.kind is DeedKind.EXIT and last.kind is DeedKind.REAP:
            down = 1 if y2 > y1 else -1
            way = f"M{x1:g} {y1:g}H{x2:g}V{y2 - down * _DOT:g}"
            end = (x2, y2 - down * _DOT, 0, down)
        else:
            middle = (x1 + x2) / 2
            way = f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2 - _DOT:g} {y2:g}"
        return shapes.path(way, "edge") + _head(*end)

    def _something_between(self, tail: int, head: int) -> bool:
        """A straight arrow would seem to come from there."""
        (left, y), (right, _) = self._place(tail), self._place(head)
        places = map(self._place, range(len(self._graph.vertices)))
        return any(left < x < right and y == across for x, across in places)

    def _dot(self, number: int) -> str:
        x, y = self._place(number)
        vertex = self._graph.vertices[number]
        above, below = _words(vertex)
        drawn = shapes.circle("dot" if vertex.always else "dot maybe", x, y, _DOT)
        if above:
            drawn += shapes.text("written", x, y - _ABOVE, above)
        if below:
            drawn += shapes.text("label", x, y + _BELOW, below)
        return drawn


def _lanes(vertices: Sequence[Vertex]) -> list[str]:
    """The first process at the bottom, its children above it, the first one at the top: few lines cross."""
    names = {vertex.process for vertex in vertices} | {
        v.deed.child for v in vertices if v.kind is DeedKind.FORK
    }
    found: list[str] = []

    def add(name: str) -> None:
        depth = name.count(".") + 1
        children = [n for n in names if n.startswith(f"{name}.") and n.count(".") == depth]
        for child in sorted(children, key=lambda n: int(n.rpartition(".")[2])):
            add(child)
        found.append(name)

    if names:
        add("P")
    return found


def _levels(graph: ProcessGraph) -> list[int]:
    """After all that have to come before it; and no two of one process in one place."""
    levels = [0] * len(graph.vertices)
    taken: set[tuple[str, int]] = set()
    for number in sorted(range(len(levels)), key=lambda n: graph.before[n].bit_count()):
        process = graph.vertices[number].process
        level = max((levels[tail] for tail, head in graph.edges if head == number), default=-1) + 1
        while (process, level) in taken:
            level += 1
        taken.add((process, level))
        levels[number] = level
    return levels


def _words(vertex: Vertex) -> tuple[str, str]:
    """Above and below its dot."""
    deed = vertex.deed
    match deed.kind:
        case DeedKind.WRITE:
            return single_line(deed.text.strip()), ""
        case DeedKind.REAP:
            return "", "wait"
        case DeedKind.FORK:
            return "", "fork"
        case DeedKind.EXIT if deed.status >= 0:
            return "", f"exit {deed.status}"
        case DeedKind.SEND:
            return "", sent(deed)
        case _:
            return "", predicate(deed)


def _head(x: float, y: float, right: int, down: int) -> str:
    back = x - right * _HEAD, y - down * _HEAD
    wings = [(back[0] + side * down * _WING, back[1] + side * right * _WING) for side in (1, -1)]
    return shapes.polygon("head", (x, y), *wings)
