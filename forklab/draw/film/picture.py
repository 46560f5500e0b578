"""The one picture of a film: the union of all its frames, laid out once, dressed as the last of them.

Every process that ever lives has its place below the one that forked it, in a card as wide as the widest
words that it ever shows. So from frame to frame nothing moves: only classes and words change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from forklab.draw import shapes
from forklab.draw.characters import single_line
from forklab.draw.film.frames import Cast, Frame, Kin
from forklab.draw.shapes import Point
from forklab.draw.trees import sizes
from forklab.draw.trees.cards import Card, Kinship, Line
from forklab.draw.trees.description import ADOPTED, words
from forklab.draw.trees.dot import bare
from forklab.draw.trees.picture import side
from forklab.draw.trees.plan import Plan, plan
from forklab.draw.trees.render import Layout, layout
from forklab.draw.trees.sizes import ARROW, EDGE, WING, Box, box
from forklab.draw.trees.text import read_aloud
from forklab.history import Node, Remark, State, Tree

_BAR_LEFT = 5  # left of all words, which do not move when the bar appears
_GAP = 10  # Graphviz ends a curve so far from the card, to have room for a head


@dataclass(frozen=True)
class Scene:
    """Where everything is: `planned` has the cards in the order of the cast and the cast's lines."""

    planned: Plan
    places: Layout


def card_of(node: Node, cast: Cast) -> Card:
    """The card of a process at a moment, with its number in the cast."""
    parent = node.parent if node.parent in cast.names else None
    return Card(
        number=cast.names.index(node.name),
        members=(node.name,),
        name=single_line(node.name),
        pid=str(node.pid) if node.pid else "",
        state=node.state,
        words=words(node),
        badge=None,
        reaper=node.reaper,
        adopted=node.adopted,
        parent=None if parent is None else cast.names.index(parent),
    )


def scene(cast: Cast, film: Sequence[Frame]) -> Scene:
    """Lays out the union of the frames. Raises GraphvizMissingError or GraphvizFailedError."""
    looks: dict[str, dict[tuple[State, str], Box]] = {name: {} for name in cast.names}
    known: dict[str, Node] = {}
    for frame in film:
        for name, node in frame.nodes.items():
            known.setdefault(name, node)
            look = (node.state, words(node))
            if look not in looks[name]:
                looks[name][look] = box(card_of(node, cast)._replace(adopted=False))
    widest = {name: max(boxes.values(), key=lambda b: b.width) for name, boxes in looks.items()}
    forked_by = {child: parent for parent, child in cast.births}
    planned = plan(
        Tree(
            tuple(
                known[name]._replace(parent=forked_by.get(name), former=()) for name in cast.names
            )
        ),
        {name: Remark(state=b.card.state, words=b.card.words) for name, b in widest.items()},
        crowded=len(cast.names),
    )
    numbers = {name: number for number, name in enumerate(cast.names)}
    # Graphviz may place nobody because of an adoption; it finds a way for the line around the others.
    lines = [Line(numbers[tail], numbers[head], Kinship.FORK) for tail, head in cast.births]
    lines += [Line(numbers[tail], numbers[head], Kinship.FORMER) for tail, head in cast.adoptions]
    boxes = sorted(planned.boxes, key=lambda b: numbers[b.card.members[0]])
    tallest = {name: max(of_one.values(), key=lambda b: b.height) for name, of_one in looks.items()}
    planned = replace(
        planned,
        lines=tuple(lines),
        boxes=tuple(
            replace(
                b,
                card=b.card._replace(number=number),
                words=tallest[name].words,
                height=tallest[name].height,
            )
            for number, (name, b) in enumerate(zip(cast.names, boxes, strict=True))
        ),
    )
    return Scene(planned, layout(bare(planned).source))


