"""What the random programs are made of: a hand, and what several kinds of them need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from string import ascii_lowercase, ascii_uppercase
from typing import TypeVar

from forklab.quiz.program import Block, Say, relabelled

SAY = Say("")  # gets its label when the program is complete
Thing = TypeVar("Thing")
Maker = Callable[["Hand"], Block]


@dataclass
class Hand:
    """Chance, and names for the variables that keep pids: one hand writes one program."""

    random: Random
    level: int
    _letters: Iterator[str] = field(default_factory=lambda: iter(ascii_lowercase))

    def one_of(self, things: Sequence[Thing]) -> Thing:
        return self.random.choice(things)

    def likely(self, chance: float) -> bool:
        return self.random.random() < chance

    def number(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def variable(self) -> str:
        return next(self._letters)


def labelled(program: Block) -> Block:
    """With A, B, C ... as the lines to print."""
    labels = (
        letter if round_ == 0 else f"{letter}{round_}"
        for round_ in count()
        for letter in ascii_uppercase
    )
    return relabelled(program, lambda: next(labels))
