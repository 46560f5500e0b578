"""Expectations of what is written and read, and of where descriptors lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.roles import Actors
from autograder.language.sentence import ExpectationTraits, Judged, Paired, Sentence, Wording


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class HasNoSpareDescriptors(Sentence):
    """It began with the three standard descriptors and no others, whatever they are."""

    actors: Actors

    wording = Wording(
        "expect {actors} starts with no other descriptors",
        "expect {actors} start with no other descriptors",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class HasRead(Sentence):
    """The line that it was told to read last."""

    actors: Actors
    text: str

    wording = Wording("expect {actors} reads {text}", "expect {actors} read {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class HasFoundTheEnd(Sentence):
    """There was no line to be read, and never will be."""

    actors: Actors

    wording = Wording(
        "expect {actors} finds the end of file", "expect {actors} find the end of file"
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class OutputIs(Sentence):
    """All that has been written to standard output so far; a text without a newline at its end is a whole line."""

    text: str

    wording = Wording("expect output is exactly {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class OutputInAnyOrder(Sentence):
    """The same, but the lines may come in any order."""

    text: str

    wording = Wording("expect output in any order {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class ErrorOutputIs(Sentence):
    """All that has been written to standard error so far."""

    text: str

    wording = Wording("expect error output is exactly {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class HasErrorOutput(Sentence):
    """The text occurs in what has been written to standard error so far."""

    text: str

    wording = Wording("expect error output {text}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


@dataclass(frozen=True)
class HasOutput(Sentence):
    """The text occurs in what has been written to standard output so far."""

    text: str

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
