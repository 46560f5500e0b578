"""What each expectation asks of a play: whether it holds, and the words for those who broke it.

This is the one place for an expectation in this wing: `Checks.of` makes a `Check` of it. When it is looked at, at rest
or as soon as it is true, is one of its traits.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from autograder.language.every_signal import EVERY_SIGNAL
from autograder.language.expectations import (
    EndsWith,
    ErrorOutputIs,
    ExitHandlerIsInits,
    Expectation,
    Gets,
    GetsEverySignal,
    GetsExactly,
    GetsNothing,
    HasArguments,
    HasAsStandard,
    HasChildren,
    HasDied,
    HasErrorOutput,
    HasExited,
    HasForked,
    HasFoundTheEnd,
    HasNiceValue,
    HasNoSpareDescriptors,
    HasOutput,
    HasRead,
    HasUmask,
    HasVariable,
    IsAlive,
    IsChild,
    IsIdle,
    IsIn,
    IsInBand,
    IsInPlace,
    IsNotInBand,
    IsReaped,
    IsStopped,
    IsZombie,
    LeadsBand,
    LeadsNoBand,
    NobodyIsLeft,
    OutputInAnyOrder,
    OutputIs,
    StartsClean,
    TerminalIsAsBefore,
    WritesTo,
)
from autograder.language.roles import FOREGROUND, MAIN, OUTSIDE, PLACES, Actors
from autograder.language.sentence import Paired
from autograder.stage.quiescence import Rest, Settled
from autograder.trial import hints
from autograder.trial.explain import Explainer, capital, list_of, shorten
from autograder.trial.facts import Facts
from autograder.trial.written import PID_OF, differing, whole_lines
from forklab.history import State, Tree, taken_by


@dataclass(frozen=True)
class Breach:
    """For whom an expectation does not hold, how the play came to rest, and how its tree should look."""

    names: Sequence[str]
    settled: Settled
    expected: Tree


@dataclass(frozen=True)
class Check:
    """One expectation in one play.

    `broken` answers for whom it does not hold now: names, or [""] for nobody in particular. It is asked again and
    again, at last with how the play came to rest. The others are asked once, when it is broken: for the `fact` that
    broke it, for a `hint` what to think about, and for the `badge` that each name gets in the picture: what should be.
    Facts and hints are sentences, or empty.
    """

    broken: Callable[[Settled | None], list[str]]
    fact: Callable[[Breach], str]
    hint: Callable[[Breach], str]
    badge: Callable[[str, Breach], str]

    def message(self, breach: Breach) -> str:
        return " ".join(filter(None, (self.fact(breach), self.hint(breach))))


class Checks:
    """Makes the checks of one play."""

    def __init__(self, facts: Facts, explainer: Explainer) -> None:
        self._facts = facts
        self._explainer = explainer

    def of(self, expected: Expectation) -> Check:
        facts, inherited = self._facts, self._facts.inherited()
        match expected:
            case IsAlive(actors):
                return Check(
                    broken=self._unless(actors, lambda name: not facts.is_dead(name)),
                    fact=self._standing(actors, "are not alive any more"),
                    hint=self._advice(),
                    badge=_always("should be running"),
                )
            case IsZombie(actors):
                return Check(
                    broken=self._unless(
                        actors, lambda name: facts.fate(name).state is State.ZOMBIE
                    ),
                    fact=self._standing(actors, "are no zombies"),
                    hint=self._advice(),
                    badge=_always("should be a zombie"),
                )
            case IsReaped(actors):
                return Check(
                    broken=self._unless(
                        actors, lambda name: facts.fate(name).state is State.REAPED
                    ),
                    fact=self._not_reaped(actors),
                    hint=self._advice(
                        self._of_an_init(lambda breach: hints.on_zombies(breach.settled.activity))
                    ),
                    badge=_should_be_reaped,
                )
            case IsChild(others=parent):
                pairs = expected.pairs()
                return Check(
                    broken=lambda _: [a for a, b in pairs if facts.fate(a).parent != b],
                    fact=self._other_parent,
                    hint=self._advice(),
                    badge=_always(f"should be a child of {parent}"),
                )
            case IsStopped(actors):
                return Check(
                    broken=self._unless(
                        actors, lambda name: facts.fate(name).state is State.STOPPED
                    ),
                    fact=self._standing(actors, "are not stopped"),
                    hint=self._advice(),
                    badge=_always("should be stopped"),
                )
            case GetsNothing(actors):
                return Check(
                    broken=self._unless(actors, lambda name: not facts.received(name)),
                    fact=lambda breach: self._got(breach.names[0], "got {}"),
                    hint=self._advice(self._of_an_init(_always(hints.PASS_ON_TO_NOBODY_ELSE))),
                    badge=_always("should get no signal"),
                )
            case Gets(actors, signal):
                return Check(
                    broken=self._unless(actors, lambda name: facts.received(name)[signal] > 0),
                    fact=lambda breach: self._got(
                        breach.names[0], f"did not get {signal}, but {{}}"
                    ),
                    hint=self._advice(self._of_an_init(_always(hints.PASS_ON))),
                    badge=_always(f"should get {signal}"),
                )
            case GetsExactly(actors, signal, times):
                wanted = f"{signal} {_times(times)}"
                return Check(
                    broken=self._unless(actors, lambda name: facts.received(name)[signal] == times),
                    fact=lambda breach: self._got(
                        breach.names[0], f"did not get {wanted}, but {{}}"
                    ),
                    hint=self._advice(self._of_an_init(_always(hints.PASS_ON))),
                    badge=_always(f"should get {wanted}"),
                )
            case GetsEverySignal(actors):
                return Check(
                    broken=self._unless(actors, lambda name: not self._missed(name)),
                    fact=lambda breach: (
                        f"{self._explainer.who(breach.names[0])} did not get "
                        f"{list_of(self._missed(breach.names[0]))}."
                    ),
                    hint=self._advice(self._of_an_init(_always(hints.PASS_ON))),
                    badge=_always("should get every signal"),
                )
            case HasExited(actors, status):
                return Check(
                    broken=self._unless(actors, lambda name: facts.exit_status(name) == status),
                    fact=self._instead_of(f"exiting with {status}"),
                    hint=self._beside_init(
                        lambda _: self._about_status(status) if self._subject in actors else ""
                    ),
                    badge=_always(f"should exit with {status}"),
                )
            case HasDied(actors, killer):
                return Check(
                    broken=self._unless(actors, lambda name: facts.killer(name) == killer),
                    fact=self._instead_of(f"dying by {killer}"),
                    hint=self._beside_init(_always("")),
                    badge=_always(f"should die by {killer}"),
                )
            case IsIdle():
                return Check(
                    broken=lambda settled: (
                        [] if settled and facts.is_idle(settled) else [self._subject]
                    ),
                    fact=self._restlessness,
                    hint=self._while_init_lives(_always(hints.SLEEP)),
                    badge=_always("should sleep"),
                )
            case StartsClean(actors):
                return Check(
                    broken=self._unless(actors, lambda name: not facts.amiss(name)),
                    fact=self._not_clean,
                    hint=self._of_an_init(_always(hints.CLEAN_UP)),
                    badge=_always("should start clean"),
                )
            case IsIn(actors, folder):
                return self._inheriting(
                    self._unless(actors, lambda name: inherited.is_in(name, folder)),
                    f"in {folder}",
                    lambda name: f"in {inherited.folder(name)}",
                )
            case HasVariable(actors, variable):
                return self._inheriting(
                    self._unless(actors, lambda name: inherited.has_variable(name, variable)),
                    f"with {variable}",
                    lambda name: f"with {inherited.variable(name, variable)}",
                )
            case HasUmask(actors, umask):
                return self._inheriting(
                    self._unless(actors, lambda name: inherited.umask(name) == umask),
                    f"with umask {umask}",
                    lambda name: f"with umask {inherited.umask(name)}",
                )
            case HasNiceValue(actors, nice):
                return self._inheriting(
                    self._unless(actors, lambda name: inherited.has_nice_value(name, nice)),
                    f"with nice value {nice}",
                    lambda name: f"with nice value {inherited.nice_value(name)}",
                )
            case TerminalIsAsBefore():
                return Check(
                    broken=lambda _: [] if inherited.terminal_is_as_before() else [""],
                    fact=_always(
                        "In the terminal's foreground is not the process group that was there when "
                        f"{self._subject} started."
                    ),
                    hint=self._beside_init(self._of_an_init(_always(hints.GIVE_THE_TERMINAL_BACK))),
                    badge=_always("should be as before"),
                )
            case ExitHandlerIsInits():
                return Check(
                    broken=lambda _: (
                        [self._subject] if facts.play.exit_handler_ran_in_a_child() else []
                    ),
                    fact=_always(
                        f"An exit handler of {facts.play.subject} has run in a child of it."
                    ),
                    hint=self._of_an_init(_always(hints.LEAVE_AT_ONCE)),
                    badge=_always("should run its exit handlers itself"),
                )
            case HasForked(actors, others):
                return Check(
                    broken=lambda settled: [] if settled and self._names(expected) else [*actors],
                    fact=lambda _: self._no_further_child(expected),
                    hint=self._advice(),
                    badge=_always(f"should have forked {others}"),
                )
            case HasChildren(actors, count):
                wanted = f"{count} child{'' if count == 1 else 'ren'}"
                return Check(
                    broken=self._unless(actors, lambda name: facts.play.children(name) == count),
                    fact=lambda breach: (
                        f"{capital(self._explainer.who(breach.names[0]))} has "
                        f"{facts.play.children(breach.names[0])} children instead of {count}."
                    ),
                    hint=self._advice(),
                    badge=_always(f"should have {wanted}"),
                )
            case HasArguments(actors, text):
                return Check(
                    broken=self._unless(
                        actors, lambda name: facts.arguments(name) == shlex.split(text)
                    ),
                    fact=lambda breach: (
                        f"{self._explainer.who(breach.names[0])} started with arguments "
                        f"{shlex.join(facts.arguments(breach.names[0]))!r} instead of {text!r}."
                    ),
                    hint=_always(""),
                    badge=_always(f"should start with arguments {text}"),
                )
            case EndsWith(actors, status):
                return Check(
                    broken=self._unless(actors, lambda name: facts.status_in_shell(name) == status),
                    fact=self._instead_of(f"ending with {status}"),
                    hint=self._beside_init(
                        lambda _: self._about_status(status) if self._subject in actors else ""
                    ),
                    badge=_always(f"should end with {status}"),
                )
            case IsInBand(band=band):
                return self._together(expected, band, True)
            case IsNotInBand(band=band):
                return self._together(expected, band, False)
            case LeadsBand(actors, band):
                return self._simply(
                    actors,
                    lambda name: facts.leads(name, band),
                    f"leads no {band}",
                    f"should lead a {band}",
                )
            case LeadsNoBand(actors, band):
                return self._simply(
                    actors,
                    lambda name: not facts.leads(name, band),
                    f"leads a {band}",
                    f"should lead no {band}",
                )
            case IsInPlace(actors, place):
                other = next(one for one in PLACES if one != place)
                return self._simply(
                    actors,
                    lambda name: inherited.is_in_foreground(name) is (place == FOREGROUND),
                    f"is in the {other}",
                    f"should be in the {place}",
                )
            case WritesTo():
                pairs = expected.pairs()
                return Check(
                    broken=lambda _: [a for a, b in pairs if not inherited.writes_to(a, b)],
                    fact=lambda breach: (
                        f"What {self._explainer.who(breach.names[0])} writes does not go through a "
                        f"pipe to {expected.others}."
                    ),
                    hint=self._advice(),
                    badge=_always(f"should write to {expected.others}"),
                )
            case HasAsStandard(actors, file, stream):
                return self._simply(
                    actors,
                    lambda name: inherited.has_open(name, stream, file),
                    f"has not {file} as standard {stream}",
                    f"should have {file} as standard {stream}",
                )
            case HasNoSpareDescriptors(actors):
                return Check(
                    broken=self._unless(actors, lambda name: not facts.spare_descriptors(name)),
                    fact=lambda breach: (
                        f"{self._explainer.who(breach.names[0])} started with more open than it needs: "
                        f"{facts.spare_descriptors(breach.names[0])}."
                    ),
                    hint=_always(""),
                    badge=_always("should start with no other descriptors"),
                )
            case HasRead(actors, text):
                wanted = whole_lines(text)
                return Check(
                    broken=self._unless(actors, lambda name: facts.line_read(name) == wanted),
                    fact=lambda breach: self._other_line(breach.names[0], wanted),
                    hint=self._advice(),
                    badge=_always(f"should read {wanted!r}"),
                )
            case HasFoundTheEnd(actors):
                return Check(
                    broken=self._unless(actors, lambda name: facts.line_read(name) == ""),
                    fact=lambda breach: self._other_line(breach.names[0], ""),
                    hint=self._advice(),
                    badge=_always("should find the end of file"),
                )
            case OutputIs(text):
                return self._written(facts.output, "output", whole_lines(text))
            case OutputInAnyOrder(text):
                return self._written(facts.output, "output", whole_lines(text), _sorted_lines)
            case ErrorOutputIs(text):
                return self._written(facts.error_output, "error output", whole_lines(text))
            case HasErrorOutput(text):
                return Check(
                    broken=lambda settled: (
                        [] if self._occurs(text, facts.error_output(), settled) else [""]
                    ),
                    fact=lambda _: (
                        f"The error output has no {text!r}; it is "
                        f"{shorten(facts.error_output()) or 'empty'}."
                    ),
                    hint=self._advice(),
                    badge=_always(f"should be {text!r}"),
                )
            case HasOutput(text):
                return Check(
                    broken=lambda settled: (
                        [] if self._occurs(text, facts.output(), settled) else [""]
                    ),
                    fact=lambda _: self._other_output(self._named(text)),
                    hint=self._advice(),
                    badge=_always(f"should be {text!r}"),
                )
            case NobodyIsLeft():
                return Check(
                    broken=lambda _: facts.left_over(),
                    fact=lambda breach: f"Still there: {list_of(breach.names)}.",
                    hint=self._advice(),
                    badge=_always("should be gone"),
                )
            case _:
                assert_never(expected)

    def _unless(
        self, actors: Actors, holds: Callable[[str], bool]
    ) -> Callable[[Settled | None], list[str]]:
        """For whom it does not hold. Of one that is not there yet nothing does; at rest that is told of it instead."""

        def broken(settled: Settled | None) -> list[str]:
            there = self._facts.play.is_there
            return [
                name for name in actors if (settled is None and not there(name)) or not holds(name)
            ]

        return broken

    def _advice(self, hint: Callable[[Breach], str] | None = None) -> Callable[[Breach], str]:
        """Where init stands, and the hint. Once it is gone there is only one thing to think about."""
        return self._while_init_lives(self._beside_init(hint or _always("")))

    def _while_init_lives(self, hint: Callable[[Breach], str]) -> Callable[[Breach], str]:
        def say(breach: Breach) -> str:
            if not self._facts.is_dead(self._subject):
                return hint(breach)
            return self._explainer.ended_early() if self._explainer.of_an_init else ""

        return say

    def _beside_init(self, hint: Callable[[Breach], str]) -> Callable[[Breach], str]:
        def say(breach: Breach) -> str:
            where = self._explainer.where_init_is(breach.settled)
            return " ".join(filter(None, (where, hint(breach))))

        return say

    def _of_an_init(self, hint: Callable[[Breach], str]) -> Callable[[Breach], str]:
        """A hint that is one only where the lab is about an init."""
        return hint if self._explainer.of_an_init else _always("")

    @property
    def _subject(self) -> str:
        return self._facts.play.subject.name

    def _about_status(self, wanted: int) -> str:
        facts = self._facts
        if not self._explainer.of_an_init:
            return ""
        main_ended = MAIN in facts.play.cast and facts.is_dead(MAIN)
        init_ended = facts.is_dead(self._subject)
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

    def _not_reaped(self, actors: Actors) -> Callable[[Breach], str]:
        standing = self._standing(actors, "are not reaped")

        def say(breach: Breach) -> str:
            name = breach.names[0]
            if len(breach.names) == 1 and self._facts.fate(name).state is State.ZOMBIE:
                who, ending = self._explainer.who(name), self._explainer.ending(name)
                return f"{who} {ending} and stayed a zombie."
            return standing(breach)

        return say

    def _other_parent(self, breach: Breach) -> str:
        name = breach.names[0]
        parent = self._facts.fate(name).parent
        if parent == OUTSIDE and not self._facts.play.subject.is_init:
            parent = "somebody whom the script does not name"
        stands = f"is a child of {parent}" if parent else self._explainer.standing(name)
        return f"{self._explainer.who(name)} {stands}."

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
        if self._facts.is_dead(self._subject):
            ending = f"{subject} {self._explainer.ending(self._subject)}: it is not asleep."
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

    def _not_clean(self, breach: Breach) -> str:
        name = breach.names[0]
        amiss = "; ".join(self._facts.amiss(name))
        return f"{self._explainer.who(name)} did not start clean: {amiss}."

    def _inheriting(
        self,
        broken: Callable[[Settled | None], list[str]],
        wanted: str,
        has: Callable[[str], str],
    ) -> Check:
        """Of what an actor has from init; `has` tells what it has instead of the `wanted`."""
        return Check(
            broken=broken,
            fact=lambda breach: (
                f"{self._explainer.who(breach.names[0])} started {has(breach.names[0])} "
                f"instead of {wanted}."
            ),
            hint=self._of_an_init(_always(hints.HAND_ON)),
            badge=_always(f"should start {wanted}"),
        )

    def _simply(
        self, actors: Actors, holds: Callable[[str], bool], instead: str, wanted: str
    ) -> Check:
        """Of which there is no more to tell than that it is not so: `instead` is a clause."""
        return Check(
            broken=self._unless(actors, holds),
            fact=lambda breach: f"{capital(self._explainer.who(breach.names[0]))} {instead}.",
            hint=self._advice(),
            badge=_always(wanted),
        )

    def _together(self, expected: Paired, band: str, wanted: bool) -> Check:
        facts, pairs = self._facts, expected.pairs()
        of = f"the {band} of {expected.others}"
        return Check(
            broken=lambda _: [a for a, b in pairs if facts.together(a, b, band) is not wanted],
            fact=lambda breach: (
                f"{capital(self._explainer.who(breach.names[0]))} is {'not ' if wanted else ''}in {of}."
            ),
            hint=self._advice(),
            badge=_always(f"should {'' if wanted else 'not '}be in {of}"),
        )

    def _other_line(self, name: str, wanted: str) -> str:
        line, who = self._facts.line_read(name), self._explainer.who(name)
        instead = f"instead of {wanted!r}" if wanted else "instead of the end of file"
        if line is None:
            return f"{who} has read nothing yet {instead}: it waits for a line, and for the end of file."
        return f"{who} has {f'read {line!r}' if line else 'found the end of file'} {instead}."

    def _occurs(self, text: str, written: str, settled: Settled | None) -> bool:
        """Raises ActorLostError at rest if it asks for the pid of one that is not there."""
        there = self._facts.play.is_there
        if settled is None and not all(map(there, PID_OF.findall(text))):
            return False
        return self._named(text) in written

    def _named(self, text: str) -> str:
        """A text with the pids that it asks for: {pid of sleepy}, as the subject knows it."""
        return PID_OF.sub(lambda match: str(self._facts.play.pid_inside(match[1])), text)

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

    def _written(
        self,
        written: Callable[[], str],
        what: str,
        wanted: str,
        ordered: Callable[[str], str] = str,
    ) -> Check:
        return Check(
            broken=lambda _: [] if ordered(written()) == ordered(self._named(wanted)) else [""],
            fact=lambda _: differing(
                what, self._named(wanted), written(), in_any_order=ordered is not str
            ),
            hint=_always(""),
            badge=_always(f"should write {wanted!r}"),
        )

    def _missed(self, name: str) -> list[str]:
        received = self._facts.received(name)
        return [signal for signal in EVERY_SIGNAL if not received[signal]]

    def _other_output(self, wanted: str) -> str:
        output = shorten(self._facts.output()) or "empty"
        return f"The output has no {wanted!r}; it is {output}."


def _always(words: str) -> Callable[..., str]:
    return lambda *_: words


def _should_be_reaped(name: str, breach: Breach) -> str:
    """By whom, if the model says that somebody has by now."""
    reaper = breach.expected[name].reaped_by if name in breach.expected else None
    return f"should be {taken_by(reaper)}" if reaper else "should be reaped"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _sorted_lines(text: str) -> str:
    return "".join(sorted(text.splitlines(keepends=True)))
