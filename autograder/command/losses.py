"""The file that `autograder prove --json` writes, and how `autograder check --schedule` plays again what is lost in it.

Each proof tells of which lab, play and submission it is: a schedule is one of that play alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from autograder.command.finding import scenario_in
from autograder.errors import CommandError
from autograder.grading.terms import digest_of_play
from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.labs.shortened import shortened
from autograder.language.roles import VIRTUAL
from autograder.safe_text import one_line
from autograder.submission.submissions import Submission, state_of
from autograder.trial.proof import Proof
from forklab.jsonform import JsonObject
from forklab.steps.schedule import Schedule


def forms(
    lab: Lab, path: Path, scenarios: Sequence[Scenario], proofs: Sequence[Proof]
) -> list[JsonObject]:
    """What that file has in it."""
    submission = _state_of(path)
    return [
        {
            "lab": lab.name,
            "play": digest_of_play(lab, scenario, VIRTUAL),
            "submission": submission,
            **proof.to_json(),
        }
        for scenario, proof in zip(scenarios, proofs, strict=True)
    ]


def losing_plays(
    file: Path, lab: Lab, path: Path, wanted: Sequence[str]
) -> list[tuple[Scenario, Schedule]]:
    """What is lost in it, of these scenarios if some are named.

    Raises CommandError if the file is none of these, or of another lab or submission, or of a play that has changed.
    """
    lost = {form["scenario"]: form for form in _read(file) if "loss" in form}
    if not lost:
        raise CommandError(f"{file}: nothing is lost there, so there is no schedule to follow.")
    for form in lost.values():
        if form["lab"] != lab.name:
            raise CommandError(f"{file} is of lab {one_line(form['lab'])}, and not of {lab.name}.")
    scenarios = [scenario_in(lab, name) for name in wanted or lost]
    for scenario in scenarios:
        if scenario.name not in lost:
            names = ", ".join(map(one_line, lost))
            raise CommandError(f"--scenario {scenario.name}: what {file} has lost is {names}.")
    return [_play(file, lost[scenario.name], lab, scenario, path) for scenario in scenarios]


def _play(
    file: Path, form: JsonObject, lab: Lab, scenario: Scenario, path: Path
) -> tuple[Scenario, Schedule]:
    again = "Its schedules are followed no more: prove it again."
    if form["play"] != digest_of_play(lab, scenario, VIRTUAL):
        raise CommandError(f"{file}: scenario {scenario.name} was another one then.\n  {again}")
    if form["submission"] != _state_of(path):
        raise CommandError(f"{file} is of another submission, or {path} has changed.\n  {again}")
    try:
        schedule = Schedule.from_json(form["loss"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CommandError(f"{file}: the schedule of {scenario.name} is none.") from error
    small = shortened(scenario) if form.get("in_small") else None
    return small or scenario, schedule


def _read(file: Path) -> list[JsonObject]:
    words = "use a file that 'autograder prove --json FILE' has written."
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{file} is no JSON: {words}") from error
    if not isinstance(found, list) or not all(map(_is_proof, found)):
        raise CommandError(f"{file} holds no proofs: {words}")
    return found


def _is_proof(form: object) -> bool:
    told = ("lab", "play", "submission", "scenario")
    return isinstance(form, dict) and all(isinstance(form.get(word), str) for word in told)


def _state_of(path: Path) -> str:
    return state_of(Submission("", path))
