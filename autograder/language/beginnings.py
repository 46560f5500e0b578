"""Beginnings: the sentences that say how init is started. They come before all others: then init is there.

CONTRIBUTING.md, "Add a sentence to the scenario language", says what else a new one needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.sentence import (
    BeginningTraits,
    OfSignal,
    Sentence,
    Wording,
)


class StartsIgnoring(OfSignal):
    """Whoever started init ignored the signal, as nohup(1) does; execve(2) keeps that."""

    wording = Wording("{subject} starts with {signal} ignored")
    traits = BeginningTraits(main_may_never_play=False)


class StartsBlocking(OfSignal):
    """Whoever started init had the signal blocked; execve(2) keeps that."""

    wording = Wording("{subject} starts with {signal} blocked")
    traits = BeginningTraits(main_may_never_play=False)


class StartsPending(OfSignal):
    """The signal is blocked and has come already."""

    wording = Wording("{subject} starts with {signal} pending")
    traits = BeginningTraits(main_may_never_play=True)


@dataclass(frozen=True)
class StartsWithout(Sentence):
    """One of the three standard descriptors is closed."""

    stream: str

    wording = Wording("{subject} starts without standard {stream}")
    traits = BeginningTraits(main_may_never_play=False)


@dataclass(frozen=True)
class StartsIn(Sentence):
    """The working directory."""

    folder: str

    wording = Wording("{subject} starts in {folder}")
    traits = BeginningTraits(main_may_never_play=False)


@dataclass(frozen=True)
class StartsWithVariable(Sentence):
    """A variable of the environment, beside those that every play has."""

    variable: str

    wording = Wording("{subject} starts with {variable}")
    traits = BeginningTraits(main_may_never_play=False)


@dataclass(frozen=True)
class StartsWithUmask(Sentence):
    """See umask(2)."""

    umask: str

    wording = Wording("{subject} starts with umask {umask}")
    traits = BeginningTraits(main_may_never_play=False)


@dataclass(frozen=True)
class StartsWithNiceValue(Sentence):
    """So much nicer than the judge is: see nice(2)."""

    nice: int

    wording = Wording("{subject} starts with nice value {nice}")
    traits = BeginningTraits(main_may_never_play=False)


@dataclass(frozen=True)
class StartsAsJob(Sentence):
    """In a session that somebody else leads, as a shell's job: in the terminal's foreground, or in the background."""

    place: str

    wording = Wording("{subject} starts as a {place} job")
    traits = BeginningTraits(main_may_never_play=False)


class StartsWithExitHandler(Sentence):
    """Somebody has to be told when init exits: atexit(3)."""

    wording = Wording("{subject} starts with an exit handler")
    traits = BeginningTraits(main_may_never_play=False)


class FreezesInitAfterFork(Sentence):
    """Init cannot run from the moment on at which it has forked main: main is first."""

    wording = Wording("freeze {subject} after the fork")
    traits = BeginningTraits(main_may_never_play=False)


class FreezesMainAfterFork(Sentence):
    """Main has been forked and cannot run: init is first."""

    wording = Wording("freeze {main} after the fork")
    traits = BeginningTraits(main_may_never_play=True)


class HoldsExits(Sentence):
    """Whoever is about to exit, the subject or one that it has made, stands still until the script lets it."""

    wording = Wording("hold every exit")
    traits = BeginningTraits(main_may_never_play=False)


Beginning: TypeAlias = (
    StartsIgnoring
    | StartsBlocking
    | StartsPending
    | StartsWithout
    | StartsIn
    | StartsWithUmask
    | StartsWithNiceValue
    | StartsWithVariable
    | StartsAsJob
    | StartsWithExitHandler
    | FreezesInitAfterFork
    | FreezesMainAfterFork
    | HoldsExits
)
