"""What a check is: one expectation in one play, and what most checks are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.language.roles import Actors
from autograder.stage.quiescence import Settled
from autograder.trial.explain import Explainer, capital
from autograder.trial.facts import Facts
from forklab.history import Tree


@dataclass(frozen=True)
class Breach:
    """For whom an expectation does not hold, how the play came to rest, and how its tree should look."""

    names: Sequence[str]
    settled: Settled
    expected: Tree


@dataclass(frozen=True)
class Check:
    """One expectation in one play.

    `broken` answers for whom it does not hold now: names, or [""] for nobody in particular. It is asked again and
    again, at last with how the play came to rest. The others are asked once, when it is broken: for the `fact` that
    broke it, for a `hint` what to think about, and for the `badge` that each name gets in the picture: what should be.
    Facts and hints are sentences, or empty.
    """

    broken: Callable[[Settled | None], list[str]]
    fact: Callable[[Breach], str]
    hint: Callable[[Breach], str]
    badge: Callable[[str, Breach], str]

    def message(self, breach: Breach) -> str:
        return " ".join(filter(None, (self.fact(breach), self.hint(breach))))


@dataclass(frozen=True)
class CheckMaker:
    """What the checks of one play have in common: for whom something does not hold, and which hints are any use."""

    facts: Facts
    explainer: Explainer

    def unless(
        self, actors: Actors, holds: Callable[[str], bool]
    ) -> Callable[[Settled | None], list[str]]:
        """For whom it does not hold. Of one that is not there yet nothing does; at rest that is told of it instead."""

        def broken(settled: Settled | None) -> list[str]:
            there = self.facts.play.is_there
            return [
                name for name in actors if (settled is None and not there(name)) or not holds(name)
            ]

        return broken

    def simply(
        self, actors: Actors, holds: Callable[[str], bool], instead: str, wanted: str
    ) -> Check:
        """Of which there is no more to tell than that it is not so: `instead` is a clause."""
        return Check(
            broken=self.unless(actors, holds),
            fact=lambda breach: f"{capital(self.explainer.who(breach.names[0]))} {instead}.",
            hint=self.advice(),
            badge=always(wanted),
        )

    def advice(self, hint: Callable[[Breach], str] | None = None) -> Callable[[Breach], str]:
        """Where init stands, and the hint. Once it is gone there is only one thing to think about."""
        return self.while_init_lives(self.beside_init(hint or always("")))

    def while_init_lives(self, hint: Callable[[Breach], str]) -> Callable[[Breach], str]:
        def say(breach: Breach) -> str:
            if not self.facts.is_dead(self.subject):
                return hint(breach)
            return self.explainer.ended_early() if self.explainer.of_an_init else ""

        return say

    def beside_init(self, hint: Callable[[Breach], str]) -> Callable[[Breach], str]:
        def say(breach: Breach) -> str:
            where = self.explainer.where_init_is(breach.settled)
            return " ".join(filter(None, (where, hint(breach))))

        return say

    def of_an_init(self, hint: Callable[[Breach], str]) -> Callable[[Breach], str]:
        """A hint that is one only where the lab is about an init."""
        return hint if self.explainer.of_an_init else always("")

    @property
    def subject(self) -> str:
        return self.facts.play.subject.name


def always(words: str) -> Callable[..., str]:
    """The same words for every breach."""
    return lambda *_: words
