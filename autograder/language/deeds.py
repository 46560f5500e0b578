"""Deeds: the sentences that make something happen.

CONTRIBUTING.md, "Add a sentence to the scenario language", says what else a new one needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.roles import Actors
from autograder.language.sentence import DeedTraits, Doer, Paired, Sentence, Wording


@dataclass(frozen=True)
class Forks(Paired):
    """Each forks a new actor."""

    wording = Wording("{actors} forks {others}", "{actors} fork {others}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class Exits(Sentence):
    """They exit, all at once."""

    actors: Actors
    status: int

    wording = Wording("{actors} exits {status}", "{actors} exit {status}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Dies(Sentence):
    """They send themselves a signal, which has its default action."""

    actors: Actors
    signal: str

    wording = Wording("{actors} dies by {signal}", "{actors} die by {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Reaps(Paired):
    """They wait for a child each, blocked as long as it lives."""

    wording = Wording("{actors} reaps {others}", "{actors} reap {others}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=False)


@dataclass(frozen=True)
class Ignores(Sentence):
    """From now on the signal is dropped."""

    actors: Actors
    signal: str

    wording = Wording("{actors} ignores {signal}", "{actors} ignore {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class Catches(Sentence):
    """From now on they tell us of the signal."""

    actors: Actors
    signal: str

    wording = Wording("{actors} catches {signal}", "{actors} catch {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class CatchesEverySignal(Sentence):
    """From now on they tell us of each signal that can be caught, but SIGCHLD."""

    actors: Actors

    wording = Wording("{actors} catches every signal", "{actors} catch every signal")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class Blocks(Sentence):
    """From now on the signal waits."""

    actors: Actors
    signal: str

    wording = Wording("{actors} blocks {signal}", "{actors} block {signal}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class StartsSession(Sentence):
    """See setsid(2)."""

    actors: Actors

    wording = Wording(
        "{actors} starts a session", "{actors} start a session", ("{actors} start sessions",)
    )
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class StartsGroup(Sentence):
    """See setpgid(2)."""

    actors: Actors

    wording = Wording(
        "{actors} starts a group", "{actors} start a group", ("{actors} start groups",)
    )
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class Stops(Sentence):
    """They send themselves SIGSTOP."""

    actors: Actors

    wording = Wording("{actors} stops", "{actors} stop")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=False)


@dataclass(frozen=True)
class Continues(Sentence):
    """They get a SIGCONT."""

    actors: Actors

    wording = Wording("{actors} continues", "{actors} continue")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=True, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Says(Sentence):
    """They write a line to their standard output."""

    actors: Actors
    text: str

    wording = Wording("{actors} says {text}", "{actors} say {text}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class TriesToSay(Sentence):
    """The same, but nobody may be there who reads it: it may get a SIGPIPE, or an error."""

    actors: Actors
    text: str

    wording = Wording("{actors} tries to say {text}", "{actors} try to say {text}")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Reads(Sentence):
    """They read a line from their standard input, blocked as long as there is none, and no end of file."""

    actors: Actors

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


@dataclass(frozen=True)
class SendsAtAnyMoment(Sentence):
    """A signal from outside that may come at any moment from here to the next expectation, once init has forked.

    As the first line of a script: from init's start on. `autograder prove` looks at each of these moments.
    """

    signal: str

    wording = Wording("send {signal} to {subject} at any moment")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class SendsEverySignal(Sentence):
    """One of each that can be caught, but SIGCHLD; each when the play is at rest again."""

    actors: Actors

    wording = Wording("send every signal to {actors}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Freezes(Sentence):
    """Init cannot run until it is thawed, so that several deaths meet one SIGCHLD."""

    wording = Wording("freeze {subject}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=False)


@dataclass(frozen=True)
class Thaws(Sentence):
    """Init can run again."""

    wording = Wording("thaw {subject}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class ThawsMain(Sentence):
    """Main, frozen after the fork, can run."""

    wording = Wording("thaw {main}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Types(Sentence):
    """A line for the subject's standard input: at the terminal, or into the pipe that it reads from."""

    text: str

    wording = Wording("type {text}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class Presses(Sentence):
    """A key of the terminal that means something to it: an interrupt, the end of file."""

    key: str

    wording = Wording("press {key}")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class EndsInput(Sentence):
    """Whoever reads the subject's standard input finds the end of file, once all that was typed is read."""

    wording = Wording("end the input")
    traits = DeedTraits(Doer.OUTSIDE, actors_only=False, init_may_answer=True, frees_others=True)


@dataclass(frozen=True)
class LetsExit(Sentence):
    """Whoever is held at its exit, or will be, may go."""

    actors: Actors

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
    | LetsExit
)
