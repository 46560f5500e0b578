"""What is left to do of a grading that goes on: whose submission, or which play, is not as it was judged, and in words.

what is asked now, what was judged -> Left -> sentences
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from autograder.grading.records import Asked, Terms
from autograder.submission.submissions import Submission
from forklab.counted import counted

_MOST_NAMED = 8


class Reason(Enum):
    """Why a student is not done."""

    FIRST_TIME = auto()
    OTHER_FILES = auto()
    NOT_NOTED = auto()  # an earlier version judged it, which did not keep what it had played
    OTHER_PLAYS = auto()
    ERROR = auto()  # the grader's own
    OTHER_PRICE = auto()  # or name, or fewer scenarios: nothing has to be played


@dataclass(frozen=True)
class Left:
    """One student who is not done, with the scenarios that are new or have changed, if that is the reason."""

    submission: Submission
    reason: Reason
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def left_to_do(
    now: Sequence[tuple[Submission, Terms]], judged: Mapping[str, Terms], done: Mapping[str, Terms]
) -> list[Left]:
    """Who is to be graded. `judged` is what was noted of each finished attempt, `done` of those without an error."""
    return [
        left
        for submission, terms in now
        if (left := _left(submission, terms, judged.get(submission.student), done)) is not None
    ]


def _left(
    submission: Submission, now: Terms, before: Terms | None, done: Mapping[str, Terms]
) -> Left | None:
    if before is None:
        return Left(submission, Reason.FIRST_TIME)
    if not before.plays:
        return Left(submission, Reason.NOT_NOTED)
    if before.files != now.files:
        return Left(submission, Reason.OTHER_FILES)
    new = tuple(name for name in now.plays if name not in before.plays)
    changed = tuple(
        name for name, play in now.plays.items() if before.plays.get(name, play) != play
    )
    if new or changed:
        return Left(submission, Reason.OTHER_PLAYS, new, changed)
    if submission.student not in done:
        return Left(submission, Reason.ERROR)
    return None if before.asked == now.asked else Left(submission, Reason.OTHER_PRICE)


def told(lefts: Sequence[Left], asked: Sequence[Asked]) -> Iterator[str]:
    """What has changed since, and what comes of it, a sentence each; nothing of who is graded for the first time."""
    of: dict[Reason, list[str]] = {}
    for left in lefts:
        of.setdefault(left.reason, []).append(left.submission.student)
    if students := of.get(Reason.OTHER_FILES):
        yield f"Handed in anew since, and judged anew: {_listed(students)}."
    if students := of.get(Reason.NOT_NOTED):
        yield (
            "An earlier version of this program has judged them, and did not note by which plays; "
            f"judged anew: {_listed(students)}."
        )
    for word, names in (
        ("New in the lab", Counter(name for left in lefts for name in left.new)),
        ("Changed in the lab", Counter(name for left in lefts for name in left.changed)),
    ):
        if len(names) == len(asked):
            yield f"{word}: all scenarios, as the mode has changed, the seed, or each of their plays."
        elif names:
            yield f"{word}, and judged anew: {_listed(list(names))}."
    if students := of.get(Reason.OTHER_PLAYS):
        yield f"That concerns {_so_many(students)}. What has not changed keeps its verdicts."
    if students := of.get(Reason.ERROR):
        yield f"Tried again after an error of the grader's own: {_listed(students)}."
    if students := of.get(Reason.OTHER_PRICE):
        yield (
            f"Scenarios are worth or called something else now, or are gone: the marks of {_so_many(students)} are "
            "reckoned anew, and nothing is played again."
        )


def told_of_others(lefts: Sequence[Left]) -> Iterator[str]:
    """That those who are not graded now have marks from before a change, if it is so."""
    stale = [left.submission.student for left in lefts if left.reason is not Reason.FIRST_TIME]
    if stale:
        yield (
            f"What {_so_many(stale)} handed in, or what is asked of them, is not what was judged: "
            "grade again with --resume."
        )


def _so_many(students: Sequence[str]) -> str:
    return students[0] if len(students) == 1 else counted(len(students), "student")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
