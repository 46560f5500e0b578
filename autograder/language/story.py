"""What is known for certain of a play after some of its steps, and which step cannot follow from that.

Whether a sentence fits into the story follows from its traits; a few say more than that of those who come after.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from autograder.language.beginnings import (
    Beginning,
    FreezesInitAfterFork,
    FreezesMainAfterFork,
)
from autograder.language.deeds import (
    Blocks,
    Catches,
    CatchesEverySignal,
    Continues,
    Deed,
    Dies,
    Exits,
    Forks,
    Freezes,
    Ignores,
    Reaps,
    Sends,
    SendsEverySignal,
    SendsOften,
    Stops,
    Thaws,
    ThawsMain,
)
from autograder.language.every_signal import EVERY_SIGNAL
from autograder.language.expectations import (
    Gets,
    GetsExactly,
    HasDied,
    HasExited,
    IsReaped,
    IsZombie,
)
from autograder.language.grammar import write_line
from autograder.language.problems import Problem
from autograder.language.roles import INIT, MAIN, MOST_ACTORS, PIDNS
from autograder.language.sentence import Doer
from autograder.language.steps import Step
from forklab.kernel.signals import DROPPED_BY_DEFAULT


def problem_with(step: Step, what: str, mend: str = "") -> Problem:
    """One that quotes the step."""
    line = write_line(step)
    return Problem(step.line, line, f"'{line}': {what}", mend)


class Story:
    """A play so far; `problems` are what was wrong with its steps."""

    def __init__(self, modes: Sequence[str], command: bool) -> None:
        self.problems: list[Problem] = []
        self._modes = modes
        self._command = command
        self._parent: dict[str, str] = {} if command else {MAIN: INIT}
        self._ended: dict[str, int] = {}  # who is dead, and since which line
        self._reaped: dict[str, int] = {}
        self._busy: dict[str, str] = {}  # who cannot act for now, and why
        self._ignored: set[tuple[str, str]] = set()
        self._kept: set[str] = (
            set()
        )  # signals that somebody catches or blocks: children inherit that
        self._init_ended = 0
        self._frozen = 0
        self._main_frozen = 0
        self._begun = 0  # the line of the first step that is no beginning
        self._complained: set[str] = set()

    def add(self, step: Step) -> None:
        """Takes one more step, or complains about it: once a step, the rest would follow from the first."""
        before = len(self.problems)
        if isinstance(step, Beginning):
            self._begin(step)
        elif self._all_known(step) and self._can_be_done(step):
            self._begun = self._begun or step.line
            if isinstance(step, Forks):
                self._fork(step)
            elif isinstance(step, Reaps):
                self._reap(step)
            elif isinstance(step, Freezes | Thaws):
                self._freeze_or_thaw(step)
            elif isinstance(step, ThawsMain) and not self._main_frozen:
                mend = "Begin with 'freeze main after the fork'."
                self._complain(step, "main is not frozen", mend)
            elif isinstance(step, Gets | GetsExactly):
                self._expect_signal(step)
        if len(self.problems) == before:
            self._note(step)

    def _begin(self, step: Beginning) -> None:
        frozen = self._frozen or self._main_frozen
        if self._begun:
            what = f"init has been started by then (line {self._begun})"
            self._complain(step, what, "How init starts is said before everything else.")
        elif step.traits.main_may_never_play and not self._command:
            what = "main may be killed before it can play, and no script could rely on it"
            self._complain(step, what, 'Let init start a command: command = ["sleep", "infinity"]')
        elif isinstance(step, FreezesInitAfterFork | FreezesMainAfterFork) and frozen:
            self._complain(step, f"somebody is frozen already (line {frozen})")

    def _complain(self, step: Step, what: str, mend: str = "") -> None:
        self.problems.append(problem_with(step, what, mend))

    def _all_known(self, step: Step) -> bool:
        named = step.named[:1] if isinstance(step, Forks) else step.named
        for name in (name for actors in named for name in actors):
            if name in self._complained:
                return False
            if name == INIT:
                continue
            if self._command:
                what = "there are no actors, for init starts `command` instead of main"
                mend = "Expect something of init or of the output, or leave `command` away."
            elif name not in self._parent:
                what = f"nobody has forked {name}"
                near = get_close_matches(name, (*self._parent, INIT), n=1)
                mend = (
                    f"Did you mean '{near[0]}'?" if near else f"Write 'main forks {name}' before."
                )
            else:
                continue
            self._complain(step, what, mend)
            self._complained.add(name)
            return False
        return True

    def _can_be_done(self, step: Step) -> bool:
        sends = isinstance(step, Sends | SendsOften | SendsEverySignal)
        if sends and self._init_ended and INIT in step.named[0]:
            what = f"init has ended (line {self._init_ended}): it gets no signal any more"
            self._complain(step, what)
            return False
        if not step.traits.actors_only:
            return True
        acts_itself = isinstance(step, Deed) and step.traits.doer is Doer.ACTOR
        for name in step.named[0]:
            if name == INIT:
                self._complain_about_init(step)
            elif not acts_itself:
                continue
            elif name in self._ended:
                self._complain(step, f"{name} is dead since line {self._ended[name]}")
            elif name in self._busy:
                self._complain(step, f"{name} {self._busy[name]}")
            elif self._init_ended and PIDNS in self._modes:
                self._complain(
                    step,
                    f"init has ended (line {self._init_ended}), and everybody in its PID namespace with it",
                    'Put the step before that, or play in one mode only: modes = ["subreaper"].',
                )
            else:
                continue
            return False
        return True

    def _complain_about_init(self, step: Step) -> None:
        if not isinstance(step, Deed):
            self._complain(step, "only an actor can tell that, and init is none")
        elif step.traits.doer is Doer.ACTOR:
            what = "init is the program that is judged, it follows no script"
            self._complain(step, what, "Let main or one of its descendants do it.")
        else:
            mend = "Did you mean 'send SIGCONT to init'?" if isinstance(step, Continues) else ""
            self._complain(step, "init is no actor", mend)

    def _fork(self, step: Forks) -> None:
        for parent, child in step.pairs():
            if child == INIT:
                self._complain(
                    step, "init is the program that is judged", "Give the child another name."
                )
            elif child == MAIN:
                self._complain(step, "main is there from the start: init forks it")
            elif child in self._parent:
                mend = "Give the children different names."
                self._complain(step, f"there is a {child} already", mend)
            elif len(self._parent) >= MOST_ACTORS:
                self._complain(step, f"a play has {MOST_ACTORS} actors at most")
            else:
                self._parent[child] = parent
                continue
            return

    def _reap(self, step: Reaps) -> None:
        for parent, child in step.pairs():
            if self._parent.get(child) != parent:
                whose = f"a child of {self._parent[child]}" if child in self._parent else "no actor"
                self._complain(step, f"{child} is {whose}: only a parent can wait for it (wait(2))")
            elif child in self._reaped:
                self._complain(step, f"{child} is reaped already (line {self._reaped[child]})")
            else:
                continue
            return

    def _freeze_or_thaw(self, step: Freezes | Thaws) -> None:
        if isinstance(step, Freezes) and self._frozen:
            self._complain(step, f"init is frozen already (line {self._frozen})")
        elif isinstance(step, Thaws) and not self._frozen:
            self._complain(step, "init is not frozen", "Write 'freeze init' before.")
        elif self._init_ended:
            self._complain(step, f"init has ended (line {self._init_ended})")

    def _expect_signal(self, step: Gets | GetsExactly) -> None:
        if isinstance(step, GetsExactly) and step.times == 0:
            return  # also who cannot notice a signal gets it no times
        for name in step.actors:
            if (name, step.signal) in self._ignored:
                what = f"{name} ignores {step.signal}: the kernel drops it and nobody can tell"
                self._complain(step, what, f"Let {name} catch it: '{name} catches {step.signal}'.")
                return
            if step.signal in DROPPED_BY_DEFAULT and step.signal not in self._kept:
                what = f"{step.signal} does nothing to a process that does not catch it, so nobody can tell"
                self._complain(step, what, f"Write '{name} catches {step.signal}' before.")
                return

    def _note(self, step: Step) -> None:
        """What is certain once the step is done, or the expectation has come true."""
        if isinstance(step, Deed) and step.traits.frees_others:
            self._busy.clear()
        if isinstance(step, Freezes | Thaws):
            self._frozen = step.line if isinstance(step, Freezes) else 0
        elif isinstance(step, FreezesInitAfterFork):
            self._frozen = step.line
        elif isinstance(step, FreezesMainAfterFork):
            self._main_frozen = step.line
        elif isinstance(step, ThawsMain):
            self._main_frozen = 0
        elif isinstance(step, CatchesEverySignal):
            self._ignored = {
                (name, what) for name, what in self._ignored if name not in step.actors
            }
            self._kept |= {*EVERY_SIGNAL}
        elif isinstance(step, Ignores):
            self._ignored |= {(name, step.signal) for name in step.actors}
        elif isinstance(step, Catches | Blocks):
            self._ignored -= {(name, step.signal) for name in step.actors}
            self._kept.add(step.signal)
        elif isinstance(step, Stops):
            for name in step.actors:
                self._busy[name] = f"is stopped since line {step.line}, until it continues"
        elif isinstance(step, Reaps):
            self._note_reaping(step)
        elif isinstance(step, Exits | Dies | HasExited | HasDied | IsZombie | IsReaped) or (
            isinstance(step, Sends | SendsOften) and step.signal == "SIGKILL"
        ):
            self._note_ends(step)

    def _note_reaping(self, step: Reaps) -> None:
        for parent, child in step.pairs():
            if child not in self._ended:
                self._busy[parent] = f"waits for {child} since line {step.line}, which is not dead"
            self._reaped.setdefault(child, step.line)

    def _note_ends(
        self, step: Exits | Dies | HasExited | HasDied | IsZombie | IsReaped | Sends | SendsOften
    ) -> None:
        for name in step.actors:
            if name != INIT:
                self._ended.setdefault(name, step.line)
            elif isinstance(step, HasExited | HasDied):
                self._init_ended = self._init_ended or step.line
