"""Real plays of one scenario, each by a schedule: what the explorer learns from."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.labs.scenario import Scenario
from autograder.language.roles import Programs
from autograder.stage.rehearsed import RehearsedPlay
from autograder.stage.stage import Stage
from autograder.trial.begin import is_typed, start_of
from autograder.trial.decide import UndecidedError, judge_play
from autograder.trial.expected import Expected, Unknown
from autograder.trial.verdict import Verdict
from forklab.bounds import TimeIsUpError
from forklab.explore.runs import Runs
from forklab.jsonform import JsonObject
from forklab.lens.replay import Played
from forklab.steps.moves import Move
from forklab.steps.schedule import Grain, Schedule
from forklab.steps.state import KEYS, TERMINAL

_MOST_STEPS = 5_000


@dataclass(frozen=True)
class Rehearsed:
    """One play. `history` is as `History.to_json` has it, and `names` are those of the script by those that are in it.

    `verdict`: None if it came to none.
    """

    played: Played
    verdict: Verdict | None
    history: JsonObject
    names: Mapping[str, str]

    @property
    def outcome(self) -> Hashable:
        """As the state has it in the end."""
        return _outcome(self.verdict) if self.verdict is not None else None


def _outcome(verdict: Verdict) -> Hashable:
    """What of a verdict tells two ends apart."""
    return str(verdict.status), verdict.failed_step


class Rehearsals(Runs):
    """Plays one scenario, again and again."""

    def __init__(
        self,
        scenario: Scenario,
        programs: Programs,
        stage: Stage,
        recorded: Callable[[], Expected] = Unknown,
    ) -> None:
        """On a stage whose plays go by schedules. `recorded` is as `judge` has it. `until` is by `now`."""
        grain = Grain(shared=frozenset({TERMINAL, KEYS} if scenario.terminal else ()))
        super().__init__(grain=grain)
        self._scenario, self._stage, self._recorded = scenario, stage, recorded
        self._programs = programs

    def begin_by_memory(self) -> bool:
        """The judge goes by what has been, too."""
        return False

    def now(self) -> float:
        """Seconds on a processor so far: ours, and those of all plays that are over.

        By the clock on the wall, what is known of a program would depend on what else the machine does.
        """
        return time.process_time() + self._stage.sandbox.processor_seconds()

    def play_all(self, schedules: Iterable[Sequence[Move]]) -> Iterator[Played]:
        for steps in schedules:
            yield self.rehearse(steps).played

    def rehearse(self, steps: Sequence[Move]) -> Rehearsed:
        """These steps, then always the first that is possible. Raises TimeIsUpError."""
        if self.now() > self.until:
            raise TimeIsUpError
        scenario = self._scenario
        schedule = Schedule(tuple(steps), self.grain, _MOST_STEPS)
        with self._opened(schedule) as play:
            verdict, trouble = None, None
            try:
                verdict = judge_play(scenario, play, self._recorded, play.is_judged_by)
                play.is_over(_outcome(verdict))
            except UndecidedError as undecided:
                trouble = undecided.trouble
            rehearsed = Rehearsed(play.played(trouble), verdict, play.history, play.names)
        self._note(rehearsed.played)
        return rehearsed

    def _opened(self, schedule: Schedule) -> RehearsedPlay:
        """Raises UnableError, StageError, OSError."""
        scenario, stage = self._scenario, self._stage
        start = start_of(scenario, stage)
        command = scenario.command_line(self._programs, stage.main)
        play = RehearsedPlay(
            stage,
            command,
            schedule,
            terminal=scenario.terminal,
            start=start,
            casting=scenario.casting,
            typed=is_typed(scenario),
        )
        play.programs = self._programs
        return play
