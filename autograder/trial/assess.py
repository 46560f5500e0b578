"""One submission, or one init of this machine, by all the scenarios that it is to be judged by.

`ready` is for whoever has plays of another kind: it builds a submission, and gives benches on which it can be judged.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.labs.solution import digests_of_solution
from autograder.language.roles import PIDNS, VIRTUAL, isolation_of
from autograder.stage.company import alone
from autograder.stage.contained import Completed, run_contained
from autograder.stage.endurance import Endurance
from autograder.stage.errors import SHORTAGES, ExcessError, NeverEndsError, StageError
from autograder.stage.isolation import choose, lacks, probe, refusal_of_virtual_time
from autograder.stage.machine import Needs, refusal, shortage
from autograder.stage.workspace import Workspace
from autograder.submission.build import BuiltProgram, build_all
from autograder.submission.installed import find_installed
from autograder.submission.intake import BuildError
from autograder.trial.bench import Bench
from autograder.trial.proof import NEEDED_FOR_A_PROOF, Proof
from autograder.trial.reference import NO_REFERENCE, Commands, Reference
from autograder.trial.verdict import Assessment, Hindrance, Status, Verdict
from forklab.history import History
from forklab.steps.schedule import Schedule

_OF_A_BUILD = Endurance(processor=60.0, asleep=60.0, machine=600.0)
_IN_A_BUILD = 8  # processes at a time: make, a shell, and what a compiler starts


@dataclass(frozen=True)
class Ready:
    """A submission that is built, in a workspace of its own; `remarks` are about the build."""

    mode: str
    remarks: str
    _workspace: Workspace
    _folder: Path
    _commands: Commands
    _reference: Reference

    def bench(self, scenarios: Sequence[Scenario] = (), *, seed: int = 0) -> Bench:
        """A new one, on which nothing is known of the submission yet. Raises StageError, as Bench does."""
        return Bench(
            self.mode,
            self._workspace,
            self._folder,
            self._commands,
            self._reference,
            scenarios,
            seed=seed,
        )


@contextlib.contextmanager
def ready(lab: Lab, submission: Path, mode: str | None = None) -> Iterator[Ready]:
    """Builds a submission. Raises BuildError, which tells its author why; StageError if there is no stage at all."""
    mode = choose(mode).mode
    with Workspace() as workspace:
        run = _builder(mode, workspace)
        folder = workspace.subfolder()
        reference = _reference(lab, mode, workspace)
        try:
            programs = build_all(submission, folder, run, lab.bill.programs)
        except NeverEndsError as never:
            if reference.make_ready() is None:
                raise StageError(f"{never}: this machine is too busy") from None
            raise BuildError(
                f"The build was stopped: {never}, while the lab's own solution can be built here.\n"
                "  Is there a loop without end, or a wait for something that never comes?"
            ) from None
        except BuildError as failure:
            if lack := shortage(Needs(_IN_A_BUILD, workspace.folder)):
                raise StageError(f"nothing can be built on this machine: {lack}") from None
            if not any(os.strerror(short) in str(failure) for short in SHORTAGES):
                raise
            # Others may have used up something for a moment. Whoever only says so gains nothing by it.
            folder = workspace.subfolder()
            with alone():
                programs = build_all(submission, folder, run, lab.bill.programs)
        remarks = "\n".join(dict.fromkeys(one.remarks for one in programs.values() if one.remarks))
        yield Ready(mode, remarks, workspace, folder, _commands(programs), reference)


def assess(
    lab: Lab,
    submission: Path,
    *,
    mode: str | None = None,
    scenarios: Sequence[Scenario] | None = None,
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
    seed: int = 0,
) -> Assessment:
    """Judges one submission by every scenario of the lab, or by those given; tells each verdict as it comes.

    In virtual time `seed` decides who is next where several can go on: the same seed gives the same plays.
    A build that fails is a verdict: every scenario fails with the compiler's words. Where the machine is short of
    something, what is still to be judged is an error, with the remedy. Never raises for a student's doing; raises
    StageError if this machine has no stage at all.
    """
    mode = choose(mode).mode
    chosen = lab.scenarios if scenarios is None else scenarios
    verdicts: list[Verdict] = []
    try:
        with (
            ready(lab, submission, mode) as built,
            contextlib.closing(built.bench(chosen, seed=seed)) as bench,
        ):
            for scenario in chosen:
                started = time.monotonic()
                verdict = bench.judge(scenario)
                verdicts.append(replace(verdict, seconds=time.monotonic() - started))
                on_verdict(verdicts[-1])
    except BuildError as failure:
        verdicts = [Verdict.of(scenario, Status.FAILED, str(failure)) for scenario in chosen]
        hindrance = Hindrance.NOT_BUILT
        return Assessment(lab.name, mode, tuple(verdicts), lacks(mode), hindrance=hindrance)
    except OSError as error:
        why = refusal(error, Needs(_IN_A_BUILD, Path(tempfile.gettempdir())))
        if not why:
            raise
        words = f"The grader failed, not you: {why}."
        left = [Verdict.of(one, Status.ERROR, words) for one in chosen[len(verdicts) :]]
        return Assessment(lab.name, mode, (*verdicts, *left), lacks(mode))
    return Assessment(lab.name, mode, tuple(verdicts), lacks(mode), remarks=built.remarks)


def prove_all(
    lab: Lab,
    submission: Path,
    scenarios: Sequence[Scenario],
    *,
    seconds: float,
    on_proof: Callable[[Proof], None],
) -> list[Proof]:
    """One submission over all schedules of these scenarios, `seconds` at most for each.

    Raises BuildError, and StageError if this machine has no stage in virtual time.
    """
    _refuse_to_prove()
    proofs = []
    with (
        ready(lab, submission, VIRTUAL) as built,
        contextlib.closing(built.bench(scenarios)) as bench,
    ):
        for scenario in scenarios:
            proofs.append(bench.prove(scenario, seconds))
            on_proof(proofs[-1])
    return proofs


def follow(
    lab: Lab, submission: Path, plays: Sequence[tuple[Scenario, Schedule]]
) -> tuple[Assessment, list[History]]:
    """One submission in plays by their schedules; and all that happens in each.

    Raises BuildError, UndecidedError if a play does not go so, and StageError as `prove_all` does.
    """
    _refuse_to_prove()
    with (
        ready(lab, submission, VIRTUAL) as built,
        contextlib.closing(built.bench([scenario for scenario, _ in plays])) as bench,
    ):
        seen = [bench.follow(scenario, schedule) for scenario, schedule in plays]
    verdicts = tuple(verdict for verdict, _ in seen)
    assessment = Assessment(lab.name, VIRTUAL, verdicts, lacks(VIRTUAL), remarks=built.remarks)
    return assessment, [history for _, history in seen]


def judge_installed(
    command: Sequence[str],
    scenarios: Sequence[Scenario],
    *,
    mode: str | None = None,
    lab: Lab | None = None,
    root: Path | None = None,
) -> list[Verdict]:
    """A verdict a scenario on `command`, an init with the arguments that it takes before its own.

    `lab`: whose scenarios they are, if any. `root`: it stands not on this machine, but in the system in that folder,
    and sees nothing else, as PID 1. Raises CommandError if there is no such program, StageError if this machine has
    no stage.
    """
    installed = find_installed(command, root)
    with Workspace(root) as workspace:
        folder = workspace.subfolder()
        installed.put_into(folder)
        mode = choose(mode).mode
        reference = _reference(lab, mode, workspace) if lab else NO_REFERENCE
        commands = {scenario.bill.program: installed.command for scenario in scenarios}
        bench = Bench(mode, workspace, folder, commands, reference, scenarios)
        try:
            return [bench.judge(scenario) for scenario in scenarios]
        finally:
            bench.close()


def _refuse_to_prove() -> None:
    if probe().mode != PIDNS:
        raise StageError(f"nothing can be proved, as {NEEDED_FOR_A_PROOF}: {probe().why}")
    if refusal := refusal_of_virtual_time(PIDNS):
        raise StageError(f"nothing can be proved without virtual time: {refusal}")


def _commands(programs: Mapping[str, BuiltProgram]) -> Commands:
    return {name: program.command for name, program in programs.items()}


def _builder(mode: str, workspace: Workspace) -> Callable[[Sequence[str], Path], Completed]:
    """Runs the commands of a build."""

    def run(argv: Sequence[str], folder: Path) -> Completed:
        try:
            return run_contained(isolation_of(mode), workspace, folder, argv, _OF_A_BUILD)
        except ExcessError as excess:
            raise BuildError(f"The build was stopped: it took {excess}.") from excess

    return run


def _reference(lab: Lab, mode: str, workspace: Workspace) -> Reference:
    """The lab's own solution, built when it is asked for."""

    def built() -> tuple[Path, Commands] | None:
        run = _builder(mode, workspace)
        for solution in sorted((lab.folder / "solution").glob("*/")):
            folder = workspace.subfolder()
            with contextlib.suppress(BuildError):
                return folder, _commands(build_all(solution, folder, run, lab.bill.programs))
        return None

    return Reference(digests_of_solution(lab), built)
