"""One submission, or one init of this machine, by all the scenarios that it is to be judged by."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.stage.contained import Completed, run_contained
from autograder.stage.errors import ExcessError
from autograder.stage.isolation import lacks, probe
from autograder.stage.workspace import Workspace
from autograder.submission.build import build
from autograder.submission.installed import find_installed
from autograder.submission.intake import BuildError
from autograder.trial.bench import Bench, Command
from autograder.trial.verdict import Assessment, Hindrance, Status, Verdict

_BUILD_SECONDS = 60.0


def assess(
    lab: Lab,
    submission: Path,
    *,
    mode: str | None = None,
    scenarios: Sequence[Scenario] | None = None,
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
) -> Assessment:
    """Judges one submission by every scenario of the lab, or by those given; tells each verdict as it comes.

    A build that fails is a verdict: every scenario fails with the compiler's words. Never raises for a student's doing;
    raises StageError if this machine has no stage at all.
    """
    mode = mode or probe().mode
    chosen = lab.scenarios if scenarios is None else scenarios
    with Workspace() as workspace:

        def run(argv: Sequence[str], folder: Path) -> Completed:
            try:
                return run_contained(mode, workspace, folder, argv, _BUILD_SECONDS)
            except ExcessError as excess:
                raise BuildError(f"The build was stopped: it took {excess}.") from excess

        folder = workspace.subfolder()
        try:
            program = build(submission, folder, run, lab.program)
        except BuildError as failure:
            verdicts = [Verdict.of(scenario, Status.FAILED, str(failure)) for scenario in chosen]
            return Assessment(
                lab.name, mode, tuple(verdicts), lacks(mode), hindrance=Hindrance.NOT_BUILT
            )
        else:
            verdicts = []

            def reference() -> tuple[Path, Command] | None:
                return _reference(lab, workspace, run)

            bench = Bench(mode, workspace, folder, program.command, reference, chosen)
            try:
                for scenario in chosen:
                    started = time.monotonic()
                    verdict = bench.judge(scenario)
                    verdicts.append(replace(verdict, seconds=time.monotonic() - started))
                    on_verdict(verdicts[-1])
            finally:
                bench.close()
    return Assessment(lab.name, mode, tuple(verdicts), lacks(mode), remarks=program.remarks)


def judge_installed(
    command: Sequence[str], scenarios: Sequence[Scenario], *, mode: str | None = None
) -> list[Verdict]:
    """A verdict a scenario on `command`, an init with the arguments that it takes before its own.

    Raises CommandError if there is no such program, StageError if this machine has no stage.
    """
    installed = find_installed(command)
    with Workspace() as workspace:
        folder = workspace.subfolder()
        installed.put_into(folder)
        mode = mode or probe().mode
        bench = Bench(mode, workspace, folder, installed.command, lambda: None, scenarios)
        try:
            return [bench.judge(scenario) for scenario in scenarios]
        finally:
            bench.close()


def _reference(
    lab: Lab, workspace: Workspace, run: Callable[[Sequence[str], Path], Completed]
) -> tuple[Path, Command] | None:
    """The lab's own solution, built; None if it has none that can be built here."""
    for solution in sorted((lab.folder / "solution").glob("*/")):
        folder = workspace.subfolder()
        with contextlib.suppress(BuildError):
            return folder, build(solution, folder, run, lab.program).command
    return None
