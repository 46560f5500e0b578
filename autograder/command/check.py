"""`autograder check`: one submission, explained to its author."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from autograder.command.finding import refuse_if_no_submission, scenario_in
from autograder.command.telling import say_mode, write_text
from autograder.labs.lab import load_lab
from autograder.labs.scenario import Scenario
from autograder.reports.screen import console, show_assessment
from autograder.stage import isolation
from autograder.trial import assess
from autograder.trial.verdict import Assessment, Status


def check(
    lab_name: str,
    path: Path,
    wanted: Sequence[str],
    json_file: str | None,
    mode: str | None,
    gradescope_file: Path | None = None,
    metadata_file: Path | None = None,
    everything: bool = False,
    seed: int = 0,
) -> int:
    """One submission, explained to its author."""
    lab = load_lab(lab_name)
    refuse_if_no_submission(lab, path)
    screen = console(to_stderr=json_file == "-")
    choice = isolation.choose(mode)
    file = None
    if gradescope_file is not None:
        from autograder.command.gradescope import for_gradescope

        lab, file = for_gradescope(lab, gradescope_file, metadata_file)
        if mode is None:
            choice = isolation.default_without_namespaces()
    mode = say_mode(screen, choice, seed)
    scenarios = [scenario_in(lab, name) for name in wanted] if wanted else None
    if file is None:
        assessment = assess.assess(lab, path, mode=mode, scenarios=scenarios, seed=seed)
    else:
        assessment = assess.assess(
            lab, path, mode=mode, scenarios=scenarios, on_verdict=file.add, seed=seed
        )
        file.write(assessment)
    return show(screen, assessment, scenarios or lab.scenarios, json_file, everything=everything)


def show(
    screen: Console,
    assessment: Assessment,
    scenarios: Sequence[Scenario],
    json_file: str | None,
    *,
    everything: bool,
) -> int:
    """Answers the exit status."""
    why = {s.name: s.why for s in scenarios}
    show_assessment(screen, assessment, why, everything=everything)
    if json_file is not None:
        write_text(json_file, json.dumps(assessment.to_json(), indent=1) + "\n")
    return _exit_status(assessment)


def _exit_status(assessment: Assessment) -> int:
    """Nothing judged at all is no success either: this machine lacks what it takes."""
    return {Status.PASSED: 0, Status.FAILED: 1}.get(assessment.status, 2)
