"""What a picture of a tree shows, before anybody knows where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from forklab.draw import measure
from forklab.draw.characters import single_line
from forklab.draw.fold import CROWDED
from forklab.draw.trees.cards import Kinship, Line, cards, lines
from forklab.draw.trees.description import ADOPTED
from forklab.draw.trees.sizes import Box, box
from forklab.history import Remark, Tree

WIDE = 960  # pixels; a tree that is wider when it hangs down grows to the right instead
SIBLING_GAP = 20
RANK_GAP = 44  # between a parent and its children


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
        if not self.sideways or all(line.kind is not Kinship.ADOPTED for line in self.lines):
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
    return Plan(boxes, lines(tree, drawn), sideways, single_line(title) if title else None)


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
