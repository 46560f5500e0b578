"""Deeds: the sentences that make something happen.

CONTRIBUTING.md, "Add a sentence to the scenario language", says what else a new one needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.roles import Actors
from autograder.language.sentence import (
    DeedTraits,
    Doer,
    OfActors,
    OfActorsAndSignal,
    OfActorsAndStatus,
    OfActorsAndText,
    OfSignal,
    OfText,
    Paired,
    Sentence,
    Wording,
)
from autograder.language.services import Controls, IsReady


class Forks(Paired):
    """Each forks a new actor."""

    wording = Wording("{actors} forks {others}", "{actors} fork {others}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class Exits(OfActorsAndStatus):
    """They exit, all at once."""

    wording = Wording("{actors} exits {status}", "{actors} exit {status}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


class Dies(OfActorsAndSignal):
    """They send themselves a signal, which has its default action."""

    wording = Wording("{actors} dies by {signal}", "{actors} die by {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


class Reaps(Paired):
    """They wait for a child each, blocked as long as it lives."""

    wording = Wording("{actors} reaps {others}", "{actors} reap {others}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=False)


class Ignores(OfActorsAndSignal):
    """From now on the signal is dropped."""

    wording = Wording("{actors} ignores {signal}", "{actors} ignore {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class Catches(OfActorsAndSignal):
    """From now on they tell us of the signal."""

    wording = Wording("{actors} catches {signal}", "{actors} catch {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class CatchesEverySignal(OfActors):
    """From now on they tell us of each signal that can be caught, but SIGCHLD."""

    wording = Wording("{actors} catches every signal", "{actors} catch every signal")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class Blocks(OfActorsAndSignal):
    """From now on the signal waits."""

    wording = Wording("{actors} blocks {signal}", "{actors} block {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class StartsSession(OfActors):
    """See setsid(2)."""

    wording = Wording(
        "{actors} starts a session", "{actors} start a session", ("{actors} start sessions",)
    )
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class StartsGroup(OfActors):
    """See setpgid(2)."""

    wording = Wording(
        "{actors} starts a group", "{actors} start a group", ("{actors} start groups",)
    )
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class Stops(OfActors):
    """They send themselves SIGSTOP."""

    wording = Wording("{actors} stops", "{actors} stop")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=False)


class Continues(OfActors):
    """They get a SIGCONT."""

    wording = Wording("{actors} continues", "{actors} continue")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=True, init_may_answer=True, frees_others=True)


class Says(OfActorsAndText):
    """They write a line to their standard output."""

    wording = Wording("{actors} says {text}", "{actors} say {text}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class TriesToSay(OfActorsAndText):
    """The same, but nobody may be there who reads it: it may get a SIGPIPE, or an error."""

    wording = Wording("{actors} tries to say {text}", "{actors} try to say {text}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


class Runs(OfActorsAndText):
    """They execute a program: from then on they are that program, and no actors any more; the name remains."""

    wording = Wording("{actors} runs {text}", "{actors} run {text}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class FillsFile(Sentence):
    """They write a line, and nothing else, into a file in the folder for scratch files."""

    actors: Actors
    name: str
    text: str

    wording = Wording("{actors} fills {name} with {text}", "{actors} fill {name} with {text}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=False)


@dataclass(frozen=True)
class ExitsLater(Sentence):
    """From now on the signal makes them exit, so much later."""

    signal: str
    actors: Actors
    status: int
    time: str

    wording = Wording(
        "on {signal} {actors} exits {status} after {time}",
        "on {signal} {actors} exit {status} after {time}",
    )
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


class Reads(OfActors):
    """They read a line from their standard input, blocked as long as there is none, and no end of file."""

    wording = Wording("{actors} reads", "{actors} read")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Sends(Sentence):
    """A signal from outside, to init as well."""

    signal: str
    actors: Actors

    wording = Wording("send {signal} to {actors}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class SendsOften(Sentence):
    """The same signal again and again, without a pause."""

    signal: str
    actors: Actors
    times: int

    wording = Wording("send {signal} to {actors} {times} time(s)")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class SendsAtAnyMoment(OfSignal):
    """A signal from outside that may come at any moment from here to the next expectation, once init has forked.

    As the first line of a script: from init's start on. `autograder prove` looks at each of these moments.
    """

    wording = Wording("send {signal} to {subject} at any moment")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class SendsEverySignal(OfActors):
    """One of each that can be caught, but SIGCHLD; each when the play is at rest again."""

    wording = Wording("send every signal to {actors}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class Freezes(Sentence):
    """Init cannot run until it is thawed, so that several deaths meet one SIGCHLD."""

    wording = Wording("freeze {subject}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=False)


class Thaws(Sentence):
    """Init can run again."""

    wording = Wording("thaw {subject}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class ThawsMain(Sentence):
    """Main, frozen after the fork, can run."""

    wording = Wording("thaw {main}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class Types(OfText):
    """A line for the subject's standard input: at the terminal, or into the pipe that it reads from."""

    wording = Wording("type {text}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Presses(Sentence):
    """A key of the terminal that means something to it: an interrupt, the end of file."""

    key: str

    wording = Wording("press {key}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class EndsInput(Sentence):
    """Whoever reads the subject's standard input finds the end of file, once all that was typed is read."""

    wording = Wording("end the input")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class LetsPass(Sentence):
    """So much time goes by, whoever wakes up again and again meanwhile."""

    time: str

    wording = Wording("let {time} pass")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


class LetsExit(OfActors):
    """Whoever is held at its exit, or will be, may go."""

    wording = Wording("let {actors} exit")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=False)


Deed: TypeAlias = (
    Forks
    | Exits
    | Dies
    | Reaps
    | Ignores
    | Catches
    | CatchesEverySignal
    | Blocks
    | StartsSession
    | StartsGroup
    | Stops
    | Continues
    | Says
    | TriesToSay
    | Runs
    | FillsFile
    | ExitsLater
    | Reads
    | Sends
    | SendsOften
    | SendsAtAnyMoment
    | SendsEverySignal
    | Freezes
    | Thaws
    | ThawsMain
    | Types
    | Presses
    | EndsInput
    | LetsPass
    | LetsExit
    | Controls
    | IsReady
)
