"""A tree as a graph for Graphviz: complete, with words and looks, or bare, for the places alone.

Every node has the size that `measure` gave it, so Graphviz puts things into the same places with
any fonts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape

import graphviz

from forklab.draw import measure
from forklab.draw.cards import Line, cards, lines
from forklab.draw.fold import CROWDED
from forklab.draw.measure import Box, box
from forklab.draw.palette import LIGHT, WRONG_WIDTH, Kind, Look
from forklab.draw.words import ADOPTED, printable
from forklab.history import Remark, State, Tree

WIDE = 960  # pixels; a tree that is wider when it hangs down grows to the right instead
SIBLING_GAP = 20
RANK_GAP = 44  # between a parent and its children
_FONT = "Helvetica"


@dataclass(frozen=True)
class Plan:
    """What a picture shows, but not where. `sideways`: the root is at the left, not at the top."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    sideways: bool
    title: str | None

    @property
    def word_width(self) -> int:
        """Room between parents and children for the word at an edge, if it stands on its line."""
        if not self.sideways or all(line.kind is not Kind.ADOPTED for line in self.lines):
            return 0
        return measure.text_width(ADOPTED, measure.LABEL_SIZE)


def plan(
    tree: Tree,
    remarks: Mapping[str, Remark] | None = None,
    title: str | None = None,
    *,
    crowded: int = CROWDED,
    sideways: bool | None = None,
) -> Plan:
    """What to draw. In a tree of more than `crowded` processes, those that are alike share a card.

    Unless `sideways` says which, a tree hangs down from its root if it is not too wide for that.
    """
    drawn = cards(tree, remarks, crowded=crowded)
    boxes = tuple(map(box, drawn))
    columns = _columns(boxes)
    if sideways is None:
        down = _hanging_width(boxes)
        sideways = down > WIDE and sum(columns.values()) + RANK_GAP * len(columns) < down
    if sideways:
        boxes = tuple(
            replace(b, width=b.width + columns[depth] - b.outer_width)
            for b, depth in zip(boxes, _depths(boxes), strict=True)
        )
    return Plan(boxes, lines(tree, drawn), sideways, printable(title) if title else None)


def tree_dot(
    tree: Tree, remarks: Mapping[str, Remark] | None = None, title: str | None = None
) -> graphviz.Digraph:
    """The tree as a complete graph, in the light look: for `dot`, and for PNG.

    The nodes are called n0, n1, ...: names of processes may hold what DOT gives a meaning. Their
    SVG classes tell the state, and those of the edges what kind of kinship they are.
    """
    return dress(plan(tree, remarks, title))


def dress(planned: Plan) -> graphviz.Digraph:
    """`planned` with labels and looks."""
    graph = _graph(planned)
    graph.attr(bgcolor="transparent", pad="0.15", fontname=_FONT, fontcolor=LIGHT.ink)
    if planned.title:
        bold = f"<b>{escape(planned.title)}</b>"
        graph.attr(label=f"<{bold}>", labelloc="t", labeljust="l", fontsize=str(measure.TITLE_SIZE))
    graph.attr("node", fontname=_FONT, margin="0")
    graph.attr("edge", fontname=_FONT, fontsize=str(measure.LABEL_SIZE), fontcolor=LIGHT.muted)
    graph.attr("edge", arrowsize="0.7")
    for b in planned.boxes:
        graph.node(f"n{b.card.number}", **_size(b.width, b.height), **_node_look(b))
    for number, line in enumerate(planned.lines):
        graph.edge(
            f"n{line.tail}",
            f"n{line.head}",
            **_place(number, line),
            **_edge_look(line),
        )
    return graph


def bare(planned: Plan) -> graphviz.Digraph:
    """`planned` with sizes only: nothing in it makes Graphviz look for a font."""
    graph = _graph(planned)
    for b in planned.boxes:
        graph.node(f"n{b.card.number}", **_size(b.outer_width, b.outer_height))
    for number, line in enumerate(planned.lines):
        graph.edge(f"n{line.tail}", f"n{line.head}", **_place(number, line))
    return graph


def _graph(planned: Plan) -> graphviz.Digraph:
    # Not ordering="out": siblings stand in the order in which they are told without it too, and
    # lines to former parents upset it (in 11 of 300 random histories; without it, in none).
    graph = graphviz.Digraph("tree")
    graph.attr(
        rankdir="LR" if planned.sideways else "TB",
        nodesep=_inches(12 if planned.sideways else SIBLING_GAP),
        ranksep=_inches(RANK_GAP + planned.word_width),
    )
    graph.attr("node", shape="box", fixedsize="true", label="")
    return graph


