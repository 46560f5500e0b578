"""One submission on the stage, scenario after scenario; and what is done with a play that nobody could decide.

An error is never free for who causes it. What cannot be decided is played again alone, then with the reference solution
in the same place: if that works, it was the submission's doing, and it has failed; if not, it is the machine's trouble.
Where there is no reference (Gradescope gets none), it has failed if it was seen at it both times and this machine is
short of nothing. And what a submission has done several times is decided for all scenarios at once: each student takes
bounded time.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder.labs.scenario import Scenario
from autograder.language.deeds import Forks
from autograder.language.roles import PIDNS, VIRTUAL, Programs, isolation_of
from autograder.stage.company import alone, in_company
from autograder.stage.conduct import Conduct
from autograder.stage.errors import StageError
from autograder.stage.machine import Needs, refuse_if_short, shortage
from autograder.stage.stage import Stage
from autograder.stage.workspace import Workspace
from autograder.trial.decide import UndecidedError, judge, record
from autograder.trial.expected import Expected, Unknown
from autograder.trial.proof import NEEDED_FOR_A_PROOF, SECONDS, Proof, Standing
from autograder.trial.reference import Commands, Reference
from autograder.trial.verdict import Status, Verdict
from forklab.history import History
from forklab.steps.schedule import Schedule

_ENOUGH = 3  # plays in which it did the same

# How a reference, by its identity, has played a scenario in a mode, with a seed: once in a process, whoever is judged.
_RECORDED: dict[tuple[tuple[str, ...], Scenario, str, int], Expected] = {}


class Bench:
    """Judges what stands in `folder`, started by `commands`, beside a correct program."""

    def __init__(
        self,
        mode: str,
        workspace: Workspace,
        folder: Path,
        commands: Commands,
        reference: Reference,
        scenarios: Sequence[Scenario],
        *,
        seed: int = 0,
    ) -> None:
        """Raises StageError if this machine has no stage, or is too small for the largest of these scenarios."""
        self._mode = mode
        self._seed = seed
        self._workspace = workspace
        self._folder = folder
        self._commands = commands
        self._identity = reference.identity
        self._reference = functools.cache(reference.make_ready)
        self._conduct = Conduct()
        refuse_if_short(self._needs(*scenarios))
        self._stage: Stage | None = self._set_up(folder, self._conduct)
        self._rehearsals: Stage | None = None  # where plays go by schedules

    def close(self) -> None:
        for stage in filter(None, (self._stage, self._rehearsals)):
            stage.close()
        self._stage = self._rehearsals = None

    def judge(self, scenario: Scenario) -> Verdict:
        if isolation_of(self._mode) in scenario.modes and (known := self._known(scenario)):
            return Verdict.of(scenario, Status.FAILED, known)
        try:
            with in_company():
                return self._on_stage(scenario)
        except UndecidedError as undecided:
            first = undecided
            if self._conduct.obstructions:  # it did so before: no need to see it twice
                return self._blame(scenario, first, first)
        try:
            with alone():
                return self._on_stage(scenario)
        except UndecidedError as again:
            return self._blame(scenario, first, again)

    def prove(self, scenario: Scenario, seconds: float) -> Proof:
        """Over all schedules, in virtual time. Raises StageError."""
        with in_company():
            return self._proved(scenario, seconds)

    def _proved(self, scenario: Scenario, seconds: float) -> Proof:
        from autograder.trial.prove import prove  # here, and below: it brings the explorer along

        if isolation_of(self._mode) not in scenario.modes:
            why = f"it is only judged in mode {' or '.join(scenario.modes)}"
            return Proof(scenario.name, Standing.SKIPPED, reasons=(why,))
        stage, programs = self._by_schedules()
        return prove(scenario, programs, stage, lambda: self._recorded(scenario), seconds=seconds)

    def follow(self, scenario: Scenario, schedule: Schedule) -> tuple[Verdict, History]:
        """One play by its schedule, and all that happens in it.

        Raises UndecidedError if it cannot go so, StageError.
        """
        from autograder.trial.prove import told
        from autograder.trial.rehearsals import Rehearsals

        stage, programs = self._by_schedules()
        rehearsals = Rehearsals(scenario, programs, stage, lambda: self._recorded(scenario))
        rehearsals.grain = schedule.grain
        with in_company():
            seen = rehearsals.rehearse(schedule.moves)
        if seen.verdict is None:
            raise UndecidedError(seen.played.ended_early or "it has not come to its end")
        return seen.verdict, told(seen)

    def _by_schedules(self) -> tuple[Stage, Programs]:
        """Where plays go by schedules."""
        if self._rehearsals is None:
            self._rehearsals = Stage(
                VIRTUAL, self._workspace, self._folder, self._conduct, by_schedule=True
            )
        return self._rehearsals, _seen_at(self._rehearsals, self._commands)

    def _on_stage(self, scenario: Scenario) -> Verdict:
        """Raises UndecidedError, and the next play has a new stage then."""
        try:
            if self._stage is None:
                self._stage = self._set_up(self._folder, self._conduct)
            stage = self._stage
            programs = _seen_at(stage, self._commands)
            verdict = judge(scenario, programs, stage, lambda: self._recorded(scenario))
            if scenario.explored and verdict.status is Status.PASSED and stage.in_virtual_time:
                verdict = self._over_all_schedules(scenario, verdict)
            if verdict.status is Status.FAILED and (lack := shortage(self._needs(scenario))):
                raise UndecidedError(lack)
            return verdict
        except UndecidedError:
            self.close()
            raise
        except (StageError, OSError) as error:
            self.close()
            raise UndecidedError(str(error)) from error

    def _over_all_schedules(self, scenario: Scenario, passed: Verdict) -> Verdict:
        """One play has passed; the scenario asks for all that could have been."""
        if isolation_of(self._mode) != PIDNS:
            return replace(passed, proof=f"Not proved: {NEEDED_FOR_A_PROOF}.")
        proof = self._proved(scenario, SECONDS)
        words = f"{proof.words[:1].upper()}{proof.words[1:]}"
        if proof.loss is None:
            return replace(passed, proof=f"{words}.")
        return replace(proof.loss.verdict, proof=f"{words}: 'autograder prove' tells how.")

    def _set_up(self, folder: Path, conduct: Conduct | None = None) -> Stage:
        return Stage(self._mode, self._workspace, folder, conduct, seed=self._seed)

    def _recorded(self, scenario: Scenario) -> Expected:
        """How the reference solution plays it. Raises UndecidedError if that cannot be told."""
        key = self._identity, scenario, self._mode, self._seed
        if key not in _RECORDED:
            built = self._reference()
            if built is None:
                return Unknown()
            folder, commands = built
            with self._set_up(folder) as stage:
                _RECORDED[key] = record(scenario, _seen_at(stage, commands), stage)
        return _RECORDED[key]

    def _blame(
        self, scenario: Scenario, first: UndecidedError, undecided: UndecidedError
    ) -> Verdict:
        try:
            built = self._reference()
            if built is None:
                return self._blame_by_sight(scenario, first, undecided)
            folder, commands = built
            with alone(), self._set_up(folder) as stage:
                verdict = judge(scenario, _seen_at(stage, commands), stage)
        except (UndecidedError, StageError, OSError) as error:
            verdict = Verdict.of(scenario, Status.ERROR, str(error))
        if verdict.status is Status.PASSED:
            return self._failed(
                scenario,
                undecided,
                "The reference solution is judged without trouble in the same place.",
            )
        return Verdict.of(
            scenario,
            Status.ERROR,
            f"The grader failed, not you: {undecided.trouble}. The reference solution cannot be judged here either.",
        )

    def _blame_by_sight(
        self, scenario: Scenario, first: UndecidedError, again: UndecidedError
    ) -> Verdict:
        lack = shortage(self._needs(scenario))
        if first.doing and again.doing and not lack:
            return self._failed(scenario, again, "So it was each time that it was played.")
        return Verdict.of(
            scenario, Status.ERROR, f"The grader failed, not you: {lack or again.trouble}."
        )

    def _failed(self, scenario: Scenario, undecided: UndecidedError, proof: str) -> Verdict:
        self._conduct.obstructions.append(undecided.doing or undecided.trouble)
        return Verdict.of(
            scenario,
            Status.FAILED,
            "This play cannot be judged, and that is your program's doing: "
            f"{self._conduct.obstructions[-1]}. {proof}",
        )

    def _known(self, scenario: Scenario) -> str:
        """What is known of it already, so that this scenario need not be played; empty if nothing is."""
        conduct = self._conduct
        if len(conduct.obstructions) >= _ENOUGH:
            return (
                f"Not played: your program cannot be judged, as {_ENOUGH} plays have shown: "
                f"{conduct.obstructions[-1]}."
            )
        if conduct.spun_instead >= _ENOUGH and not conduct.started:
            return (
                f"Not played: {scenario.casting.subject} runs and runs but does not start its command. "
                f"So it was in each of {conduct.spun_instead} plays before."
            )
        if conduct.has_let_us_wait_too_long:
            return (
                f"Not played: your program has let us wait for its timers for {conduct.waited:.0f} seconds in the "
                "plays before. Let it sleep until something happens."
            )
        return ""

    def _needs(self, *scenarios: Scenario) -> Needs:
        """The largest play: init, main, and whoever is forked."""
        most = max(
            (
                sum(len(step.pairs()) for step in scenario.steps if isinstance(step, Forks))
                for scenario in scenarios
            ),
            default=0,
        )
        return Needs(most + 2, self._workspace.folder)


def _seen_at(stage: Stage, commands: Commands) -> Programs:
    return {name: command(stage.sandbox.folder) for name, command in commands.items()}
