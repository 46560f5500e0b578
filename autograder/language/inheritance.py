"""Expectations of what a process has from whoever started it, and of what it gives back or leaves alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.roles import Actors
from autograder.language.sentence import (
    ExpectationTraits,
    Judged,
    OfActors,
    Sentence,
    Wording,
)


class StartsClean(OfActors):
    """It began as under a login shell: mask, dispositions, descriptors, terminal."""

    wording = Wording("expect {actors} starts clean", "expect {actors} start clean")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True, of_the_start=True)


@dataclass(frozen=True)
class IsIn(Sentence):
    """Its working directory is the one that init started in."""

    actors: Actors
    folder: str

    wording = Wording("expect {actors} starts in {folder}", "expect {actors} start in {folder}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class HasVariable(Sentence):
    """Its environment has the variable with this value."""

    actors: Actors
    variable: str

    wording = Wording(
        "expect {actors} starts with {variable}", "expect {actors} start with {variable}"
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class HasUmask(Sentence):
    """See umask(2)."""

    actors: Actors
    umask: str

    wording = Wording(
        "expect {actors} starts with umask {umask}", "expect {actors} start with umask {umask}"
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class HasNiceValue(Sentence):
    """So much nicer than the judge is: see nice(2)."""

    actors: Actors
    nice: int

    wording = Wording(
        "expect {actors} starts with nice value {nice}",
        "expect {actors} start with nice value {nice}",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


class TerminalIsAsBefore(Sentence):
    """The process group in its foreground is the one that was there when init started."""

    wording = Wording("expect the terminal is as before")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class ExitHandlerIsInits(Sentence):
    """No child of init's that has not executed anything has left by exit(3)."""

    wording = Wording(
        "expect the exit handler runs in {subject} alone",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


OfInheritance: TypeAlias = (
    StartsClean
    | IsIn
    | HasUmask
    | HasNiceValue
    | HasVariable
    | TerminalIsAsBefore
    | ExitHandlerIsInits
)