def picture(
    cast: Cast, laid_out: Scene, nodes: Mapping[str, Node], lines: Mapping[Kin, str]
) -> str:
    """The picture as one <svg> element, without ids and style, as `nodes` and `lines` have it."""
    planned, places = laid_out.planned, laid_out.places
    cards = [card_of(nodes[name], cast) for name in cast.names]
    drawn = [
        shapes.group(_line(number, laid_out), lines[kin]) for number, kin in enumerate(cast.lines)
    ]
    drawn += [
        _node(b, card, places.nodes[f"n{card.number}"])
        for b, card in zip(planned.boxes, cards, strict=True)
    ]
    opening = shapes.opening(
        "forklab-tree",
        read_aloud(tuple(cards)),
        round(places.width + 2 * EDGE),
        round(places.height + 2 * EDGE),
    )
    return "\n".join([*opening, shapes.layer(drawn, (EDGE, EDGE)) + "</svg>"])


def _line(number: int, laid_out: Scene) -> str:
    """A plain curve from a parent down to whom it forked; the way that Graphviz found to an orphan."""
    planned, places = laid_out.planned, laid_out.places
    line = planned.lines[number]
    if line.kind is Kinship.FORMER:
        return _adoption(places.routes[f"e{number}"])
    tail = side(planned, places, line.tail, leaving=1)
    tip = side(planned, places, line.head, leaving=-1)
    end = (tip[0] - ARROW, tip[1]) if planned.sideways else (tip[0], tip[1] - ARROW)
    return shapes.curve(shapes.bend(tail, end, sideways=planned.sideways)) + _arrow(end, tip)


def _adoption(route: tuple[Point, ...]) -> str:
    """The curve to a new child, its arrow and the word at it, on the side that the curve leaves free."""
    end, before = route[-1], next((p for p in reversed(route) if p != route[-1]), route[0])
    far = math.dist(before, end) or 1.0
    along = ((end[0] - before[0]) / far, (end[1] - before[1]) / far)
    tip = (end[0] + _GAP * along[0], end[1] + _GAP * along[1])
    base = (tip[0] - ARROW * along[0], tip[1] - ARROW * along[1])
    from_the_right = along[0] < 0
    # Above a line that comes in at a side of the card, else before the side that the line leaves free.
    at_a_side = abs(along[0]) > abs(along[1])
    left = from_the_right != at_a_side
    x, y = tip[0] + (12 if at_a_side else 8) * (-1 if left else 1), tip[1] - 8
    word = shapes.text("label before" if left else "label", x, y, ADOPTED)
    return shapes.curve(route) + _arrow(base, tip) + word


def _arrow(base: Point, tip: Point) -> str:
    across = ((tip[1] - base[1]) * WING / ARROW, (base[0] - tip[0]) * WING / ARROW)
    return shapes.head(
        tip,
        (base[0] + across[0], base[1] + across[1]),
        (base[0] - across[0], base[1] - across[1]),
    )


def _node(b: Box, card: Card, middle: Point) -> str:
    """One card. It has a bar and as many lines of words as it ever needs; the style hides the bar."""
    left, top = middle[0] - b.width / 2, middle[1] - b.height / 2
    inside = []
    if card.reaper:
        ring = sizes.RING
        inside.append(shapes.rect("ring", -ring, -ring, b.width + 2 * ring, b.height + 2 * ring))
    inside.append(shapes.rect("shape", 0, 0, b.width, b.height))
    bar_height = sizes.LINE_HEIGHT * (1 + len(b.words))
    inside.append(shapes.rect("bar", _BAR_LEFT, 9, 3, bar_height))
    y = sizes.NAME_BASELINE
    inside.append(shapes.text("name", sizes.MARGIN, y, card.name))
    if card.pid:
        inside.append(shapes.text("pid", b.width - sizes.MARGIN, y, card.pid))
    said = box(card).words
    for number in range(len(b.words)):
        y += sizes.LINE_HEIGHT
        line = said[number] if number < len(said) else ""
        inside.append(shapes.text("words", sizes.MARGIN, y, line))
    return shapes.group("".join(inside), card.classes, at=(left, top))
