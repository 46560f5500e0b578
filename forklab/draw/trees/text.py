"""A tree in plain text, as pstree draws it, and a tree that is read aloud."""

from __future__ import annotations

from collections.abc import Mapping

from forklab.counted import counted
from forklab.draw.trees.cards import Card, cards
from forklab.draw.trees.description import SEPARATOR
from forklab.history import Remark, State, Tree

COLUMNS = 100  # a tree that is wider grows downwards


def tree_text(
    tree: Tree, remarks: Mapping[str, Remark] | None = None, *, columns: int = COLUMNS
) -> str:
    """The tree in lines, without a newline at the end; "" for an empty one.

        init(1) ─ main(1000) ─ worker(1001) zombie · exited 3 · main has not waited

    A tree of more than `columns` characters to the right is drawn downwards, a process a line.
    "running" is not said.
    """
    drawn = cards(tree, remarks)
    below = _children(drawn)
    wide = [line for root in below[None] for line in _rightwards(root, below, columns)]
    if all(len(line) <= columns for line in wide):
        return "\n".join(line.rstrip() for line in wide)
    return "\n".join(line for root in below[None] for line in _downwards(root, below))


def alt_text(tree: Tree, remarks: Mapping[str, Remark] | None = None) -> str:
    """The tree read aloud, a sentence a process, for those who cannot see a picture."""
    return read_aloud(cards(tree, remarks))


def read_aloud(drawn: tuple[Card, ...]) -> str:
    """The same, of cards that are made already."""
    if not drawn:
        return "No process."
    members = sum(len(card.members) for card in drawn)
    count = counted(members, "process", "processes")
    return " ".join([f"Process tree, {count}.", *(_sentence(card, drawn) for card in drawn)])


def _sentence(card: Card, drawn: tuple[Card, ...]) -> str:
    kin = f", child of {drawn[card.parent].name}" if card.parent is not None else ""
    many = "s" if card.is_pile else ""
    pid = f", pid{many} {card.pid.replace('..', ' to ').replace(' … ', ' to ')}" if card.pid else ""
    name = card.name.replace("..", " to ") if card.is_pile else card.name
    wrong = f". Not as expected: {card.badge}" if card.badge else ""
    return f"{name}{pid}{kin}: {card.words.replace(SEPARATOR, ', ')}{wrong}."


def _label(card: Card) -> str:
    quiet = card.state is State.RUNNING and card.words == "running"
    pid = f"({card.pid})" if card.pid else ""
    badge = f" ≠ {card.badge}" if card.badge else ""
    return f"{card.name}{pid}{'' if quiet else ' ' + card.words}{badge}"


def _children(drawn: tuple[Card, ...]) -> dict[int | None, list[Card]]:
    below: dict[int | None, list[Card]] = {None: [], **{card.number: [] for card in drawn}}
    for card in drawn:
        below[card.parent].append(card)
    return below


def _rightwards(card: Card, below: Mapping[int | None, list[Card]], columns: int) -> list[str]:
    """As pstree: the first child goes on in the line of its parent.

    Gives up, with a line that is too long, where it would pass `columns`: no chain is followed for
    longer than that.
    """
    name = _label(card)
    children = below[card.number]
    if len(name) > columns or not children:
        return [name]
    if len(children) == 1:
        return _beside(name + " ─ ", " " * (len(name) + 3), children[0], below, columns)
    lines: list[str] = []
    blank = " " * len(name)
    for number, child in enumerate(children):
        first, last = number == 0, number == len(children) - 1
        branch = name + " ─┬─ " if first else blank + ("  └─ " if last else "  ├─ ")
        after = blank + ("     " if last else "  │  ")
        lines += _beside(branch, after, child, below, columns)
    return lines


def _beside(
    first: str, after: str, child: Card, below: Mapping[int | None, list[Card]], columns: int
) -> list[str]:
    """What hangs from `child`, with `first` before its first line and `after` before the others."""
    inside = _rightwards(child, below, columns - len(first))
    return [(after if number else first) + line for number, line in enumerate(inside)]


def _downwards(root: Card, below: Mapping[int | None, list[Card]]) -> list[str]:
    """A process a line, deeper ones further in. A loop: a chain may be longer than the stack."""
    lines = []
    todo = [(root, "", "")]
    while todo:
        card, branch, after = todo.pop()
        lines.append(branch + _label(card))
        children = below[card.number]
        for child in reversed(children):
            last = child is children[-1]
            branch_below, after_below = ("└─ ", "   ") if last else ("├─ ", "│  ")
            todo.append((child, after + branch_below, after + after_below))
    return lines
