"""A question and its answer: what every kind makes and every format writes down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from forklab.quiz.listing import Listing


class QuestionKind(StrEnum):
    COUNT = "count"
    TREE = "tree"
    ACTIONS = "actions"
    OUTPUTS = "outputs"


@dataclass(frozen=True)
class Choice:
    """`why` is said in the answer key; "" if there is nothing to say."""

    text: str
    right: bool
    why: str = ""


@dataclass(frozen=True)
class Question:
    """`asked` is in plain words; `program` or `picture` (a tree in text) is what it is about.

    The answer is a `number`, or the right ones of the `choices` (all of them, if `several`), or a drawing: then both
    are empty. `answer` says it in words or draws it; `evidence` is what the run showed, for whoever asks why.
    `listing` is the program in any case: where it is not shown, as it would tell the answer, it is proof. `at` is
    the second at which one looks, None for the end.
    """

    kind: QuestionKind
    asked: str
    listing: Listing
    answer: str
    evidence: str = ""
    picture: str = ""
    number: int | None = None
    choices: tuple[Choice, ...] = ()
    several: bool = False
    at: int | None = None
    # In Python, for the notebook: an expression about `history` and `output` that is true.
    check: str = ""

    @property
    def shows_program(self) -> bool:
        return not self.picture

    @property
    def exhibit(self) -> str:
        """What it is about: the picture, or the program."""
        return self.picture or self.listing.text.rstrip()

    @property
    def asks_for_drawing(self) -> bool:
        return self.number is None and not self.choices


@dataclass(frozen=True)
class Quiz:
    """`command` is what makes the same quiz again."""

    title: str
    level: int
    command: str
    questions: tuple[Question, ...]
