"""Checks of what a service manager tells: answers to commands, states of units, what services have written."""

from __future__ import annotations

import re
from typing import assert_never

from autograder.language.services import CtlEnds, JournalHas, OfServices, UnitIs
from autograder.trial.check import Check, CheckMaker, always
from autograder.trial.explain import shorten

_INACTIVE = "inactive"  # of which nothing was told
_ENDINGS = {"succeeds": "ok", "fails": "failed"}


class ChecksOfServices:
    """Makes those of one play."""

    def __init__(self, make: CheckMaker) -> None:
        self._make = make
        self._facts = make.facts

    def of(self, expected: OfServices) -> Check:
        match expected:
            case CtlEnds(ending):
                wanted = _ENDINGS.get(ending)
                return Check(
                    broken=lambda _: [] if self._answer() == wanted else [""],
                    fact=lambda _: self._other_answer(wanted),
                    hint=self._make.advice(),
                    badge=always(f"should answer {wanted}" if wanted else "should not answer yet"),
                )
            case UnitIs(unit, text):
                return Check(
                    broken=lambda _: [] if _begins(self._state(unit), text) else [""],
                    fact=lambda _: (
                        f"By what was told last, {unit} is {self._state(unit)} instead of {text}."
                    ),
                    hint=self._make.advice(),
                    badge=always(f"should tell that {unit} is {text}"),
                )
            case JournalHas(unit, text):
                return Check(
                    broken=lambda _: [] if text in self._journal(unit) else [""],
                    fact=lambda _: (
                        f"The journal of {unit} has no {text!r}; it is "
                        f"{shorten(self._journal(unit)) or 'empty'}."
                    ),
                    hint=self._make.advice(),
                    badge=always(f"should tell {text!r}"),
                )
            case _:
                assert_never(expected)

    def _answer(self) -> str | None:
        """To the last command; None if there is none yet. The n-th of the same words has the n-th answer."""
        asked = self._facts.asked
        answers = [f"{word}: {asked[-1]}" for word in _ENDINGS.values()] if asked else []
        told = [line for line in self._facts.output().split("\n") if line in answers]
        place = asked.count(asked[-1]) if asked else 1
        return told[place - 1].partition(":")[0] if len(told) >= place else None

    def _other_answer(self, wanted: str | None) -> str:
        asked, answer = self._facts.asked, self._answer()
        last = asked[-1] if asked else ""
        instead = f"instead of '{wanted}: {last}'" if wanted else "and should not be answered yet"
        if answer is None:
            return f"The command '{last}' has not been answered {instead}."
        return f"The command '{last}' has been answered '{answer}: {last}' {instead}."

    def _state(self, unit: str) -> str:
        """The one that was told last."""
        told = [line for line in self._facts.output().split("\n") if line.startswith(f"{unit}: ")]
        return told[-1].partition(": ")[2] if told else _INACTIVE

    def _journal(self, unit: str) -> str:
        """The lines of a unit, without its name."""
        head = re.compile(rf"{re.escape(unit)}(\[\d+\])?: ")
        lines = self._facts.output().split("\n")
        return "".join(f"{line[match.end() :]}\n" for line in lines if (match := head.match(line)))


def _begins(state: str, wanted: str) -> bool:
    """Whether it is this one, perhaps with more to be said: failed (signal), active (1003)."""
    return state == wanted or state.startswith(f"{wanted} ")
