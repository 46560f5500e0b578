"""Expectations: the sentences that say what should be so.

CONTRIBUTING.md, "Add a sentence to the scenario language", says what else a new one needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.roles import Actors
from autograder.language.sentence import ExpectationTraits, Judged, Paired, Sentence, Wording


@dataclass(frozen=True)
class IsAlive(Sentence):
    """Neither dead nor a zombie."""

    actors: Actors

    wording = Wording("expect {actors} is alive", "expect {actors} are alive")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class IsZombie(Sentence):
    """Dead, and nobody has waited for it."""

    actors: Actors

    wording = Wording(
        "expect {actors} is a zombie",
        "expect {actors} are zombies",
        ("expect {actors} are a zombie",),
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class IsReaped(Sentence):
    """Dead, and gone from the process table."""

    actors: Actors

    wording = Wording("expect {actors} is reaped", "expect {actors} are reaped")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


@dataclass(frozen=True)
class IsChild(Paired):
    """Whose child it is now, after any adoption."""

    wording = Wording(
        "expect {actors} is a child of {others}",
        "expect {actors} are children of {others}",
        ("expect {actors} are a child of {others}",),
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class IsStopped(Sentence):
    """By a signal, until it is continued."""

    actors: Actors

    wording = Wording("expect {actors} is stopped", "expect {actors} are stopped")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class GetsNothing(Sentence):
    """No signal since the last deed."""

    actors: Actors

    wording = Wording("expect {actors} gets nothing", "expect {actors} get nothing")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class Gets(Sentence):
    """The signal has come, at least once. Of one that stops, only the stop can be seen: it can be undone."""

    actors: Actors
    signal: str

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


@dataclass(frozen=True)
class GetsEverySignal(Sentence):
    """Each signal that can be caught, but SIGCHLD, has come."""

    actors: Actors

    wording = Wording("expect {actors} gets every signal", "expect {actors} get every signal")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class HasExited(Sentence):
    """By itself, with this status."""

    actors: Actors
    status: int

    wording = Wording("expect {actors} exits {status}", "expect {actors} exit {status}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


@dataclass(frozen=True)
class HasDied(Sentence):
    """Killed by this signal."""

    actors: Actors
    signal: str

    wording = Wording("expect {actors} dies by {signal}", "expect {actors} die by {signal}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


@dataclass(frozen=True)
class IsIdle(Sentence):
    """Init is blocked in the kernel: it neither spins nor polls."""

    wording = Wording("expect {subject} is idle")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class StartsClean(Sentence):
    """It began as under a login shell: mask, dispositions, descriptors, terminal."""

    actors: Actors

    wording = Wording("expect {actors} starts clean", "expect {actors} start clean")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


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


@dataclass(frozen=True)
class TerminalIsAsBefore(Sentence):
    """The process group in its foreground is the one that was there when init started."""

    wording = Wording("expect the terminal is as before")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class ExitHandlerIsInits(Sentence):
    """No child of init's that has not executed anything has left by exit(3)."""

    wording = Wording(
        "expect the exit handler runs in {subject} alone",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
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
class HasArguments(Sentence):
    """The words behind its name, as it was executed with them."""

    actors: Actors
    text: str

    wording = Wording(
        "expect {actors} starts with arguments {text}",
        "expect {actors} start with arguments {text}",
    )
    traits = ExpectationTraits(Judged.AT_REST, actors_only=True)


@dataclass(frozen=True)
class EndsWith(Sentence):
    """As a shell tells it: the exit status, or 128 + n of one that signal n has killed."""

    actors: Actors
    status: int

    wording = Wording("expect {actors} ends with {status}", "expect {actors} end with {status}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


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


@dataclass(frozen=True)
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
    | StartsClean
    | IsIn
    | HasUmask
    | HasNiceValue
    | HasVariable
    | TerminalIsAsBefore
    | ExitHandlerIsInits
    | HasForked
    | HasChildren
    | HasArguments
    | EndsWith
    | IsInBand
    | IsNotInBand
    | LeadsBand
    | LeadsNoBand
    | IsInPlace
    | WritesTo
    | HasAsStandard
    | HasNoSpareDescriptors
    | HasFoundTheEnd
    | HasRead
    | OutputIs
    | OutputInAnyOrder
    | ErrorOutputIs
    | HasErrorOutput
    | HasOutput
    | NobodyIsLeft
)
