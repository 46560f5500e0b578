"""Which step of a play cannot follow from those before it, and why; most of it by the traits of the sentences."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from autograder.language.beginnings import (
    Beginning,
    FreezesInitAfterFork,
    FreezesMainAfterFork,
    HoldsExits,
    StartsAsJob,
)
from autograder.language.deeds import (
    Continues,
    Deed,
    EndsInput,
    Forks,
    Freezes,
    LetsExit,
    Presses,
    Reaps,
    Sends,
    SendsAtAnyMoment,
    SendsEverySignal,
    SendsOften,
    Thaws,
    ThawsMain,
    Types,
)
from autograder.language.expectations import (
    Gets,
    GetsExactly,
    HasForked,
    HasRun,
    IsChild,
)
from autograder.language.grammar import write_line
from autograder.language.known import Known
from autograder.language.problems import Problem
from autograder.language.roles import INIT, MAIN, MOST_ACTORS, PIDNS, Casting
from autograder.language.sentence import Doer
from autograder.language.services import Controls, CtlEnds
from autograder.language.steps import Step
from forklab.kernel.signals import DROPPED_BY_DEFAULT

# A shell's job has a session leader beside it, and frozen after a fork is who PID 1 has forked: no command is.
_OF_AN_INIT = (StartsAsJob, FreezesInitAfterFork, FreezesMainAfterFork)


def problem_with(step: Step, what: str, mend: str = "") -> Problem:
    """One that quotes the step."""
    line = write_line(step)
    return Problem(step.line, line, f"'{line}': {what}", mend)


class Story:
    """A play so far; `problems` are what was wrong with its steps."""

    def __init__(self, modes: Sequence[str], casting: Casting, terminal: bool) -> None:
        self.problems: list[Problem] = []
        self._modes = modes
        self._casting = casting
        self._terminal = terminal
        self._subject = casting.subject.name
        self._known = Known(casting)
        self._complained: set[str] = set()

    def add(self, step: Step) -> None:
        """Takes one more step, or complains about it: once a step, the rest would follow from the first."""
        before = len(self.problems)
        if isinstance(step, Beginning):
            self._begin(step)
        elif self._all_known(step) and self._can_be_done(step):
            self._known.begun = self._known.begun or step.line
            if isinstance(step, Forks):
                self._fork(step)
            elif isinstance(step, Reaps):
                self._reap(step)
            elif isinstance(step, Freezes | Thaws):
                self._freeze_or_thaw(step)
            elif isinstance(step, ThawsMain) and not self._known.main_frozen:
                mend = "Begin with 'freeze main after the fork'."
                self._complain(step, "main is not frozen", mend)
            elif isinstance(step, Gets | GetsExactly):
                self._expect_signal(step)
            elif isinstance(step, HasForked):
                self._name(step)
            elif isinstance(step, HasRun):
                self._expect_runs(step)
            elif isinstance(step, Types | Presses | EndsInput | Controls):
                self._type(step)
            elif isinstance(step, CtlEnds) and not self._known.controlled:
                self._complain(step, "there was no command", "Write 'ctl start web' before.")
            elif isinstance(step, LetsExit) and not self._known.exits_held:
                self._complain(step, "nobody is held", "Begin with 'hold every exit'.")
        if len(self.problems) == before:
            self._known.note(step)

    def _begin(self, step: Beginning) -> None:
        frozen = self._known.frozen or self._known.main_frozen
        if self._known.begun:
            what = f"{self._subject} has been started by then (line {self._known.begun})"
            mend = f"How {self._subject} starts is said before everything else."
            self._complain(step, what, mend)
        elif isinstance(step, _OF_AN_INIT) and not self._casting.subject.is_init:
            self._complain(step, f"{self._subject} is no init here, so it is not started like that")
        elif step.traits.main_may_never_play and self._casting.main:
            what = "main may be killed before it can play, and no script could rely on it"
            self._complain(step, what, 'Let init start a command: command = ["sleep", "infinity"]')
        elif isinstance(step, FreezesInitAfterFork | FreezesMainAfterFork) and frozen:
            self._complain(step, f"somebody is frozen already (line {frozen})")
        elif isinstance(step, HoldsExits) and self._has_actors():
            what = "actors exit when the script says so, and there is no other exit to be held"
            self._complain(step, what, "Hold exits where the subject makes processes of its own.")

    def _has_actors(self) -> bool:
        casting = self._casting
        return casting.subject.is_init or casting.main or bool(casting.commands)

    def _complain(self, step: Step, what: str, mend: str = "") -> None:
        self.problems.append(problem_with(step, what, mend))

    def _all_known(self, step: Step) -> bool:
        named = step.named[:1] if isinstance(step, Forks | HasForked) else step.named
        for name in (name for actors in named for name in actors):
            if name in self._complained:
                return False
            if name in (self._subject, *self._known.parent, *self._known.made):
                continue
            if self._casting.is_command(name):
                continue
            if name == INIT and isinstance(step, IsChild) and name in step.others:
                continue
            what, mend = self._why_unknown(name)
            self._complain(step, what, mend)
            self._complained.add(name)
            return False
        return True

    def _why_unknown(self, name: str) -> tuple[str, str]:
        subject = self._subject
        if name == INIT:
            return "init is our own here, and only has children", f"Did you mean '{subject}'?"
        known = (*self._known.parent, *self._known.made, *self._casting.commands)
        if not known:
            what = "there are no actors, for init starts `command` instead of main"
            if not self._casting.subject.is_init:
                what = "there are no actors: `run` has no {main}, and the lab no `commands`"
            return (
                what,
                f"Expect something of {subject} or of the output, or leave `command` away."
                if self._casting.subject.is_init
                else f"Expect something of {subject} or of the output.",
            )
        near = get_close_matches(name, (*known, subject), n=1)
        first = next(iter(known))
        mend = f"Did you mean '{near[0]}'?" if near else f"Write '{first} forks {name}' before."
        return f"nobody has forked {name}", mend

    def _can_be_done(self, step: Step) -> bool:
        sends = isinstance(step, Sends | SendsOften | SendsEverySignal)
        if sends and self._known.init_ended and self._subject in step.named[0]:
            what = f"{self._subject} has ended (line {self._known.init_ended}): it gets no signal any more"
            self._complain(step, what)
            return False
        if isinstance(step, SendsAtAnyMoment) and self._known.init_ended:
            self._complain(step, f"{self._subject} has ended (line {self._known.init_ended})")
            return False
        if not step.traits.actors_only:
            return True
        acts_itself = isinstance(step, Deed) and step.traits.doer is Doer.ACTOR
        for name in step.named[0]:
            if name == self._subject and not self._casting.subject.is_actor:
                self._complain_about_subject(step)
            elif name in self._known.executes:
                since = f"runs another program since line {self._known.executes[name]}"
                self._complain(step, f"{name} {since}, and follows no script")
            elif name in self._known.made:
                what = f"{name} is no actor: {self._subject} has made it, and it follows no script"
                self._complain(step, what)
            elif not acts_itself:
                continue
            elif name in self._known.ended:
                self._complain(step, f"{name} is dead since line {self._known.ended[name]}")
            elif name in self._known.busy:
                self._complain(step, f"{name} {self._known.busy[name]}")
            elif self._known.init_ended and self._falls_with_subject():
                self._complain(
                    step,
                    f"init has ended (line {self._known.init_ended}), and everybody in its PID namespace with it",
                    'Put the step before that, or play in one mode only: modes = ["subreaper"].',
                )
            else:
                continue
            return False
        return True

    def _falls_with_subject(self) -> bool:
        """Whether the kernel kills everybody else when it ends, as with PID 1."""
        return self._casting.subject.is_init and PIDNS in self._modes

    def _complain_about_subject(self, step: Step) -> None:
        name = self._subject
        if not isinstance(step, Deed):
            self._complain(step, f"only an actor can tell that, and {name} is none")
        elif step.traits.doer is Doer.ACTOR:
            what = f"{name} is the program that is judged, it follows no script"
            self._complain(step, what, "Let main or one of its descendants do it.")
        else:
            mend = f"Did you mean 'send SIGCONT to {name}'?" if isinstance(step, Continues) else ""
            self._complain(step, f"{name} is no actor", mend)

    def _name(self, step: HasForked) -> None:
        for parent, child in step.pairs():
            if self._is_taken(child):
                self._complain(step, f"there is a {child} already", "Give it another name.")
                return
            self._known.made[child] = parent

    def _expect_runs(self, step: HasRun) -> None:
        for name in step.actors:
            if name not in self._casting.commands:
                mend = f'Say it in the lab: commands = ["{name}"]'
                self._complain(step, f"{name} is no command, and nobody can run it", mend)
                return

    def _is_taken(self, name: str) -> bool:
        taken = (self._subject, INIT, MAIN, *self._known.parent, *self._known.made)
        return name in taken or self._casting.is_command(name)

    def _type(self, step: Types | Presses | EndsInput | Controls) -> None:
        if self._known.input_ended:
            self._complain(step, f"the input has ended (line {self._known.input_ended})")
        elif isinstance(step, Presses) and not self._terminal:
            self._complain(step, "there is no terminal", "Add a line: terminal = true")
        elif isinstance(step, EndsInput) and self._terminal:
            self._complain(step, "a terminal has no end", "Did you mean 'press ^D'?")

    def _fork(self, step: Forks) -> None:
        for parent, child in step.pairs():
            if child == self._subject and child != MAIN:
                what = f"{child} is the program that is judged"
                self._complain(step, what, "Give the child another name.")
            elif child == INIT:
                self._complain(step, "init is our own here", "Give the child another name.")
            elif child == MAIN:
                forks = "" if self._subject == MAIN else f": {self._subject} forks it"
                self._complain(step, f"main is there from the start{forks}")
            elif self._casting.is_command(child):
                what = f"{child} is a command: {self._subject} starts it, or nobody does"
                self._complain(step, what, "Give the child another name.")
            elif child in self._known.parent or child in self._known.made:
                mend = "Give the children different names."
                self._complain(step, f"there is a {child} already", mend)
            elif len(self._known.parent) >= MOST_ACTORS:
                self._complain(step, f"a play has {MOST_ACTORS} actors at most")
            else:
                self._known.parent[child] = parent
                continue
            return

    def _reap(self, step: Reaps) -> None:
        for parent, child in step.pairs():
            if self._known.parent.get(child) != parent:
                whose = (
                    f"a child of {self._known.parent[child]}"
                    if child in self._known.parent
                    else "no actor"
                )
                self._complain(step, f"{child} is {whose}: only a parent can wait for it (wait(2))")
            elif child in self._known.reaped:
                self._complain(
                    step, f"{child} is reaped already (line {self._known.reaped[child]})"
                )
            else:
                continue
            return

    def _freeze_or_thaw(self, step: Freezes | Thaws) -> None:
        if isinstance(step, Freezes) and self._known.frozen:
            self._complain(step, f"{self._subject} is frozen already (line {self._known.frozen})")
        elif isinstance(step, Thaws) and not self._known.frozen:
            mend = f"Write 'freeze {self._subject}' before."
            self._complain(step, f"{self._subject} is not frozen", mend)
        elif self._known.init_ended:
            self._complain(step, f"{self._subject} has ended (line {self._known.init_ended})")

    def _expect_signal(self, step: Gets | GetsExactly) -> None:
        if isinstance(step, GetsExactly) and step.times == 0:
            return  # also who cannot notice a signal gets it no times
        for name in step.actors:
            if (name, step.signal) in self._known.ignored:
                what = f"{name} ignores {step.signal}: the kernel drops it and nobody can tell"
                self._complain(step, what, f"Let {name} catch it: '{name} catches {step.signal}'.")
                return
            if step.signal in DROPPED_BY_DEFAULT and step.signal not in self._known.kept:
                what = f"{step.signal} does nothing to a process that does not catch it, so nobody can tell"
                self._complain(step, what, f"Write '{name} catches {step.signal}' before.")
                return
