"""What every sentence of the language has: fields, the words that say it, and traits by which it is treated.

The sentences themselves are in beginnings.py, deeds.py and expectations.py (and in the modules of its kinds: bands.py,
inheritance.py, streams.py, services.py). Each is a frozen dataclass with exactly
the fields that its blanks fill, and two facts about the class: its `wording` and its `traits`. Traits have no defaults:
whoever adds a sentence decides each of them, and mypy says what was forgotten. Where several have the same fields they
inherit them from here: to make a dataclass of each of them took a tenth of the time in which `autograder` starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from autograder.language.roles import INIT, Actors


@dataclass(frozen=True)
class Sentence:
    """One line of a script; `line` counts from 1, `subject` is what the script calls the program that is judged."""

    line: int = field(default=0, compare=False, kw_only=True)
    subject: str = field(default=INIT, compare=False, kw_only=True)

    @property
    def named(self) -> tuple[Actors, ...]:
        """Whom it names: those who act, or of whom something is expected, before the others."""
        return tuple(value for value in vars(self).values() if isinstance(value, Actors))


@dataclass(frozen=True)
class Paired(Sentence):
    """A sentence about two at a time: who forks whom, who reaps whom, who is whose child."""

    actors: Actors
    others: Actors

    def pairs(self) -> list[tuple[str, str]]:
        """Each actor with its other: a row with a single one is each with that one, two rows go pairwise.

        Raises ValueError if two rows differ in length.
        """
        ones, others = list(self.actors), list(self.others)
        if not self.actors.is_row:
            ones *= len(others)
        elif not self.others.is_row:
            others *= len(ones)
        return list(zip(ones, others, strict=True))


@dataclass(frozen=True)
class OfActors(Sentence):
    """What these do, or what is so of them."""

    actors: Actors


@dataclass(frozen=True)
class OfActorsAndSignal(OfActors):
    """What these have to do with a signal."""

    signal: str


@dataclass(frozen=True)
class OfActorsAndStatus(OfActors):
    """How these exit."""

    status: int


@dataclass(frozen=True)
class OfActorsAndText(OfActors):
    """What these write, read, execute or are told."""

    text: str


@dataclass(frozen=True)
class OfSignal(Sentence):
    """What a signal has to do with the subject."""

    signal: str


@dataclass(frozen=True)
class OfText(Sentence):
    """What the subject reads, or what is written."""

    text: str


@dataclass(frozen=True)
class Wording:
    """How a sentence is said of one actor, and how of a row of them, if not the same; `also` is read, never written.

    A word in braces is a blank (blanks.py): it fills the field of its name.
    """

    singular: str
    plural: str = ""
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "plural", self.plural or self.singular)

    @cached_property
    def readings(self) -> tuple[tuple[str, ...], ...]:
        """Each way to say it, as words; once each."""
        texts = dict.fromkeys((self.singular, self.plural, *self.also))
        return tuple(tuple(text.split()) for text in texts)


@dataclass(frozen=True)
class BeginningTraits:
    """How a beginning is treated. `main_may_never_play`: a correct init may lose main before main can act."""

    main_may_never_play: bool
    actors_only: bool = field(default=False, init=False)


class Doer(Enum):
    """Who does a deed."""

    ACTOR = "an actor, on our order: it has to be alive, and able to listen"
    OUTSIDE = "somebody outside of the play: we, with a signal"


class Judged(Enum):
    """When an expectation is looked at: one rule for all of them.

    What can be broken after it came true is judged when nothing more can happen: a stopped process may be woken again,
    a zombie reaped. A moment at which it was true by luck is not enough. Only what nobody can undo is over once it is
    true: who is gone does not come back.
    """

    AS_SOON_AS_TRUE = "nobody can undo it: it is over once it comes true"
    AT_REST = "it could still be broken after it was true once: only when nothing more can happen"


@dataclass(frozen=True)
class DeedTraits:
    """How a deed is treated.

    `actors_only`: not done by, or to, the subject. `init_may_answer`: the subject may have something to do because of
    it, and the play comes to rest before the next step. `frees_others`: somebody who could not act may be able to
    again, because it is woken or killed, or because a child is dead.
    """

    doer: Doer
    actors_only: bool
    init_may_answer: bool
    frees_others: bool


@dataclass(frozen=True)
class ExpectationTraits:
    """How an expectation is treated. `actors_only`: of the subject, and of what it has made, nobody can tell.

    `of_the_start`: it is about how actors were when they began, so that has to be noted of all of them.
    """

    judged: Judged
    actors_only: bool
    of_the_start: bool = False
