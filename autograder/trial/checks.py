"""What each expectation asks of a play: whether it holds, and the words for those who broke it.

This is the one place for an expectation in this wing: `Checks.of` makes a `Check` of it, here or in the module of its
kind. When it is looked at, at rest or as soon as it is true, is one of its traits.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import assert_never

from autograder.language.bands import OfBands
from autograder.language.every_signal import EVERY_SIGNAL
from autograder.language.expectations import (
    EndsWith,
    Expectation,
    Gets,
    GetsEverySignal,
    GetsExactly,
    GetsNothing,
    HasArguments,
    HasChildren,
    HasDied,
    HasExited,
    HasForked,
    HasRun,
    IsAlive,
    IsChild,
    IsIdle,
    IsReaped,
    IsStopped,
    IsZombie,
    NobodyIsLeft,
)
from autograder.language.inheritance import OfInheritance
from autograder.language.roles import MAIN, OUTSIDE, Actors
from autograder.language.services import OfServices
from autograder.language.streams import OfStreams
from autograder.stage.quiescence import Rest
from autograder.trial import hints
from autograder.trial.check import Breach, Check, CheckMaker, always
from autograder.trial.checks_of_bands import ChecksOfBands
from autograder.trial.checks_of_inheritance import ChecksOfInheritance
from autograder.trial.checks_of_services import ChecksOfServices
from autograder.trial.checks_of_streams import ChecksOfStreams
from autograder.trial.explain import Explainer, capital, list_of
from autograder.trial.facts import Facts
from forklab.counted import counted
from forklab.history import State, taken_by


class Checks:
    """Makes the checks of one play."""

    def __init__(self, facts: Facts, explainer: Explainer) -> None:
        self._facts = facts
        self._explainer = explainer
        self._make = CheckMaker(facts, explainer)
        self._of_bands = ChecksOfBands(self._make)
        self._of_inheritance = ChecksOfInheritance(self._make)
        self._of_streams = ChecksOfStreams(self._make)
        self._of_services = ChecksOfServices(self._make)

    def of(self, expected: Expectation) -> Check:
        if isinstance(expected, OfBands):
            return self._of_bands.of(expected)
        if isinstance(expected, OfInheritance):
            return self._of_inheritance.of(expected)
        if isinstance(expected, OfStreams):
            return self._of_streams.of(expected)
        if isinstance(expected, OfServices):
            return self._of_services.of(expected)
        facts = self._facts
        match expected:
            case IsAlive(actors):
                return Check(
                    broken=self._make.unless(actors, lambda name: not facts.is_dead(name)),
                    fact=self._not_alive(actors),
                    hint=self._make.advice(),
                    badge=always("should be running"),
                )
            case IsZombie(actors):
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.fate(name).state is State.ZOMBIE
                    ),
                    fact=self._standing(actors, "are no zombies"),
                    hint=self._make.advice(),
                    badge=always("should be a zombie"),
                )
            case IsReaped(actors):
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.fate(name).state is State.REAPED
                    ),
                    fact=self._not_reaped(actors),
                    hint=self._make.advice(
                        self._make.of_an_init(
                            lambda breach: hints.on_zombies(breach.settled.activity)
                        )
                    ),
                    badge=_should_be_reaped,
                )
            case IsChild(others=parent):
                pairs = expected.pairs()
                return Check(
                    broken=lambda _: [a for a, b in pairs if facts.fate(a).parent != b],
                    fact=self._other_parent(dict(pairs)),
                    hint=self._make.advice(),
                    badge=always(f"should be a child of {parent}"),
                )
            case IsStopped(actors):
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.fate(name).state is State.STOPPED
                    ),
                    fact=self._standing(actors, "are not stopped"),
                    hint=self._make.advice(),
                    badge=always("should be stopped"),
                )
            case GetsNothing(actors):
                return Check(
                    broken=self._make.unless(actors, lambda name: not facts.received(name)),
                    fact=lambda breach: self._got(breach.names[0], "got {}"),
                    hint=self._make.advice(
                        self._make.of_an_init(always(hints.PASS_ON_TO_NOBODY_ELSE))
                    ),
                    badge=always("should get no signal"),
                )
            case Gets(actors, signal):
                return Check(
                    broken=self._make.unless(actors, lambda name: facts.received(name)[signal] > 0),
                    fact=lambda breach: self._got(
                        breach.names[0], f"did not get {signal}, but {{}}"
                    ),
                    hint=self._make.advice(self._make.of_an_init(always(hints.PASS_ON))),
                    badge=always(f"should get {signal}"),
                )
            case GetsExactly(actors, signal, times):
                wanted = f"{signal} {_times(times)}"
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.received(name)[signal] == times
                    ),
                    fact=lambda breach: self._got(
                        breach.names[0], f"did not get {wanted}, but {{}}"
                    ),
                    hint=self._make.advice(self._make.of_an_init(always(hints.PASS_ON))),
                    badge=always(f"should get {wanted}"),
                )
            case GetsEverySignal(actors):
                return Check(
                    broken=self._make.unless(actors, lambda name: not self._missed(name)),
                    fact=lambda breach: (
                        f"{self._explainer.who(breach.names[0])} did not get "
                        f"{list_of(self._missed(breach.names[0]))}."
                    ),
                    hint=self._make.advice(self._make.of_an_init(always(hints.PASS_ON))),
                    badge=always("should get every signal"),
                )
            case HasExited(actors, status):
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.exit_status(name) == status
                    ),
                    fact=self._instead_of(f"exiting with {status}"),
                    hint=self._make.beside_init(
                        lambda _: self._about_status(status) if self._make.subject in actors else ""
                    ),
                    badge=always(f"should exit with {status}"),
                )
            case HasDied(actors, killer):
                return Check(
                    broken=self._make.unless(actors, lambda name: facts.killer(name) == killer),
                    fact=self._instead_of(f"dying by {killer}"),
                    hint=self._make.beside_init(always("")),
                    badge=always(f"should die by {killer}"),
                )
            case IsIdle():
                return Check(
                    broken=lambda settled: (
                        [] if settled and facts.is_idle(settled) else [self._make.subject]
                    ),
                    fact=self._restlessness,
                    hint=self._make.while_init_lives(always(hints.SLEEP)),
                    badge=always("should sleep"),
                )
            case HasForked(actors, others):
                return Check(
                    broken=lambda settled: [] if settled and self._names(expected) else [*actors],
                    fact=lambda _: self._no_further_child(expected),
                    hint=self._make.advice(),
                    badge=always(f"should have forked {others}"),
                )
            case HasChildren(actors, count):
                wanted = counted(count, "child", "children")
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.play.children(name) == count
                    ),
                    fact=lambda breach: (
                        f"{capital(self._explainer.who(breach.names[0]))} has "
                        f"{counted(facts.play.children(breach.names[0]), 'child', 'children')} instead of {count}."
                    ),
                    hint=self._make.advice(),
                    badge=always(f"should have {wanted}"),
                )
            case HasRun(actors, count):
                return Check(
                    broken=self._make.unless(actors, lambda name: facts.play.runs(name) == count),
                    fact=lambda breach: (
                        f"{breach.names[0]} has been run {_times(facts.play.runs(breach.names[0]))}, "
                        f"and not {_times(count)}."
                    ),
                    hint=self._make.advice(),
                    badge=always(f"should run {_times(count)}"),
                )
            case HasArguments(actors, text):
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.arguments(name) == shlex.split(text)
                    ),
                    fact=lambda breach: (
                        f"{self._explainer.who(breach.names[0])} started with arguments "
                        f"{shlex.join(facts.arguments(breach.names[0]))!r} instead of {text!r}."
                    ),
                    hint=always(""),
                    badge=always(f"should start with arguments {text}"),
                )
            case EndsWith(actors, status):
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: facts.status_in_shell(name) == status
                    ),
                    fact=self._instead_of(f"ending with {status}"),
                    hint=self._make.beside_init(
                        lambda _: self._about_status(status) if self._make.subject in actors else ""
                    ),
                    badge=always(f"should end with {status}"),
                )
            case NobodyIsLeft():
                return Check(
                    broken=lambda _: facts.left_over(),
                    fact=lambda breach: f"Still there: {list_of(breach.names)}.",
                    hint=self._make.advice(),
                    badge=always("should be gone"),
                )
            case _:
                assert_never(expected)

    def _about_status(self, wanted: int) -> str:
        facts = self._facts
        if not self._explainer.of_an_init:
            return ""
        main_ended = MAIN in facts.play.cast and facts.is_dead(MAIN)
        init_ended = facts.is_dead(self._make.subject)
        return hints.on_exit_status(wanted, init_ended=init_ended, main_ended=main_ended)

    def _standing(self, actors: Actors, plural: str) -> Callable[[Breach], str]:
        """How the one stands who broke it; of several, which and how many they are."""

        def say(breach: Breach) -> str:
            names = breach.names
            if len(names) > 1:
                return f"{len(names)} of {actors.count} ({list_of(names)}) {plural}."
            who, standing = self._explainer.who(names[0]), self._explainer.standing(names[0])
            return f"{capital(who)} {standing}."

        return say

    def _not_alive(self, actors: Actors) -> Callable[[Breach], str]:
        standing = self._standing(actors, "are not alive any more")

        def say(breach: Breach) -> str:
            if list(breach.names) == [self._make.subject]:
                return self._explainer.should_live()
            return standing(breach)

        return say

    def _not_reaped(self, actors: Actors) -> Callable[[Breach], str]:
        standing = self._standing(actors, "are not reaped")

        def say(breach: Breach) -> str:
            name = breach.names[0]
            if len(breach.names) == 1 and self._facts.fate(name).state is State.ZOMBIE:
                who, ending = self._explainer.who(name), self._explainer.ending(name)
                return f"{who} {ending} and stayed a zombie."
            return standing(breach)

        return say

    def _other_parent(self, wanted: Mapping[str, str]) -> Callable[[Breach], str]:
        """By name, whose children they should be."""

        def say(breach: Breach) -> str:
            name = breach.names[0]
            who, parent = self._explainer.who(name), self._facts.fate(name).parent
            if not parent:
                standing = self._explainer.standing(name)
                return f"{who} {standing} instead of being a child of {wanted[name]}."
            if parent == OUTSIDE and not self._facts.play.subject.is_init:
                parent = "somebody whom the script does not name"
            return f"{who} is a child of {parent} instead of {wanted[name]}."

        return say

    def _instead_of(self, wanted: str) -> Callable[[Breach], str]:
        def say(breach: Breach) -> str:
            name = breach.names[0]
            who, standing = self._explainer.who(name), self._explainer.standing(name)
            return f"{capital(who)} {standing} instead of {wanted}."

        return say

    def _got(self, name: str, sentence: str) -> str:
        received = self._facts.received(name)
        got = ", ".join(
            f"{signal} {count} times" if count > 1 else signal for signal, count in received.items()
        )
        return f"{self._explainer.who(name)} {sentence.format(got or 'nothing')}."

    def _restlessness(self, breach: Breach) -> str:
        settled = breach.settled
        subject = self._explainer.subject
        if self._facts.is_dead(self._make.subject):
            ending = f"{subject} {self._explainer.ending(self._make.subject)}: it is not asleep."
            return "" if self._explainer.of_an_init else ending
        if settled.rest is Rest.SPINNING:
            return f"{subject} is spinning: it runs all the time although there is nothing to do."
        sleeper = settled.sleeper
        if sleeper is None:
            return f"{subject} is not asleep."
        own = sleeper.pid == self._facts.play.init.pid
        who = subject if own else f"A process that {self._facts.play.subject} has started"
        if sleeper.hidden:
            how = f"{sleeper.call} wakes it up"
        else:
            how = f"it sleeps in {sleeper.call} with a timeout and wakes up"
        if settled.rest is Rest.POLLING:
            return f"{who} is polling: {how} again and again for nothing."
        return f"{who} is not idle: {how} later, for nothing."

    def _names(self, expected: HasForked) -> bool:
        """Whether there was a child for each of its names, which they have from now on."""
        pairs = expected.pairs()
        for parent in dict.fromkeys(parent for parent, _ in pairs):
            children = [child for one, child in pairs if one == parent]
            if not all(map(self._facts.play.is_there, children)) and not (
                self._facts.play.name_children(parent, children)
            ):
                return False
        return True

    def _no_further_child(self, expected: HasForked) -> str:
        parent = next(
            one for one, child in expected.pairs() if not self._facts.play.is_there(child)
        )
        children = self._facts.play.children(parent)
        who = capital(self._explainer.who(parent))
        return (
            f"{who} has no further child that could be {expected.others}: it has {children} in all."
        )

    def _missed(self, name: str) -> list[str]:
        received = self._facts.received(name)
        return [signal for signal in EVERY_SIGNAL if not received[signal]]


def _should_be_reaped(name: str, breach: Breach) -> str:
    """By whom, if the model says that somebody has by now."""
    reaper = breach.expected[name].reaped_by if name in breach.expected else None
    return f"should be {taken_by(reaper)}" if reaper else "should be reaped"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
