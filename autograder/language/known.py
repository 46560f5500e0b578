"""What is known for certain of a play after some of its steps, whoever is judged: who is dead, who cannot act.

Most of it follows from the traits of the sentences; a few say more than that of those who come after.
"""

from __future__ import annotations

from autograder.language.beginnings import FreezesInitAfterFork, FreezesMainAfterFork, HoldsExits
from autograder.language.deeds import (
    Blocks,
    Catches,
    CatchesEverySignal,
    Deed,
    Dies,
    EndsInput,
    Exits,
    ExitsLater,
    Freezes,
    Ignores,
    Reaps,
    Runs,
    Sends,
    SendsOften,
    Stops,
    Thaws,
    ThawsMain,
)
from autograder.language.every_signal import EVERY_SIGNAL
from autograder.language.expectations import (
    EndsWith,
    HasDied,
    HasExited,
    IsReaped,
    IsZombie,
)
from autograder.language.roles import INIT, MAIN, Casting
from autograder.language.services import Controls
from autograder.language.steps import Step


class Known:
    """What is certain once each step that was noted is done, or has come true. A line that is 0 has not come yet."""

    def __init__(self, casting: Casting) -> None:
        self.subject = casting.subject.name
        self.parent: dict[str, str] = {MAIN: self.subject} if casting.main else {}  # of an actor
        self.subject_acts = casting.subject.is_actor
        if self.subject_acts:
            self.parent = {MAIN: INIT}
        self.executes: dict[str, int] = {}  # who is an actor no more, and since which line
        self.made: dict[str, str] = {}  # whom the subject has made that is no actor, and its parent
        self.begun = 0  # the line of the first step that is no beginning
        self.input_ended = 0
        self.controlled = 0  # the line of the last command for a service manager
        self.ended: dict[str, int] = {}  # who is dead, and since which line
        self.reaped: dict[str, int] = {}
        self.busy: dict[str, str] = {}  # who cannot act for now, and why
        self.ignored: set[tuple[str, str]] = set()
        self.kept: set[str] = (
            set()
        )  # signals that somebody catches or blocks: children inherit that
        self.init_ended = 0
        self.frozen = 0
        self.main_frozen = 0
        self.exits_held = False

    def note(self, step: Step) -> None:
        """What is certain once the step is done, or the expectation has come true."""
        if isinstance(step, Deed) and step.traits.frees_others:
            self.busy.clear()
        if isinstance(step, Freezes | Thaws):
            self.frozen = step.line if isinstance(step, Freezes) else 0
        elif isinstance(step, EndsInput):
            self.input_ended = step.line
        elif isinstance(step, Controls):
            self.controlled = step.line
        elif isinstance(step, FreezesInitAfterFork):
            self.frozen = step.line
        elif isinstance(step, FreezesMainAfterFork):
            self.main_frozen = step.line
        elif isinstance(step, ThawsMain):
            self.main_frozen = 0
        elif isinstance(step, HoldsExits):
            self.exits_held = True
        elif isinstance(step, CatchesEverySignal):
            self.ignored = {(name, what) for name, what in self.ignored if name not in step.actors}
            self.kept |= {*EVERY_SIGNAL}
        elif isinstance(step, Ignores):
            self.ignored |= {(name, step.signal) for name in step.actors}
        elif isinstance(step, Runs):
            self.executes |= dict.fromkeys(step.actors, step.line)
        elif isinstance(step, Catches | Blocks | ExitsLater):
            self.ignored -= {(name, step.signal) for name in step.actors}
            self.kept.add(step.signal)
        elif isinstance(step, Stops):
            for name in step.actors:
                self.busy[name] = f"is stopped since line {step.line}, until it continues"
        elif isinstance(step, Reaps):
            self._note_reaping(step)
        elif isinstance(
            step, Exits | Dies | EndsWith | HasExited | HasDied | IsZombie | IsReaped
        ) or (isinstance(step, Sends | SendsOften) and step.signal == "SIGKILL"):
            self._note_ends(step)

    def _note_reaping(self, step: Reaps) -> None:
        for parent, child in step.pairs():
            if child not in self.ended:
                self.busy[parent] = f"waits for {child} since line {step.line}, which is not dead"
            self.reaped.setdefault(child, step.line)

    def _note_ends(
        self,
        step: Exits
        | Dies
        | EndsWith
        | HasExited
        | HasDied
        | IsZombie
        | IsReaped
        | Sends
        | SendsOften,
    ) -> None:
        for name in step.actors:
            if name != self.subject or self.subject_acts:
                self.ended.setdefault(name, step.line)
            elif isinstance(step, HasExited | HasDied | EndsWith):
                self.init_ended = self.init_ended or step.line
