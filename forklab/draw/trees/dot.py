"""A tree as a graph for Graphviz: complete, with words and looks, or bare, for the places alone.

Every node has the size that `measure` gave it, so Graphviz puts things into the same places with
any fonts.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import graphviz

from forklab.draw import measure
from forklab.draw.palette import LIGHT, WRONG_WIDTH, Look
from forklab.draw.trees import sizes
from forklab.draw.trees.cards import Kinship, Line
from forklab.draw.trees.description import ADOPTED
from forklab.draw.trees.plan import RANK_GAP, SIBLING_GAP, Plan, plan
from forklab.draw.trees.render import png
from forklab.draw.trees.sizes import Box
from forklab.history import Remark, State, Tree

_FONT = "Helvetica"


def tree_dot(
    tree: Tree, remarks: Mapping[str, Remark] | None = None, title: str | None = None
) -> graphviz.Digraph:
    """The tree as a complete graph, in the light look: for `dot`, and for PNG.

    The nodes are called n0, n1, ...: names of processes may hold what DOT gives a meaning. Their
    SVG classes tell the state, and those of the edges what kind of kinship they are.
    """
    return dress(plan(tree, remarks, title))


def tree_png(
    tree: Tree, remarks: Mapping[str, Remark] | None = None, title: str | None = None
) -> bytes:
    """The tree as PNG on white, two pixels of it for one of the SVG, in the fonts of this machine.

    Raises GraphvizMissingError or GraphvizFailedError.
    """
    return png(dress(plan(tree, remarks, title)))


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
    return {"id": f"e{number}"} | ({"constraint": "false"} if line.kind is Kinship.FORMER else {})


def _edge_look(line: Line) -> dict[str, str]:
    color, width = {
        Kinship.FORK: (LIGHT.edge, 1.3),
        Kinship.ADOPTED: (LIGHT.adopted, 1.7),
        Kinship.FORMER: (LIGHT.faint, 1.0),
    }[line.kind]
    dotted = line.reaped or line.kind is Kinship.FORMER
    return {
        "class": line.classes.removeprefix("edge "),  # Graphviz adds what it is by itself
        "color": color,
        "penwidth": str(width),
        "style": "dotted" if dotted else "solid",
        "arrowhead": "none" if line.kind is Kinship.FORMER else "normal",
        "label": f" {ADOPTED}" if line.kind is Kinship.ADOPTED else "",
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
    inside = b.width - 2 * sizes.MARGIN - (sizes.BAR if look.bar else 0)
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
