"""The SVG of a tree: Graphviz says where everything goes, the drawing is ours.

So the picture holds nothing but shapes, words and classes; one style sheet dresses it in light, in
dark and on paper, and a film changes a state by changing a class. It has no ids and no prolog: any
number of pictures can stand on one page.
"""

from __future__ import annotations

from collections.abc import Mapping

from forklab.draw import measure, shapes
from forklab.draw.palette import LIGHT
from forklab.draw.shapes import Point
from forklab.draw.trees import sizes
from forklab.draw.trees.cards import Kinship
from forklab.draw.trees.description import ADOPTED
from forklab.draw.trees.dot import bare
from forklab.draw.trees.plan import Plan, plan
from forklab.draw.trees.render import Layout, layout
from forklab.draw.trees.sizes import ARROW, EDGE, WING, Box
from forklab.draw.trees.style import STYLE_SHEET
from forklab.draw.trees.text import read_aloud
from forklab.history import Remark, Tree

_TITLE_HEIGHT = 26


def tree_svg(
    tree: Tree,
    remarks: Mapping[str, Remark] | None = None,
    title: str | None = None,
    *,
    styled: bool = True,
) -> str:
    """The tree as one <svg> element, the same bytes on every machine with the same Graphviz.

    It has no prolog and no ids. It stands alone as a file if `styled`; a page that shows many
    passes styled=False and has STYLE_SHEET once. Raises GraphvizMissingError or
    GraphvizFailedError.
    """
    return draw(plan(tree, remarks, title), styled=styled)


def draw(planned: Plan, *, styled: bool = True) -> str:
    """The picture as one <svg> element.

    A screen reader says it in words. `styled`: with the style sheet in it, to stand alone; a page
    with many pictures has STYLE_SHEET once instead. Raises GraphvizMissingError or
    GraphvizFailedError.
    """
    places = layout(bare(planned).source)
    above = _TITLE_HEIGHT if planned.title else 0
    title_width = measure.text_width(planned.title or "", measure.TITLE_SIZE, bold=True)
    lines = shapes.opening(
        "forklab-tree",
        read_aloud(tuple(b.card for b in planned.boxes)),
        round(max(places.width, title_width) + 2 * EDGE),
        round(places.height + above + 2 * EDGE),
        title=planned.title or "process tree",
        style_sheet=STYLE_SHEET if styled else "",
    )
    if planned.title:
        lines.append(shapes.text("title", EDGE, EDGE + measure.TITLE_SIZE, planned.title))
    drawn = _edges(planned, places)
    drawn += [_node(b, places.nodes[f"n{b.card.number}"]) for b in planned.boxes]
    lines.append(shapes.layer(drawn, (EDGE, EDGE + above)) + "</svg>\n")
    return "\n".join(lines)


def _edges(planned: Plan, places: Layout) -> list[str]:
    """Kin are joined by one plain curve each; Graphviz knows the way to a former parent."""
    drawn = []
    straight = planned.word_width
    for number, line in enumerate(planned.lines):
        if line.kind is Kinship.FORMER:
            inside = shapes.curve(places.routes[f"e{number}"])
        else:
            tail = side(planned, places, line.tail, leaving=1)
            head = side(planned, places, line.head, leaving=-1)
            inside = (
                _rightwards(tail, head, straight) if planned.sideways else _downwards(tail, head)
            )
            if line.kind is Kinship.ADOPTED:
                inside += _word(tail, head, planned.sideways)
        drawn.append(shapes.group(inside, line.classes))
    return drawn


def side(planned: Plan, places: Layout, number: int, *, leaving: int) -> Point:
    """The middle of the side of a card where a line leaves it (1) or comes in (-1)."""
    x, y = places.nodes[f"n{number}"]
    b = planned.boxes[number]
    if planned.sideways:
        return x + leaving * b.outer_width / 2, y
    return x, y + leaving * b.outer_height / 2


def _downwards(tail: Point, head: Point) -> str:
    """A curve that leaves and arrives upright, and its arrow."""
    x, y = head[0], head[1] - ARROW
    line = shapes.curve(shapes.bend(tail, (x, y), sideways=False))
    return line + shapes.head(head, (x - WING, y), (x + WING, y))


def _rightwards(tail: Point, head: Point, straight: int) -> str:
    """A curve that leaves and arrives level, its last pixels `straight` to carry a word."""
    x, y = head[0] - ARROW, head[1]
    bend = shapes.bend(tail, (x - straight, y), sideways=True)
    line = shapes.curve(bend, f"H{shapes.number(x)}")
    return line + shapes.head(head, (x, y - WING), (x, y + WING))


def _word(tail: Point, head: Point, sideways: bool) -> str:
    """The word at an adopted edge, before the arrow, where the curve does not come from."""
    if sideways:
        return shapes.text("label before", head[0] - ARROW, head[1] - 5, ADOPTED)
    if tail[0] > head[0]:
        return shapes.text("label before", head[0] - 8, head[1] - 8, ADOPTED)
    return shapes.text("label", head[0] + 8, head[1] - 8, ADOPTED)


def _node(b: Box, middle: Point) -> str:
    """One card: what is behind it, its outline, its text from the top to the bottom."""
    left, top = middle[0] - b.width / 2, middle[1] - b.height / 2
    corner = LIGHT.states[b.card.state].corner
    inside = []
    if b.card.is_pile:
        step = sizes.PILE_STEP
        left, top = left - step, top - step
        for behind in (2 * step, step):
            inside.append(shapes.rect("shape", behind, behind, b.width, b.height, corner=corner))
    if b.card.reaper:
        ring = sizes.RING
        size = (b.width + 2 * ring, b.height + 2 * ring)
        inside.append(shapes.rect("ring", -ring, -ring, *size, corner=corner and corner + ring))
    inside.append(shapes.rect("shape", 0, 0, b.width, b.height, corner=corner))
    inside += _writing(b)
    return shapes.group("".join(inside), b.card.classes, process=b.card.name, at=(left, top))


def _writing(b: Box) -> list[str]:
    """The bar, the name and the pid, the words, the badge."""
    look = LIGHT.states[b.card.state]
    x = sizes.MARGIN + (sizes.BAR if look.bar else 0)
    inside = []
    if look.bar:
        bar_height = sizes.LINE_HEIGHT * (1 + len(b.words))
        inside.append(shapes.rect("bar", sizes.MARGIN - 2, 9, 3, bar_height, corner=1))
    y = sizes.NAME_BASELINE
    inside.append(shapes.text("name", x, y, b.card.name))
    if b.card.pid:
        inside.append(shapes.text("pid", b.width - sizes.MARGIN, y, b.card.pid))
    for line in b.words:
        y += sizes.LINE_HEIGHT
        inside.append(shapes.text("words", x, y, line))
    y += 8
    for line in b.badge:
        size = (b.width - 2 * sizes.MARGIN + 4, sizes.BADGE_HEIGHT)
        inside.append(shapes.rect("badge", sizes.MARGIN - 2, y, *size, corner=3))
        inside.append(shapes.text("badge-words", sizes.MARGIN + 4, y + 14, line))
        y += sizes.BADGE_HEIGHT
    return inside
