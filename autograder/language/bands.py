"""Expectations of process groups, of sessions, and of the group in the terminal's foreground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.roles import Actors
from autograder.language.sentence import ExpectationTraits, Judged, Paired, Sentence, Wording


@dataclass(frozen=True)
class IsInBand(Paired):
    """Their process groups, or sessions, are the same."""

    band: str

    wording = Wording(
        "expect {actors} is in the {band} of {others}",
        "expect {actors} are in the {band} of {others}",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class IsNotInBand(Paired):
    """Their process groups, or sessions, differ."""

    band: str

    wording = Wording(
        "expect {actors} is not in the {band} of {others}",
        "expect {actors} are not in the {band} of {others}",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class LeadsBand(Sentence):
    """Its group, or session, is called by its pid."""

    actors: Actors
    band: str

    wording = Wording("expect {actors} leads a {band}", "expect {actors} lead a {band}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class LeadsNoBand(Sentence):
    """Somebody else leads it, or has led it."""

    actors: Actors
    band: str

    wording = Wording("expect {actors} leads no {band}", "expect {actors} lead no {band}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class IsInPlace(Sentence):
    """Its group is in the terminal's foreground, or another one is."""

    actors: Actors
    place: str

    wording = Wording("expect {actors} is in the {place}", "expect {actors} are in the {place}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


OfBands: TypeAlias = IsInBand | IsNotInBand | LeadsBand | LeadsNoBand | IsInPlace
