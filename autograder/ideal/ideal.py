"""What a perfect init makes of a scenario: the expected History, and whether the script is true of it at all.

    steps -> perfect init on the ideal kernel -> expected History, at every line of the script

The judge lays the expected tree beside the observed one. A lab's own test asks for `contradictions`: an expectation
that not even a perfect init can meet is its author's error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.ideal.foresight import Foresight
from autograder.ideal.perfect import PerfectPlay
from autograder.language.beginnings import Beginning
from autograder.language.deeds import Deed
from autograder.language.expectations import HasExited
from autograder.language.roles import INIT, MAIN
from autograder.language.steps import Step
from forklab.history import History, Remark, State
from forklab.model import ModelError


@dataclass(frozen=True)
class Contradiction:
    """A line of a script that cannot be: `words` say why, as a sentence for its author."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"script line {self.line}: {self.words}"


@dataclass(frozen=True)
class _Moment:
    """How far the history had come once the step at `line` was over, and what there was to remark."""

    line: int
    processes: int
    events: int
    remarks: dict[str, Remark]


class Ideal:
    """The play of `steps` with a perfect init, in `mode` "pidns" or "subreaper".

    With a `command` instead of the actor `main`, what happens to init is what the script expects of it: the model
    knows no commands. `opaque` names the processes of which it only knows that they are there; comparisons leave them
    out.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        mode: str,
        command: Sequence[str] | None = None,
        terminal: bool = False,
    ) -> None:
        self.opaque = frozenset() if command is None else frozenset({MAIN})
        self.contradictions: tuple[Contradiction, ...] = ()
        self._play = PerfectPlay(mode, command, terminal)
        self._foresight = Foresight(self._play)
        self._held: dict[int, bool | None] = {}
        self._moments = [self._moment(0)]
        for step in steps:
            self._take(step)
            self._moments.append(self._moment(step.line))

    def expected_until(self, line: int) -> History:
        """What should have happened once the step at script line `line` is over; 0: before the first one."""
        moment, whole = self._at(line), self._play.history
        return History(whole.processes[: moment.processes], whole.events[: moment.events])

    def remarks(self, line: int) -> dict[str, Remark]:
        """What a drawing of that moment tells beyond the history: who is blocked waiting for whom, by name."""
        return dict(self._at(line).remarks)

    def holds(self, step: Step) -> bool | None:
        """Whether a perfect init satisfies the expectation `step`; None if the model cannot know, as of a command.

        For a deed: whether it can be performed; a beginning always can. Raises KeyError for a step of another script.
        """
        return self._held[step.line]

    def _take(self, step: Step) -> None:
        if isinstance(step, Beginning):
            self._play.begin(step)
            self._held[step.line] = True
        elif isinstance(step, Deed):
            self._foresight.next_deed()
            try:
                self._play.perform(step)
            except ModelError as error:
                self._contradict(step.line, f"This cannot be done: {error}.")
            else:
                self._held[step.line] = True
        elif self.opaque and not self._play.table[INIT].dead:
            if isinstance(step, HasExited) and not self._play.frozen:
                self._play.line = step.line
                self._play.suppose_main_exits(step.status)
            self._held[step.line] = None
        else:
            objections = self._foresight.objections(step)
            self._held[step.line] = True
            if objections:
                self._contradict(
                    step.line, "Not even with a perfect init: " + "; ".join(objections) + "."
                )

    def _contradict(self, line: int, words: str) -> None:
        self._held[line] = False
        self.contradictions += (Contradiction(line, words),)

    def _moment(self, line: int) -> _Moment:
        history = self._play.history
        return _Moment(line, len(history.processes), len(history.events), self._remarks())

    def _at(self, line: int) -> _Moment:
        return [moment for moment in self._moments if moment.line <= line][-1]

    def _remarks(self) -> dict[str, Remark]:
        remarks = {
            entry.name: Remark(State.WAITING, f"waiting for {entry.waits_for}")
            for entry in self._play.table
            if entry.state is State.WAITING
        }
        if self._play.table[INIT].state is not State.RUNNING:
            return remarks
        if self._play.frozen:
            return remarks | {INIT: Remark(words="frozen: it cannot run now")}
        return remarks | {INIT: Remark(State.WAITING, "waiting for any child")}