def _place(number: int, line: Line) -> dict[str, str]:
    """What decides where an edge goes. That of a former parent goes around what stands there."""
    return {"id": f"e{number}"} | ({"constraint": "false"} if line.kind is Kind.FORMER else {})


def _edge_look(line: Line) -> dict[str, str]:
    color, width = {
        Kind.FORK: (LIGHT.edge, 1.3),
        Kind.ADOPTED: (LIGHT.adopted, 1.7),
        Kind.FORMER: (LIGHT.faint, 1.0),
    }[line.kind]
    dotted = line.reaped or line.kind is Kind.FORMER
    return {
        "class": line.classes.removeprefix("edge "),  # Graphviz adds what it is by itself
        "color": color,
        "penwidth": str(width),
        "style": "dotted" if dotted else "solid",
        "arrowhead": "none" if line.kind is Kind.FORMER else "normal",
        "label": f" {ADOPTED}" if line.kind is Kind.ADOPTED else "",
    }


def _node_look(b: Box) -> dict[str, str]:
    look = LIGHT.states[b.card.state]
    styles = ["filled", *(["rounded"] if look.corner else [])]
    if look.dash:
        styles.append("dotted" if look.dotted else "dashed")
    wrong = b.card.badge is not None
    return {
        "class": b.card.classes.removeprefix("node "),
        "style": ",".join(styles),
        "fillcolor": look.fill,
        "color": LIGHT.wrong if wrong else look.border,
        "penwidth": str(WRONG_WIDTH if wrong else look.width),
        "peripheries": "2" if b.card.reaper else "1",
        "label": _label(b, look),
    }


def _label(b: Box, look: Look) -> str:
    """Name and pid, the words, the badge: an HTML-like label, as wide as the box allows."""
    ink = LIGHT.muted if b.card.state is State.REAPED else LIGHT.ink
    name = _text(f"<b>{escape(b.card.name)}</b>", ink, measure.NAME_SIZE)
    pid = _text(escape(b.card.pid), LIGHT.muted, measure.SMALL_SIZE) if b.card.pid else ""
    inside = b.width - 2 * measure.MARGIN - (measure.BAR if look.bar else 0)
    before_pid = inside - measure.text_width(b.card.pid, measure.SMALL_SIZE)
    rows = [f'<td align="left" width="{before_pid}">{name}</td><td align="right">{pid}</td>']
    for line in b.words:
        words = _text(escape(line), look.line, measure.SMALL_SIZE) if line else ""
        rows.append(f'<td align="left" colspan="2">{words}</td>')
    for line in b.badge:
        words = _text(f"<b>{escape(line)}</b>", LIGHT.on_wrong, measure.SMALL_SIZE)
        rows.append(f'<td align="left" colspan="2" bgcolor="{LIGHT.wrong}"> {words}</td>')
    if look.bar:
        bar = f'<td rowspan="{len(rows)}" width="3" bgcolor="{look.border}"></td>'
        gap = f'<td rowspan="{len(rows)}" width="4"></td>'
        rows[0] = bar + gap + rows[0]
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{table}</table>>'


def _text(markup: str, color: str, size: int) -> str:
    return f'<font color="{color}" point-size="{size}">{markup}</font>'


def _size(width: int, height: int) -> dict[str, str]:
    return {"width": _inches(width), "height": _inches(height)}


def _inches(pixels: int) -> str:
    return f"{pixels / 72:.6f}"


def _depths(boxes: tuple[Box, ...]) -> list[int]:
    """How many ancestors each has in the picture. Parents come before their children."""
    depths: list[int] = []
    for b in boxes:
        depths.append(0 if b.card.parent is None else depths[b.card.parent] + 1)
    return depths


def _columns(boxes: tuple[Box, ...]) -> dict[int, int]:
    """The width of the widest card at each depth."""
    columns: dict[int, int] = {}
    for b, depth in zip(boxes, _depths(boxes), strict=True):
        columns[depth] = max(columns.get(depth, 0), b.outer_width)
    return columns


def _hanging_width(boxes: tuple[Box, ...]) -> int:
    """About how wide the tree is when it hangs down from its root."""
    below = [0] * len(boxes)
    total = 0
    for b in reversed(boxes):  # children first
        width = max(b.outer_width, below[b.card.number] - SIBLING_GAP) + SIBLING_GAP
        if b.card.parent is None:
            total += width
        else:
            below[b.card.parent] += width
    return total
