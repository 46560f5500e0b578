"""A quiz: questions by chance, the same ones for the same seed.

Each question has a chance of its own, drawn from the seed, its kind, its level and its number. So a longer quiz begins
with the questions of a shorter one, and neither time nor the machine nor the other questions have a part in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from forklab.explore import explore
from forklab.quiz.actions import actions_question
from forklab.quiz.count import count_question
from forklab.quiz.evidence import UnfitError
from forklab.quiz.outputs import Explore, outputs_question
from forklab.quiz.pieces import Hand
from forklab.quiz.program import Language
from forklab.quiz.question import Question, QuestionKind, Quiz
from forklab.quiz.tree import tree_question

_TRIES = 200


@dataclass(frozen=True)
class Order:
    """What is wanted. Without a `kind` they take turns, without a `language` chance decides."""

    seed: int = 0
    kind: QuestionKind | None = None
    level: int = 2
    count: int = 4
    language: Language | None = None

    @property
    def command(self) -> str:
        """What one types to get the same again."""
        words = ["forklab quiz", f"--seed {self.seed}"]
        if self.kind is not None:
            words.append(f"--kind {self.kind}")
        words += [f"--level {self.level}", f"--count {self.count}"]
        if self.language is not None:
            words.append(f"--language {self.language}")
        return " ".join(words)


class NoQuestionError(Exception):
    """Chance made nothing but bad programs."""


def make(order: Order, explore: Explore = explore) -> Quiz:
    """`explore` tries all schedules of a program.

    Raises CannotCompileError, CannotRecordError, and NoQuestionError.
    """
    kinds = [order.kind] if order.kind is not None else list(QuestionKind)
    asked = [kinds[number % len(kinds)] for number in range(order.count)]
    questions: list[Question] = []
    for number, kind in enumerate(asked):
        chance = Random(f"{order.seed} {kind} {order.level} {number}")
        questions.append(_new_question(chance, kind, order, explore, questions))
    return Quiz(f"Quiz {order.seed}", order.level, order.command, tuple(questions))


def _new_question(
    chance: Random, kind: QuestionKind, order: Order, explore: Explore, asked: list[Question]
) -> Question:
    """One that was not asked before. Raises NoQuestionError."""
    for _ in range(_TRIES):
        # Drawn in any case: with --language it is the same program that would be written in this language.
        language = chance.choice(list(Language))
        hand = Hand(Random(chance.getrandbits(64)), order.level)
        try:
            question = _question(kind, hand, order.language or language, explore)
        except UnfitError:
            continue
        if all(question.listing.text != other.listing.text for other in asked):
            return question
    raise NoQuestionError(
        f"There is no further question of the kind {kind} on level {order.level}: ask for fewer."
    )


def _question(kind: QuestionKind, hand: Hand, language: Language, explore: Explore) -> Question:
    match kind:
        case QuestionKind.COUNT:
            return count_question(hand, language)
        case QuestionKind.TREE:
            return tree_question(hand, language)
        case QuestionKind.ACTIONS:
            return actions_question(hand, language)
        case QuestionKind.OUTPUTS:
            return outputs_question(hand, language, explore)
