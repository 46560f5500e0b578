"""Questions of the kind "which actions made this tree?": one list of five did.

Each list is made a program, one action a second, that runs under the lens. A list counts only if the processes really
did all of it, in that order; the tree is the one that was there then. The wrong lists leave other trees.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from forklab.quiz.acting import (
    Actions,
    actions_of,
    in_words,
    near_miss,
    program_for,
    random_actions,
)
from forklab.quiz.evidence import UnfitError, run
from forklab.quiz.listing import Listing, listing_of
from forklab.quiz.pieces import Hand
from forklab.quiz.plain import drawn, renamed, still_there
from forklab.quiz.program import Block, Language
from forklab.quiz.question import Choice, Question, QuestionKind

CHOICES = 5
_TRIES = 60
_MOST_TRIED = 12  # a run each
_AT_ONCE = 2


@dataclass(frozen=True)
class _Tried:
    actions: Actions
    tree: str


def actions_question(hand: Hand, language: Language) -> Question:
    """Raises UnfitError if chance made no good list, or no four wrong ones."""
    actions = random_actions(hand)
    program = program_for(actions)
    if program is None or not _is_worth_it(actions, hand.level):
        raise UnfitError("a dull list")
    listing = listing_of(language, program)
    right = _tried(actions, listing)
    if right is None or "─" not in right.tree:
        raise UnfitError("nobody can do that, or nobody is left")
    wrong = _wrong_ones(hand, right, language)
    choices = [
        Choice(in_words(actions), True),
        *(Choice(in_words(played.actions), False, played.tree) for played in wrong),
    ]
    hand.random.shuffle(choices)
    return Question(
        kind=QuestionKind.ACTIONS,
        asked=(
            "The first process is called a; b, c ... are named in the order of their births."
            " Who was reaped is not shown any more. Which of these lists of actions made this tree?"
        ),
        listing=listing,
        picture=right.tree,
        answer=in_words(actions),
        choices=tuple(choices),
        at=len(actions),
    )


def _is_worth_it(actions: Actions, level: int) -> bool:
    words = in_words(actions)
    return "exits" in words and words.count("forks") >= min(level, 3)


def _tried(actions: Actions, listing: Listing) -> _Tried | None:
    """The tree that is there after them; None if it went otherwise than the list says."""
    try:
        history = run(listing).history
    except UnfitError:
        return None
    until = len(actions)
    names, done = actions_of(history, until)
    if done != actions:
        return None
    tree = still_there(history.tree(history.moment(until)))
    return _Tried(actions, drawn(renamed(tree, names)))


def _wrong_ones(hand: Hand, right: _Tried, language: Language) -> list[_Tried]:
    candidates: dict[Actions, Block] = {}
    for _ in range(_TRIES):
        # Also misses of misses: else the right list would be the one that is most like all the others.
        others = list(candidates) if hand.likely(0.4) else []
        missed = near_miss(hand, hand.one_of(others or [right.actions]))
        program = program_for(missed)
        if program is not None and missed != right.actions:
            candidates[missed] = program
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tried = pool.map(
            lambda it: _tried(it[0], listing_of(language, it[1])),
            list(candidates.items())[:_MOST_TRIED],
        )
        wrong = [one for one in tried if one is not None and one.tree != right.tree]
    # First those whose tree has as many processes: there one has to look at who is who.
    return _chosen(sorted(wrong, key=lambda one: abs(_size(one.tree) - _size(right.tree))))


def _size(tree: str) -> int:
    return tree.count("─ ")


def _chosen(wrong: list[_Tried]) -> list[_Tried]:
    """Four of them that leave four trees, if there are so many; else two may leave the same."""
    first = list({one.tree: one for one in reversed(wrong)}.values())[::-1]
    chosen = [*first, *(one for one in wrong if one not in first)][: CHOICES - 1]
    if len(chosen) < CHOICES - 1:
        raise UnfitError("too few wrong lists")
    return chosen
