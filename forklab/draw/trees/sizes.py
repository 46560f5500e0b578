"""How big everything in a picture of a tree is: the cards, what is written in them, the arrows between them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from forklab.draw.measure import LABEL_SIZE, NAME_SIZE, SMALL_SIZE, text_width
from forklab.draw.palette import LIGHT
from forklab.draw.trees.cards import Card
from forklab.draw.trees.description import ADOPTED

EDGE = 10  # free space around everything
ARROW = 8  # the length of an arrow's head
WING = 3.5  # half of its width
MARGIN = 12  # left and right of the text
NAME_BASELINE = 23  # from the top of the card; the first line of words follows below
LINE_HEIGHT = 16
FOOT = 10  # from the last baseline to the bottom of the card
BADGE_HEIGHT = 20
BAR = 9  # what the bar of a waiting process takes, with the gap after it
RING = 4  # from a card to the second line around it
PILE_STEP = 4  # by how much the cards of a pile stick out below each other
COLUMNS = 54  # characters of words in a line, before they go on in the next


@dataclass(frozen=True)
class Box:
    """A card with its text in lines and its size in pixels.

    `width` and `height` are those of the card itself; `outer_width` and `outer_height` those with
    the ring of a reaper or the cards below a pile's first.
    """

    card: Card
    words: tuple[str, ...]
    badge: tuple[str, ...]
    width: int
    height: int

    @property
    def spread(self) -> int:
        """By how much the outer size is more than the inner, on each side."""
        return RING if self.card.reaper else PILE_STEP if self.card.is_pile else 0

    @property
    def outer_width(self) -> int:
        return self.width + 2 * self.spread

    @property
    def outer_height(self) -> int:
        return self.height + 2 * self.spread


def box(card: Card) -> Box:
    """How `card` is laid out."""
    words = tuple(textwrap.wrap(card.words, COLUMNS)) or ("",)
    badge = tuple(textwrap.wrap(f"≠ {card.badge}", COLUMNS)) if card.badge else ()
    bar = BAR if LIGHT.states[card.state].bar else 0
    inside = max(
        text_width(card.name, NAME_SIZE, bold=True) + 14 + text_width(card.pid, SMALL_SIZE) + bar,
        *(text_width(line, SMALL_SIZE) + bar for line in words),
        *(text_width(line, SMALL_SIZE, bold=True) + 12 for line in badge),
    )
    if card.adopted:  # the word at its edge must not stick out beyond it
        inside = max(inside, 2 * text_width(ADOPTED, LABEL_SIZE))
    badge_height = 4 + BADGE_HEIGHT * len(badge) if badge else 0
    return Box(
        card=card,
        words=words,
        badge=badge,
        width=inside + 2 * MARGIN,
        height=NAME_BASELINE + LINE_HEIGHT * len(words) + FOOT + badge_height,
    )
