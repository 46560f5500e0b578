"""Random programs for drawing: families that come and go in seconds, with zombies and orphans among them."""

from __future__ import annotations

from dataclasses import dataclass

from forklab.quiz.pieces import Hand
from forklab.quiz.program import (
    Block,
    Both,
    Branch,
    Exit,
    Fork,
    Loop,
    Sleep,
    Statement,
    Wait,
    WaitForAll,
)

LONGEST = 30  # seconds that a program may take


@dataclass(frozen=True)
class _Shape:
    """`children` has, by generation, how many each may have; `waits` and `orphans` are chances."""

    children: tuple[tuple[int, int], ...]
    waits: float
    orphans: float


_SHAPES: dict[int, tuple[_Shape, ...]] = {
    2: (
        _Shape(((2, 2),), waits=0.5, orphans=0),
        _Shape(((1, 1), (1, 1)), waits=0.7, orphans=0),
    ),
    3: (
        _Shape(((1, 1), (1, 1)), waits=0.4, orphans=1),
        _Shape(((2, 2), (0, 1)), waits=0.5, orphans=0.5),
    ),
    4: (
        _Shape(((2, 2), (1, 1)), waits=0.5, orphans=0.5),
        _Shape(((1, 2), (1, 2)), waits=0.4, orphans=0.6),
    ),
    5: (
        _Shape(((2, 3), (1, 2)), waits=0.5, orphans=0.5),
        _Shape(((2, 2), (1, 1), (1, 1)), waits=0.5, orphans=0.5),
    ),
}

# For those in which nobody asks who is who.
_FORKS: dict[int, tuple[Block, ...]] = {
    2: ((Fork(), Fork()), (Branch((Fork(),)),), (Branch((), (Fork(),)),)),
    3: ((Both(("and",), (Fork(),)),), (Both(("or",), (Fork(),)),), (Loop(2, (Fork(),)),)),
    4: ((Fork(), Branch((), (Fork(),))), (Branch((Fork(),)), Fork()), (Both(("or", "and"), ()),)),
    5: ((Loop(3, (Fork(),)),), (Fork(), Both(("and",), (Fork(),))), (Fork(), Branch((Fork(),)))),
}


def growing(hand: Hand) -> Block:
    """A program in which everything happens at whole seconds."""
    if hand.level == 1:
        return _two(hand)
    if hand.likely(0.25):
        return _alike(hand)
    return _life(hand, hand.one_of(_SHAPES[hand.level]), 0)


def _two(hand: Hand) -> Block:
    """Parent and child, one of whom ends long before the other: a zombie, or an orphan."""
    first, second = hand.number(1, 4), hand.number(6, 9)
    child, parent = (first, second) if hand.likely(0.7) else (second, first)
    return (Branch((Sleep(child), Exit(hand.number(0, 9)))), Sleep(parent))


def _life(hand: Hand, shape: _Shape, generation: int) -> Block:
    """What a process does from its birth to its end: children, then sleeps and waits in some order."""
    leaf = generation >= len(shape.children)
    children = 0 if leaf else hand.number(*shape.children[generation])
    last = Exit(hand.number(0, 9), at_once=hand.level >= 4 and hand.likely(0.2))
    if children == 0:
        return (Sleep(hand.number(1, 6)), last)
    body: list[Statement] = []
    waited = hand.likely(shape.waits)
    whom = hand.number(1, children) if waited and hand.likely(0.6) else None
    for number in range(1, children + 1):
        keep = hand.variable() if number == whom and children > 1 else None
        body.append(Branch(_life(hand, shape, generation + 1), keep=keep))
        if number < children and hand.likely(0.4):
            body.append(Sleep(hand.number(1, 2)))
        if keep is not None:
            variable = keep
    if hand.likely(0.8) or not waited:
        early = generation > 0 and hand.likely(shape.orphans)
        body.append(Sleep(hand.number(1, 2) if early else hand.number(4, 9)))
    if waited:
        if whom is None:
            body.append(WaitForAll() if hand.likely(0.4) else Wait())
        else:
            body.append(Wait(variable if children > 1 else None))
        if hand.likely(0.6):
            body.append(Sleep(hand.number(2, 4)))
    if generation > 0 or hand.likely(0.3):
        body.append(last)
    return tuple(body)


def _alike(hand: Hand) -> Block:
    """Forks without a question who is who, or a loop of children that end at the same time."""
    if hand.likely(0.5):
        return (*hand.one_of(_FORKS[hand.level]), Sleep(hand.number(2, 9)))
    child: tuple[Statement, ...] = (
        Sleep(hand.number(1, 4)),
        Exit(hand.number(0, 5), plus="counter"),
    )
    if hand.level >= 4:
        child = (Branch((Sleep(hand.number(5, 8)), Exit(hand.number(0, 9)))), *child)
    waits = [Wait()] * hand.number(0, 2)
    return (
        Loop(hand.number(2, 3), (Branch(child),)),
        *waits,
        Sleep(hand.number(2, 7)),
    )
