"""Questions of the kind "which of these outputs are possible?".

All schedules of the program are tried; only programs for which that came to an end are used. So an output is possible
if and only if a schedule gave it. The impossible ones are near misses: lines in another order, one missing, one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from forklab.explore import Exploration
from forklab.quiz.evidence import UnfitError
from forklab.quiz.listing import Listing, listing_of
from forklab.quiz.pieces import Hand
from forklab.quiz.program import Language
from forklab.quiz.question import Choice, Question, QuestionKind
from forklab.quiz.racing import racing
from forklab.source import program_of

CHOICES = 5
MOST_OUTCOMES = 40
_TRIES = 100

# What ends a search has to be the same on every machine: the seconds are for accidents.
_STATES = 20_000
_SECONDS = 600.0

Lines: TypeAlias = tuple[str, ...]
Explore: TypeAlias = Callable[
    ..., Exploration
]  # what tries all schedules of a program, as forklab.explore does


def outputs_question(hand: Hand, language: Language, explore: Explore) -> Question:
    """Raises UnfitError if chance made no good program."""
    listing = listing_of(language, racing(hand))
    possible = _possible(listing, explore)
    most = min(CHOICES - 1, len(possible))
    right = hand.random.sample(possible, hand.number(1, most))
    choices = [Choice(_beside(lines), True) for lines in right]
    wrong = _near_misses(hand, possible, CHOICES - len(right))
    choices += [Choice(_beside(lines), False) for lines in wrong]
    hand.random.shuffle(choices)
    return Question(
        kind=QuestionKind.OUTPUTS,
        asked=(
            "Which of these outputs are possible? Each word is a line of the output; we write them side by side."
        ),
        listing=listing,
        answer=", ".join(choice.text for choice in choices if choice.right),
        evidence=_evidence(possible),
        choices=tuple(choices),
        several=True,
        check=f"tuple(output.split()) in {_set_of(possible)}",
    )


def _possible(listing: Listing, explore: Explore) -> list[Lines]:
    """All outputs, sorted. Raises UnfitError if not all are known, or if it may also end in a bad way."""
    with program_of(listing.language, listing.text) as program:
        found = explore(program.argv, program=program.path, limit=_STATES, seconds=_SECONDS)
    if not found.complete:
        raise UnfitError("it can go on in too many ways")
    if any(outcome.deadlock or outcome.signal for outcome in found.outcomes):
        raise UnfitError("it may wait for ever")
    outputs = sorted({tuple(outcome.output.split()) for outcome in found.outcomes})
    if not 2 <= len(outputs) <= MOST_OUTCOMES:
        raise UnfitError("its output leaves nothing to guess, or too much")
    return outputs


def _near_misses(hand: Hand, possible: list[Lines], wanted: int) -> list[Lines]:
    """Outputs that are not possible: the right lines in a wrong order, as far as there are any.

    Raises UnfitError if there are not so many.
    """
    clumsy = hand.number(0, 1)  # so many in which a line is missing, or comes twice
    found: list[Lines] = []
    for change, upto in ((_move, wanted - clumsy), (_miscount, wanted)):
        for _ in range(_TRIES):
            missed = change(hand, hand.one_of(possible))
            if len(found) < upto and missed not in possible and missed not in found:
                found.append(missed)
    if len(found) < wanted:
        raise UnfitError("too few outputs are impossible")
    return found


def _move(hand: Hand, lines: Lines) -> Lines:
    """One of them to another place."""
    changed = list(lines)
    line = changed.pop(hand.number(0, len(changed) - 1))
    changed.insert(hand.number(0, len(changed)), line)
    return tuple(changed)


def _miscount(hand: Hand, lines: Lines) -> Lines:
    """One of them is missing, or comes twice."""
    changed = list(lines)
    line = hand.one_of(changed)
    if hand.likely(0.5):
        changed.remove(line)
    else:
        changed.insert(hand.number(0, len(changed)), line)
    return tuple(changed)


def _beside(lines: Lines) -> str:
    return " ".join(lines)


def _evidence(possible: list[Lines]) -> str:
    outputs = " | ".join(_beside(lines) for lines in possible)
    return f"These {len(possible)} are possible, and no other: {outputs}"


def _set_of(possible: list[Lines]) -> str:
    """As Python writes a set, always in the same order."""
    return "{" + ", ".join(repr(lines) for lines in possible) + "}"
