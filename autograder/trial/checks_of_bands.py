"""Checks of process groups, of sessions, and of the group in the terminal's foreground."""

from __future__ import annotations

from typing import assert_never

from autograder.language.bands import (
    IsInBand,
    IsInPlace,
    IsNotInBand,
    LeadsBand,
    LeadsNoBand,
    OfBands,
)
from autograder.language.roles import FOREGROUND, PLACES
from autograder.language.sentence import Paired
from autograder.trial.check import Check, CheckMaker, always
from autograder.trial.explain import capital


class ChecksOfBands:
    """Makes those of one play."""

    def __init__(self, make: CheckMaker) -> None:
        self._make = make
        self._facts = make.facts
        self._explainer = make.explainer

    def of(self, expected: OfBands) -> Check:
        facts, inherited = self._facts, self._facts.inherited()
        match expected:
            case IsInBand(band=band):
                return self._together(expected, band, True)
            case IsNotInBand(band=band):
                return self._together(expected, band, False)
            case LeadsBand(actors, band):
                return self._make.simply(
                    actors,
                    lambda name: facts.leads(name, band),
                    f"leads no {band}",
                    f"should lead a {band}",
                )
            case LeadsNoBand(actors, band):
                return self._make.simply(
                    actors,
                    lambda name: not facts.leads(name, band),
                    f"leads a {band}",
                    f"should lead no {band}",
                )
            case IsInPlace(actors, place):
                other = next(one for one in PLACES if one != place)
                return self._make.simply(
                    actors,
                    lambda name: inherited.is_in_foreground(name) is (place == FOREGROUND),
                    f"is in the {other}",
                    f"should be in the {place}",
                )
            case _:
                assert_never(expected)

    def _together(self, expected: Paired, band: str, wanted: bool) -> Check:
        facts, pairs = self._facts, expected.pairs()
        of = f"the {band} of {expected.others}"
        return Check(
            broken=lambda _: [a for a, b in pairs if facts.together(a, b, band) is not wanted],
            fact=lambda breach: (
                f"{capital(self._explainer.who(breach.names[0]))} is {'not ' if wanted else ''}in {of}."
            ),
            hint=self._make.advice(),
            badge=always(f"should {'' if wanted else 'not '}be in {of}"),
        )
