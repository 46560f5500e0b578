"""What a picture is made of, wherever it may go: a card a process, a line a kinship.

Pictures, texts and readings aloud are all made from the same cards, so they say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from forklab.draw.characters import single_line
from forklab.draw.fold import CROWDED, fold, label, label_of
from forklab.draw.trees.description import state_of, words
from forklab.history import Remark, State, Tree


class Card(NamedTuple):
    """One process, or a pile of them that are all alike.

    `number` is its place in the picture, `parent` that of the card that it hangs from, None for a
    root. `pid` is text: "1000", or "1001..1020" for a pile, "" if there is none to tell. `badge` is
    what should be instead, without "≠".
    """

    number: int
    members: tuple[str, ...]
    name: str
    pid: str
    state: State
    words: str
    badge: str | None
    reaper: bool
    adopted: bool
    parent: int | None

    @property
    def is_pile(self) -> bool:
        return len(self.members) > 1

    @property
    def classes(self) -> str:
        """The SVG classes that say all this to a style sheet."""
        more = {"reaper": self.reaper, "pile": self.is_pile, "unexpected": self.badge is not None}
        return " ".join(["node", str(self.state), *(name for name, yes in more.items() if yes)])


class Kinship(StrEnum):
    """What a line between two processes says."""

    FORK = "fork"
    ADOPTED = "adopted"
    FORMER = "former"  # from the parent that it had before


class Line(NamedTuple):
    """A line from one card to another, by their numbers; `reaped`: the child is gone."""

    tail: int
    head: int
    kind: Kinship
    reaped: bool = False

    @property
    def classes(self) -> str:
        return f"edge {self.kind}" + (" reaped" if self.reaped else "")


def cards(
    tree: Tree, remarks: Mapping[str, Remark] | None = None, *, crowded: int = CROWDED
) -> tuple[Card, ...]:
    """A card for each process; parents before their children, siblings in order of birth.

    In a tree of more than `crowded` processes, those that are alike share a card.
    """
    remarks = remarks or {}
    found = fold(tree, remarks, crowded)
    labels = label_of(found)
    number_of = {name: number for number, pile in enumerate(found) for name in pile}
    nodes = {node.name: node for node in tree}
    made = []
    for number, pile in enumerate(found):
        node, remark = nodes[pile[0]], remarks.get(pile[0])
        line = words(node, remark, called=lambda name: labels.get(name, name))
        made.append(
            Card(
                number=number,
                members=pile,
                name=single_line(label(pile)),
                pid=_pids([nodes[name].pid for name in pile]),
                state=state_of(node, remark),
                words=line if len(pile) == 1 else f"all {len(pile)}: {line}",
                badge=single_line(remark.unexpected) if remark and remark.unexpected else None,
                reaper=node.reaper,
                adopted=node.adopted,
                parent=None if node.parent is None else number_of.get(node.parent),
            )
        )
    return tuple(made)


def lines(tree: Tree, drawn: tuple[Card, ...]) -> tuple[Line, ...]:
    """From each card to those below it, then from former parents to those that they lost."""
    number_of = {name: card.number for card in drawn for name in card.members}
    nodes = {node.name: node for node in tree}
    kin = [
        Line(
            card.parent,
            card.number,
            Kinship.ADOPTED if card.adopted else Kinship.FORK,
            card.state is State.REAPED,
        )
        for card in drawn
        if card.parent is not None
    ]
    lost = [
        Line(number_of[former], card.number, Kinship.FORMER)
        for card in drawn
        for former in dict.fromkeys(nodes[card.members[0]].former)
        if former in number_of and number_of[former] not in (card.parent, card.number)
    ]
    return (*kin, *lost)


def _pids(pids: list[int]) -> str:
    """One pid, a row of them ("1001..1020"), or some with gaps ("1001 … 1039"); 0 is not shown."""
    if len(pids) == 1:
        return str(pids[0]) if pids[0] else ""
    row = pids == list(range(pids[0], pids[0] + len(pids)))
    return f"{pids[0]}..{pids[-1]}" if row else f"{pids[0]} … {pids[-1]}"
