"""Checks of what a process has from whoever started it, and of what it gives back or leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from autograder.language.inheritance import (
    ExitHandlerIsInits,
    HasNiceValue,
    HasUmask,
    HasVariable,
    IsIn,
    OfInheritance,
    StartsClean,
    TerminalIsAsBefore,
)
from autograder.stage.quiescence import Settled
from autograder.trial import hints
from autograder.trial.check import Breach, Check, CheckMaker, always


class ChecksOfInheritance:
    """Makes those of one play."""

    def __init__(self, make: CheckMaker) -> None:
        self._make = make
        self._facts = make.facts
        self._explainer = make.explainer

    def of(self, expected: OfInheritance) -> Check:
        facts, inherited = self._facts, self._facts.inherited()
        match expected:
            case StartsClean(actors):
                return Check(
                    broken=self._make.unless(actors, lambda name: not facts.amiss(name)),
                    fact=self._not_clean,
                    hint=self._make.of_an_init(always(hints.CLEAN_UP)),
                    badge=always("should start clean"),
                )
            case IsIn(actors, folder):
                return self._inheriting(
                    self._make.unless(actors, lambda name: inherited.is_in(name, folder)),
                    f"in {folder}",
                    lambda name: f"in {inherited.folder(name)}",
                )
            case HasVariable(actors, variable):
                return self._inheriting(
                    self._make.unless(actors, lambda name: inherited.has_variable(name, variable)),
                    f"with {variable}",
                    lambda name: f"with {inherited.variable(name, variable)}",
                )
            case HasUmask(actors, umask):
                return self._inheriting(
                    self._make.unless(actors, lambda name: inherited.umask(name) == umask),
                    f"with umask {umask}",
                    lambda name: f"with umask {inherited.umask(name)}",
                )
            case HasNiceValue(actors, nice):
                return self._inheriting(
                    self._make.unless(actors, lambda name: inherited.has_nice_value(name, nice)),
                    f"with nice value {nice}",
                    lambda name: f"with nice value {inherited.nice_value(name)}",
                )
            case TerminalIsAsBefore():
                return Check(
                    broken=lambda _: [] if inherited.terminal_is_as_before() else [""],
                    fact=always(
                        "In the terminal's foreground is not the process group that was there when "
                        f"{self._make.subject} started."
                    ),
                    hint=self._make.beside_init(
                        self._make.of_an_init(always(hints.GIVE_THE_TERMINAL_BACK))
                    ),
                    badge=always("should be as before"),
                )
            case ExitHandlerIsInits():
                return Check(
                    broken=lambda _: (
                        [self._make.subject] if facts.play.exit_handler_ran_in_a_child() else []
                    ),
                    fact=always(
                        f"An exit handler of {facts.play.subject} has run in a child of it."
                    ),
                    hint=self._make.of_an_init(always(hints.LEAVE_AT_ONCE)),
                    badge=always("should run its exit handlers itself"),
                )
            case _:
                assert_never(expected)

    def _not_clean(self, breach: Breach) -> str:
        name = breach.names[0]
        amiss = "; ".join(self._facts.amiss(name))
        return f"{self._explainer.who(name)} did not start clean: {amiss}."

    def _inheriting(
        self,
        broken: Callable[[Settled | None], list[str]],
        wanted: str,
        has: Callable[[str], str],
    ) -> Check:
        """Of what an actor has from init; `has` tells what it has instead of the `wanted`."""
        return Check(
            broken=broken,
            fact=lambda breach: (
                f"{self._explainer.who(breach.names[0])} started {has(breach.names[0])} "
                f"instead of {wanted}."
            ),
            hint=self._make.of_an_init(always(hints.HAND_ON)),
            badge=always(f"should start {wanted}"),
        )
