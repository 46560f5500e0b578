"""Which processes of a crowded tree are so much alike that one box can stand for them all.

Twenty workers in the same state, with twenty children in the same state, are two piles: "w1..w20"
and "g1..g20", as a script names them. Nothing is folded that differs in anything a reader would
see, so a pile says what is true of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from forklab.history import Node, Remark, Tree

CROWDED = 12  # up to so many processes are drawn one by one, whatever they do
SMALLEST_PILE = 4

Pile = tuple[str, ...]


def fold(tree: Tree, remarks: Mapping[str, Remark], crowded: int = CROWDED) -> tuple[Pile, ...]:
    """Every process of `tree` in exactly one pile, most of them alone; parents before children.

    A tree of at most `crowded` processes is not folded.
    """
    children: dict[str | None, list[Node]] = {}
    for node in tree:
        children.setdefault(node.parent, []).append(node)
    roots = list(tree.roots())
    if len(tree) <= crowded:
        return tuple(_walk(roots, children, {}, set()))
    nodes = {node.name: node for node in tree}
    shapes = _shapes(roots, children, nodes, remarks)
    apart: set[str] = set()  # those whose neighbours turned out to be different after all
    while True:
        found = tuple(_walk(roots, children, shapes, apart))
        labels = label_of(found)
        mixed = [pile for pile in found if not _speaks_for_all(pile, nodes, labels)]
        if not mixed:
            return found
        apart.update(kin for pile in mixed for name in pile for kin in _lineage(name, nodes))


def label(pile: Pile) -> str:
    """What a pile is called: "worker", or "w1..w20"."""
    return pile[0] if len(pile) == 1 else f"{pile[0]}..{pile[-1]}"


def label_of(found: tuple[Pile, ...]) -> dict[str, str]:
    """What each process is called in the picture."""
    return {name: label(pile) for pile in found for name in pile}


def in_a_row(first: str, second: str) -> bool:
    """Whether `second` follows `first` in a row, as w1, w2 or P.1.3, P.2.3: one number is one more."""
    ours, theirs = re.split(r"(\d+)", first), re.split(r"(\d+)", second)
    if len(ours) != len(theirs):
        return False
    apart = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return len(apart) == 1 and all(
        a.isdecimal() and b.isdecimal() and int(b) == int(a) + 1 for a, b in apart
    )


def _walk(
    roots: list[Node],
    children: Mapping[str | None, list[Node]],
    shapes: Mapping[str, int],
    apart: set[str],
) -> Iterator[Pile]:
    """The piles, depth first. The first children of a pile's members are a pile, the second ..."""
    todo: list[Pile] = list(reversed(_runs(roots, shapes, apart)))
    while todo:
        pile = todo.pop()
        yield pile
        if len(pile) == 1:
            below = _runs(children.get(pile[0], []), shapes, apart)
        else:
            places = zip(*(children.get(name, []) for name in pile), strict=True)
            below = [tuple(node.name for node in place) for place in places]
        todo.extend(reversed(below))


def _runs(siblings: list[Node], shapes: Mapping[str, int], apart: set[str]) -> list[Pile]:
    """Neighbours in a row whose families look the same are a pile, if there are enough of them."""
    runs: list[list[str]] = []
    for node in siblings:
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and last in shapes
            and shapes[last] == shapes[node.name]
            and not apart & {last, node.name}
            and in_a_row(last, node.name)
        ):
            runs[-1].append(node.name)
        else:
            runs.append([node.name])
    return [
        pile
        for run in runs
        for pile in ([tuple(run)] if len(run) >= SMALLEST_PILE else [(name,) for name in run])
    ]


def _shapes(
    roots: list[Node],
    children: Mapping[str | None, list[Node]],
    nodes: Mapping[str, Node],
    remarks: Mapping[str, Remark],
) -> dict[str, int]:
    """A number for each process, equal where families look alike but for numbers in their names."""
    numbers: dict[object, int] = {}
    shapes: dict[str, int] = {}
    for (name,) in reversed(list(_walk(roots, children, {}, set()))):  # children first
        node = nodes[name]
        looks = (
            node._replace(
                name=_stem(name),
                pid=0,
                parent=None,
                former=tuple(map(_stem, node.former)),
                waits_for=None if node.waits_for is None else _stem(node.waits_for),
                reaped_by=None if node.reaped_by is None else _stem(node.reaped_by),
            ),
            remarks.get(name),
            tuple(shapes[child.name] for child in children.get(name, [])),
        )
        shapes[name] = numbers.setdefault(looks, len(numbers))
    return shapes


def _lineage(name: str | None, nodes: Mapping[str, Node]) -> Iterator[str]:
    """A process and its ancestors: a pile falls apart with those above that brought it about."""
    while name is not None and name in nodes:
        yield name
        name = nodes[name].parent


def _stem(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _speaks_for_all(pile: Pile, nodes: Mapping[str, Node], labels: Mapping[str, str]) -> bool:
    """Whether the members name the same others, as these are called: then their words are equal."""

    def named(name: str) -> tuple[object, ...]:
        node = nodes[name]
        others = (node.parent, node.waits_for, node.reaped_by, *node.former)
        return tuple(other and labels.get(other, other) for other in others)

    return len(pile) == 1 or len({named(name) for name in pile}) == 1
