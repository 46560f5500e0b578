"""Expectations of what is written and read, and of where descriptors lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.roles import Actors
from autograder.language.sentence import (
    ExpectationTraits,
    Judged,
    OfActors,
    OfActorsAndText,
    OfText,
    Paired,
    Sentence,
    Wording,
)


class WritesTo(Paired):
    """The standard output of the one and the standard input of the other are the same pipe."""

    wording = Wording("expect {actors} writes to {others}", "expect {actors} write to {others}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class HasAsStandard(Sentence):
    """That file is open there."""

    actors: Actors
    file: str
    stream: str

    wording = Wording(
        "expect {actors} has {file} as standard {stream}",
        "expect {actors} have {file} as standard {stream}",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class HasNoSpareDescriptors(OfActors):
    """It began with the three standard descriptors and no others, whatever they are."""

    wording = Wording(
        "expect {actors} starts with no other descriptors",
        "expect {actors} start with no other descriptors",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True, of_the_start=True)


class HasRead(OfActorsAndText):
    """The line that it was told to read last."""

    wording = Wording("expect {actors} reads {text}", "expect {actors} read {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


class HasFoundTheEnd(OfActors):
    """There was no line to be read, and never will be."""

    wording = Wording(
        "expect {actors} finds the end of file", "expect {actors} find the end of file"
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


class OutputIs(OfText):
    """All that has been written to standard output so far; a text without a newline at its end is a whole line."""

    wording = Wording("expect output is exactly {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class OutputInAnyOrder(OfText):
    """The same, but the lines may come in any order."""

    wording = Wording("expect output in any order {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class ErrorOutputIs(OfText):
    """All that has been written to standard error so far."""

    wording = Wording("expect error output is exactly {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class HasErrorOutput(OfText):
    """The text occurs in what has been written to standard error so far."""

    wording = Wording("expect error output {text}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


class HasOutput(OfText):
    """The text occurs in what has been written to standard output so far."""

    wording = Wording("expect output {text}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


OfStreams: TypeAlias = (
    WritesTo
    | HasAsStandard
    | HasNoSpareDescriptors
    | HasFoundTheEnd
    | HasRead
    | OutputIs
    | OutputInAnyOrder
    | ErrorOutputIs
    | HasErrorOutput
    | HasOutput
)
