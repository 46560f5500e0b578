"""Random programs for guessing: a few lines to print, in an order that is partly left to chance."""

from __future__ import annotations

from forklab.quiz.pieces import SAY, Hand, Maker, labelled
from forklab.quiz.program import (
    Block,
    Both,
    Branch,
    Exit,
    Fork,
    Listen,
    Loop,
    MakePipe,
    Say,
    SayStatus,
    Tell,
    Wait,
)


def racing(hand: Hand) -> Block:
    """Never more than a few processes and lines: all that can happen has to be explored."""
    return labelled(hand.one_of(_RACES[hand.level])(hand))


def _fork_between(hand: Hand) -> Block:
    return (SAY, Fork(), SAY) if hand.likely(0.3) else (Branch((SAY,)), SAY)


def _either(hand: Hand) -> Block:
    last: Block = (SAY,) if hand.likely(0.5) else ()
    return (Branch((SAY,), (SAY,)), *last)


def _two_each(hand: Hand) -> Block:
    if hand.likely(0.5):
        return (Branch((SAY, SAY, Exit(0))), SAY, SAY)
    return (SAY, Branch((SAY,), (SAY,)), SAY)


def _waited_for(hand: Hand) -> Block:
    """The parent waits before its last line, not before its first."""
    child = (SAY, SAY, Exit(0)) if hand.likely(0.5) else (SAY, Exit(0))
    return (Branch(child), SAY, Wait(), SAY)


def _both_wait(hand: Hand) -> Block:
    """The wait of the child fails at once: it has no child."""
    if hand.likely(0.5):
        return (Fork(), SAY, Wait(sure=False), SAY)
    return (Branch((SAY,), (SAY, Wait())), SAY)


def _status_told(hand: Hand) -> Block:
    code = hand.number(1, 9)
    return (Branch((SAY, Exit(code))), SAY, Wait(status=True), SayStatus())


def _one_of_two(hand: Hand) -> Block:
    """Two children, and a wait for one of them."""
    name = hand.variable()
    names = hand.one_of(((name, None), (None, name)))
    children = [Branch((SAY, Exit(0)), keep=keep) for keep in names]
    return (*children, Wait(name), SAY)


def _whoever_is_first(hand: Hand) -> Block:
    """Which of two exit codes does the wait tell?"""
    codes = hand.random.sample(range(1, 10), 2)
    children = [Branch((SAY, Exit(code))) for code in codes]
    return (*children, Wait(status=True), SayStatus())


def _row(hand: Hand) -> Block:
    after: Block = (Wait(), SAY) if hand.likely(0.6) else (Wait(), Wait(), SAY)
    return (Loop(2, (Branch((Say("", numbered=True), Exit(0))),)), *after)


def _nested(hand: Hand) -> Block:
    inner = Branch((SAY, Exit(0)))
    middle: Block = (SAY, Wait(), SAY) if hand.likely(0.5) else (SAY,)
    return (Branch((inner, *middle, Exit(0))), Wait(), SAY)


def _orphaned(hand: Hand) -> Block:
    """A parent that waits for its child knows nothing of the child of that."""
    inner = Branch((SAY, Exit(hand.number(0, 9))))
    code = hand.number(1, 9)
    return (Branch((inner, Exit(code))), SAY, Wait(status=True), SayStatus())


def _and_or(hand: Hand) -> Block:
    """Who of three is it that prints?"""
    return (Both((hand.one_of(("and", "or")),), (SAY,)), *(() if hand.likely(0.3) else (SAY,)))


def _loop_without_end(hand: Hand) -> Block:
    """The children go on in the loop, too."""
    return (Loop(2, (Branch((Say("", numbered=True),)),)), *((SAY,) if hand.likely(0.3) else ()))


def _piped(hand: Hand) -> Block:
    """A byte in a pipe that one has to wait for: what is before it comes first."""
    if hand.likely(0.5):
        return (MakePipe(), Branch((SAY, Tell(), SAY, Exit(0))), Listen(), SAY)
    return (MakePipe(), Branch((Listen(), SAY, Exit(0))), SAY, Tell(), SAY)


def _piped_by_two(hand: Hand) -> Block:
    first: Block = (SAY, Tell(), Exit(0))
    second: Block = (Listen(), SAY, Exit(0))
    last: Block = (Wait(), SAY) if hand.likely(0.5) else (SAY,)
    return (MakePipe(), Branch(first), Branch(second), *last)


_RACES: dict[int, tuple[Maker, ...]] = {
    1: (_fork_between, _either),
    2: (_two_each, _either),
    3: (_waited_for, _both_wait, _status_told, _two_each),
    4: (_one_of_two, _whoever_is_first, _row, _and_or),
    5: (_nested, _piped, _piped_by_two, _orphaned, _loop_without_end),
}
