"""Random programs for counting: who runs this line, and with which status does it all end?"""

from __future__ import annotations

from forklab.quiz.pieces import SAY, Hand, Maker, labelled
from forklab.quiz.program import (
    Block,
    Both,
    Branch,
    Break,
    Exit,
    Fork,
    Loop,
    Say,
    Statement,
    Wait,
    WaitForAll,
)


def printing(hand: Hand) -> Block:
    """Forks with lines to print between them; no line depends on who runs first."""
    body: list[Statement] = [SAY] if hand.likely(0.5) else []
    for makers in hand.one_of(_COURSES[hand.level]):
        body += hand.one_of(makers)(hand)
        if hand.likely(0.4):
            body.append(SAY)
    if body[-1] != SAY:
        if hand.level >= 4 and hand.likely(0.5):
            body.append(WaitForAll())
        body.append(SAY)
    return labelled(tuple(body))


def answering(hand: Hand) -> Block:
    """A family whose exit statuses are handed up by waits: with which one does the first process end?"""
    return _person(hand, generation=0)


def _fork(_: Hand) -> Block:
    return (Fork(),)


def _child_says(_: Hand) -> Block:
    return (Branch((SAY,)),)


def _parent_says(_: Hand) -> Block:
    return (Branch((), (SAY,)),)


def _both_say(_: Hand) -> Block:
    return (Branch((SAY,), (SAY,)),)


def _child_ends(hand: Hand) -> Block:
    return (Branch((SAY, _end(hand))),)


def _child_forks(hand: Hand) -> Block:
    return (Branch((Fork(), SAY) if hand.likely(0.5) else (SAY, Fork())),)


def _parent_forks(hand: Hand) -> Block:
    return (Branch((), (Fork(), SAY) if hand.likely(0.5) else (SAY, Fork())),)


def _loop(_: Hand) -> Block:
    return (Loop(2, (Fork(),)),)


def _long_loop(_: Hand) -> Block:
    return (Loop(3, (Fork(),)),)


def _loop_says(_: Hand) -> Block:
    return (Loop(2, (Fork(), SAY)),)


def _fan(hand: Hand) -> Block:
    """One parent, several children that end."""
    return (Loop(hand.number(2, 3), (Branch((Say("", numbered=True), _end(hand))),)),)


def _fan_out(hand: Hand) -> Block:
    """One parent, several children that go on after the loop."""
    return (Loop(hand.number(2, 3), (Branch((SAY, Break())),)),)


def _chain(hand: Hand) -> Block:
    """Each child has one child."""
    return (Loop(hand.number(2, 3), (Branch((), (SAY, Break())),)),)


def _both(hand: Hand) -> Block:
    return (Both((hand.one_of(("and", "or")),), (SAY,)),)


def _three(hand: Hand) -> Block:
    return (Both(hand.one_of((("and", "or"), ("or", "and"))), (SAY,)),)


def _grandchild(hand: Hand) -> Block:
    inner = Branch((SAY, _end(hand)))
    after: Block = (Wait(), SAY) if hand.likely(0.5) else (SAY,)
    last: Block = (_end(hand),) if hand.likely(0.5) else ()
    return (Branch((inner, *after, *last)),)


def _waits(hand: Hand) -> Block:
    """A child that is waited for before the parent goes on to fork again."""
    return (Branch((SAY, _end(hand)), ()), Wait(), Fork())


def _end(hand: Hand) -> Exit:
    return Exit(hand.number(0, 3), at_once=hand.level >= 4 and hand.likely(0.3))


_SIMPLE: tuple[Maker, ...] = (_fork, _child_says, _parent_says, _both_say, _child_ends)
_DOUBLE: tuple[Maker, ...] = (_child_forks, _parent_forks, _loop)
_CLEVER: tuple[Maker, ...] = (_both, _fan, _fan_out, _chain, _loop_says)
_NESTED: tuple[Maker, ...] = (_grandchild, _waits, _three, _loop, _chain)

# By level, the courses to choose from; of each in turn one piece.
_COURSES: dict[int, tuple[tuple[tuple[Maker, ...], ...], ...]] = {
    1: ((_SIMPLE,),),
    2: ((_SIMPLE, _SIMPLE), (_DOUBLE,)),
    3: ((_CLEVER,), (_CLEVER, _SIMPLE), (_SIMPLE, _CLEVER)),
    4: ((_NESTED, _SIMPLE), (_CLEVER, _DOUBLE), (_SIMPLE, _NESTED), ((_long_loop,),)),
    5: ((_NESTED, _CLEVER), (_CLEVER, _NESTED), (_NESTED, _SIMPLE, _CLEVER)),
}

# By level: how many children each of a generation has, and so how many generations there are.
_FAMILIES: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((1,),),
    2: ((1,),),
    3: ((2,), (1, 1)),
    4: ((2, 1), (1, 2), (1, 1, 1)),
    5: ((2, 2), (3, 1), (1, 2, 1)),
}


def _person(hand: Hand, generation: int, family: tuple[int, ...] | None = None) -> Block:
    family = family or hand.one_of(_FAMILIES[hand.level])
    children = family[generation] if generation < len(family) else 0
    end = Exit(_status(hand), at_once=hand.level >= 4 and hand.likely(0.2))
    if hand.level == 1:
        return (Branch((end,)), Exit(_status(hand))) if generation == 0 else (end,)
    if children == 0:
        return (end,)
    waited = hand.random.sample(range(children), hand.number(1, children))
    keep = {number: hand.variable() for number in sorted(waited)} if children > 1 else {}
    body: list[Statement] = [
        Branch(_person(hand, generation + 1, family), keep=keep.get(number))
        for number in range(children)
    ]
    body += [Wait(keep.get(number), status=True) for number in waited]
    return (*body, Exit(hand.number(0, 5), plus="status"))


def _status(hand: Hand) -> int:
    """Only one byte of it arrives: on the highest level some are larger than that."""
    return hand.number(257, 300) if hand.level == 5 and hand.likely(0.3) else hand.number(1, 20)
