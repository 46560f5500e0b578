"""Sentences about a service manager: commands for it, services that are ready, states of units, and the journal.

What is said of units rests on what the manager writes to its standard output, a line each:

    UNIT: STATE             each time a unit gets into another state, and when asked
    UNIT[PID]: TEXT         what a process of a unit has written
    ok: COMMAND             a command has come to its end
    failed: COMMAND
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.sentence import (
    DeedTraits,
    Doer,
    ExpectationTraits,
    Judged,
    OfActors,
    OfText,
    Sentence,
    Wording,
)


class Controls(OfText):
    """A command for the manager: a line of its standard input. Nobody waits for the answer."""

    wording = Wording("ctl {text}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class IsReady(OfActors):
    """A service says that it is: READY=1, and a newline, to the descriptor that $NOTIFY_FD names."""

    wording = Wording("{actors} is ready", "{actors} are ready")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=False)


@dataclass(frozen=True)
class CtlEnds(Sentence):
    """The last command has been answered like that, or not yet."""

    ending: str

    wording = Wording("expect ctl {ending}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class UnitIs(Sentence):
    """The state that was told last, or its first word; a unit of which nothing was told is inactive."""

    unit: str
    text: str

    wording = Wording("expect unit {unit} is {text}")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class JournalHas(Sentence):
    """A line of that unit, of its processes or about it, is this text or has it as a part."""

    unit: str
    text: str

    wording = Wording("expect journal of {unit} has {text}")
    traits = ExpectationTraits(Judged.AS_SOON_AS_TRUE, actors_only=False)


OfServices: TypeAlias = CtlEnds | UnitIs | JournalHas
