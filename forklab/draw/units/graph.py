"""Units and what they say of each other, as a graph: who needs whom, and, apart from that, who comes first.

An arrow leads from a unit to the one that it names. Solid: it cannot do without (Requires=, BindsTo=); dashed: it would
like to have it (Wants=); dotted: it comes after it; with a word: it cannot be together with it, or wakes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import graphviz

from forklab.draw import measure, shapes
from forklab.draw.characters import single_line
from forklab.draw.shapes import Point
from forklab.draw.trees.render import Layout, layout
from forklab.draw.units.style import NAME_SIZE, UNITS_STYLE_SHEET

# The kinds of lines, each with its look, its colour in DOT, and whether its word stands beside it.
_KINDS: Final = {
    "Requires": ("requires", "black", False),
    "BindsTo": ("requires", "black", True),
    "Wants": ("wants", "grey40", False),
    "After": ("after", "darkgreen", False),
    "PartOf": ("after", "grey40", True),
    "Conflicts": ("conflicts", "red", True),
    "OnFailure": ("wants", "red", True),
}
_EDGE, _PAD, _HEIGHT, _POINTS = 14, 12, 40, 72.0
_HEAD, _WING = 8, 4
LEGEND: Final = "solid: requires · dashed: wants · dotted: comes after"


@dataclass(frozen=True)
class UnitBox:
    name: str
    words: str = ""  # below the name: "active (running)"
    state: str = "inactive"  # as systemctl says it


@dataclass(frozen=True)
class Tie:
    """`tail` says of `head`: it requires it, comes after it ..."""

    kind: str
    tail: str
    head: str
    cut: bool = False  # the manager had to give it up, to open a circle

    @property
    def words(self) -> str:
        return f"{self.kind}, cut" if self.cut else self.kind


def units_dot(boxes: Sequence[UnitBox], ties: Sequence[Tie]) -> str:
    """The graph for Graphviz' own programs, as `systemd-analyze dot` writes one."""
    graph = graphviz.Digraph("units")
    graph.attr(rankdir="LR")
    for box in boxes:
        graph.node(box.name, shape="box")
    for tie in ties:
        look, color, _ = _KINDS[tie.kind]
        style = {"requires": "solid", "wants": "dashed", "after": "dotted"}.get(look, "solid")
        color = "red" if tie.cut else color
        graph.edge(tie.tail, tie.head, label=tie.words, color=color, style=style)
    return str(graph.source)


def units_svg(boxes: Sequence[UnitBox], ties: Sequence[Tie], title: str = "") -> str:
    """One <svg> element. Raises GraphvizMissingError or GraphvizFailedError."""
    placed = layout(_bare(boxes, ties))
    top = _EDGE + (measure.TITLE_SIZE + 12 if title else 0)
    words = [
        measure.text_width(title, measure.TITLE_SIZE, bold=True),
        measure.text_width(_legend(ties), measure.LABEL_SIZE),
    ]
    width = max(placed.width, *words) + 2 * _EDGE
    bottom = placed.height + top + 2 * _EDGE
    lines = shapes.opening(
        "forklab-units",
        _read_aloud(boxes, ties),
        round(width),
        round(bottom + _EDGE),
        title=single_line(title) or "units",
        style_sheet=UNITS_STYLE_SHEET,
    )
    if title:
        lines.append(shapes.text("title", _EDGE, _EDGE + measure.TITLE_SIZE, single_line(title)))
    drawn = [_arrow(tie, placed.routes[f"e{number}"]) for number, tie in enumerate(ties)]
    drawn += [_box(box, placed, number) for number, box in enumerate(boxes)]
    legend = shapes.text("label", _EDGE, bottom, _legend(ties))
    return "\n".join([*lines, shapes.layer(drawn, (_EDGE, top)), legend, "</svg>\n"])


def _legend(ties: Sequence[Tie]) -> str:
    return LEGEND + " · red: cut, to open a circle" * any(tie.cut for tie in ties)


def _bare(boxes: Sequence[UnitBox], ties: Sequence[Tie]) -> str:
    """For the places alone: names and words may hold what DOT gives a meaning."""
    graph = graphviz.Digraph()
    graph.attr(ranksep="0.6", nodesep="0.25")
    graph.attr("node", shape="box", fixedsize="true", label="")
    numbers = {box.name: number for number, box in enumerate(boxes)}
    for box in boxes:
        size = {"width": f"{_width(box) / _POINTS:.4f}", "height": f"{_HEIGHT / _POINTS:.4f}"}
        graph.node(f"n{numbers[box.name]}", **size)
    for number, tie in enumerate(ties):
        graph.edge(f"n{numbers[tie.tail]}", f"n{numbers[tie.head]}", id=f"e{number}")
    return str(graph.source)


def _width(box: UnitBox) -> int:
    name = measure.text_width(single_line(box.name), NAME_SIZE, bold=True)
    return max(name, measure.text_width(box.words, measure.SMALL_SIZE)) + 2 * _PAD


def _box(box: UnitBox, placed: Layout, number: int) -> str:
    x, y = placed.nodes[f"n{number}"]
    left, top = x - _width(box) / 2, y - _HEIGHT / 2
    inside = shapes.rect(f"box {box.state}", left, top, _width(box), _HEIGHT, corner=7)
    inside += shapes.text(
        "name", left + _PAD, top + (17 if box.words else 25), single_line(box.name)
    )
    if box.words:
        inside += shapes.text("words", left + _PAD, top + 33, single_line(box.words))
    return shapes.group(inside, "unit")


def _arrow(tie: Tie, route: Sequence[Point]) -> str:
    look, _, named = _KINDS[tie.kind]
    look += " cut" * tie.cut
    drawn = shapes.name(f"{tie.tail}: {tie.kind}={tie.head}{', cut' * tie.cut}")
    drawn += shapes.curve(route).replace("<path", f'<path class="edge {look}"', 1)
    (x, y), (before_x, before_y) = route[-1], route[-2]
    length = ((x - before_x) ** 2 + (y - before_y) ** 2) ** 0.5 or 1.0
    along_x, along_y = (x - before_x) / length, (y - before_y) / length
    tip = (x + along_x * _HEAD, y + along_y * _HEAD)
    drawn += shapes.head(
        tip,
        (x - along_y * _WING, y + along_x * _WING),
        (x + along_y * _WING, y - along_x * _WING),
    )
    if named or tie.cut:
        middle_x, middle_y = route[len(route) // 2]
        label = "cut" if tie.cut else f"{tie.kind}="
        drawn += shapes.text("label", middle_x + 4, middle_y + 4, label)
    return shapes.group(drawn)


def _read_aloud(boxes: Sequence[UnitBox], ties: Sequence[Tie]) -> str:
    words = [f"{box.name}{f', {box.words}' if box.words else ''}." for box in boxes]
    words += [f"{tie.tail}: {tie.kind}={tie.head}{', cut' * tie.cut}." for tie in ties]
    return single_line(" ".join(words)) or "No unit."
