"""Expectations: the sentences that say what should be so.

Here are those of a process by itself: its life, its family and its signals. Which groups it is in stands in bands.py,
what it has from whoever started it in inheritance.py, what it writes and reads in streams.py, what a
service manager tells in services.py. CONTRIBUTING.md, "Add a
sentence to the scenario language", says what else a new one needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.bands import OfBands
from autograder.language.inheritance import OfInheritance
from autograder.language.roles import Actors
from autograder.language.sentence import (
    ExpectationTraits,
    Judged,
    OfActors,
    OfActorsAndSignal,
    OfActorsAndStatus,
    OfActorsAndText,
    Paired,
    Sentence,
    Wording,
)
from autograder.language.services import OfServices
from autograder.language.streams import OfStreams


class IsAlive(OfActors):
    """Neither dead nor a zombie."""

    wording = Wording("expect {actors} is alive", "expect {actors} are alive")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class IsZombie(OfActors):
    """Dead, and nobody has waited for it."""

    wording = Wording(
        "expect {actors} is a zombie",
        "expect {actors} are zombies",
        ("expect {actors} are a zombie",),
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class IsReaped(OfActors):
    """Dead, and gone from the process table."""

    wording = Wording("expect {actors} is reaped", "expect {actors} are reaped")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


class IsChild(Paired):
    """Whose child it is now, after any adoption."""

    wording = Wording(
        "expect {actors} is a child of {others}",
        "expect {actors} are children of {others}",
        ("expect {actors} are a child of {others}",),
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class IsStopped(OfActors):
    """By a signal, until it is continued."""

    wording = Wording("expect {actors} is stopped", "expect {actors} are stopped")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class GetsNothing(OfActors):
    """No signal since the last deed."""

    wording = Wording("expect {actors} gets nothing", "expect {actors} get nothing")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


class Gets(OfActorsAndSignal):
    """The signal has come, at least once. Of one that stops, only the stop can be seen: it can be undone."""

    wording = Wording("expect {actors} gets {signal}", "expect {actors} get {signal}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class GetsExactly(Sentence):
    """The signal has come so many times."""

    actors: Actors
    signal: str
    times: int

    wording = Wording(
        "expect {actors} gets {signal} {times} time(s)",
        "expect {actors} get {signal} {times} time(s)",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


class GetsEverySignal(OfActors):
    """Each signal that can be caught, but SIGCHLD, has come."""

    wording = Wording("expect {actors} gets every signal", "expect {actors} get every signal")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


class HasExited(OfActorsAndStatus):
    """By itself, with this status."""

    wording = Wording("expect {actors} exits {status}", "expect {actors} exit {status}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


class HasDied(OfActorsAndSignal):
    """Killed by this signal."""

    wording = Wording("expect {actors} dies by {signal}", "expect {actors} die by {signal}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


class IsIdle(Sentence):
    """Init is blocked in the kernel: it neither spins nor polls."""

    wording = Wording("expect {subject} is idle")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class HasForked(Paired):
    """Whom they have started, no matter what it executes: it is named so from now on, the oldest nameless one first."""

    wording = Wording("expect {actors} forks {others}", "expect {actors} fork {others}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class HasChildren(Sentence):
    """So many, zombies included, whoever forked them."""

    actors: Actors
    times: int

    wording = Wording(
        "expect {actors} has {times} child(ren)", "expect {actors} have {times} child(ren)"
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class HasRun(Sentence):
    """So many processes have executed that command since the play began, dead ones included."""

    actors: Actors
    times: int

    wording = Wording("expect {actors} runs {times} time(s)", "expect {actors} run {times} time(s)")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


class HasArguments(OfActorsAndText):
    """The words behind its name, as it was executed with them."""

    wording = Wording(
        "expect {actors} starts with arguments {text}",
        "expect {actors} start with arguments {text}",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


class EndsWith(OfActorsAndStatus):
    """As a shell tells it: the exit status, or 128 + n of one that signal n has killed."""

    wording = Wording("expect {actors} ends with {status}", "expect {actors} end with {status}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


class NobodyIsLeft(Sentence):
    """Nobody but init, not even a zombie."""

    wording = Wording("expect nobody is left")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


Expectation: TypeAlias = (
    IsAlive
    | IsZombie
    | IsReaped
    | IsChild
    | IsStopped
    | GetsNothing
    | Gets
    | GetsExactly
    | GetsEverySignal
    | HasExited
    | HasDied
    | IsIdle
    | OfInheritance
    | HasForked
    | HasChildren
    | HasRun
    | HasArguments
    | EndsWith
    | OfBands
    | OfStreams
    | OfServices
    | NobodyIsLeft
)
