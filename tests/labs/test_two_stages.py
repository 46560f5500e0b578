"""Two stages, one truth: in virtual time every submission gets the verdicts that it gets in real time.

Where it does not, two_stages.toml says which of the two is right by the kernel's rules. `make slow` compares all
solutions, starters and mutants of all labs; FORKLAB_PLAYS says with how many seeds in virtual time.
"""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from autograder.labs.lab import Lab, load_lab
from autograder.labs.mutants import languages_of, load_mutants, write
from autograder.labs.scenario import Scenario
from autograder.language.roles import PIDNS, SUBREAPER, VIRTUAL, VIRTUAL_SUBREAPER
from autograder.trial.assess import ready
from autograder.trial.verdict import Status

ROOT = Path(__file__).resolve().parents[2]
LABS = {file.parent.name: load_lab(file.parent) for file in sorted(ROOT.glob("labs/*/lab.toml"))}
MUTANTS = {name: {m.name: m for m in load_mutants(lab)} for name, lab in LABS.items()}
DIFFERENCES = tomllib.loads(Path(__file__).with_name("two_stages.toml").read_text("utf-8"))[
    "difference"
]
STAGES = {VIRTUAL: PIDNS, VIRTUAL_SUBREAPER: SUBREAPER}
# Compared every day: two that come out in the same way whoever is next, and one that waits for its time to be over.
SAMPLE = {
    ("exit_status", "solution/c", VIRTUAL),
    ("zombie_hunt", "starter/c", VIRTUAL),
    ("timeout", "polls", VIRTUAL),
}


def submissions(lab: str) -> Iterator[str]:
    languages = languages_of(LABS[lab])
    yield from (f"{kind}/{language}" for kind in ("solution", "starter") for language in languages)
    yield from MUTANTS[lab]


def handed_in(lab: str, submission: str, folder: Path) -> Path:
    if submission not in MUTANTS[lab]:
        return LABS[lab].folder / submission
    write(MUTANTS[lab][submission], folder)
    return folder


def _pair(lab: str, submission: str, mode: str) -> ParameterSet:
    marks = () if (lab, submission, mode) in SAMPLE else pytest.mark.slow
    return pytest.param(lab, submission, mode, id=f"{lab}-{submission}-{mode}", marks=marks)


EVERY_ONE_ON_BOTH_STAGES = [
    _pair(lab, submission, mode)
    for lab in LABS
    for submission in submissions(lab)
    for mode in STAGES
]


def statuses(
    lab: Lab, folder: Path, mode: str, scenarios: Sequence[Scenario], seeds: Sequence[int] = (0,)
) -> dict[str, set[Status]]:
    """What each scenario came to, with each of these seeds."""
    found: dict[str, set[Status]] = {}
    with ready(lab, folder, mode) as built:
        for seed in seeds:
            with contextlib.closing(built.bench(scenarios, seed=seed)) as bench:
                for scenario in scenarios:
                    found.setdefault(scenario.name, set()).add(bench.judge(scenario).status)
    return found


@pytest.mark.parametrize(
    "name, submission, any_mode", EVERY_ONE_ON_BOTH_STAGES, indirect=["any_mode"]
)
def test_a_verdict_is_the_same_on_both_stages(
    name: str, submission: str, any_mode: str, tmp_path: Path
) -> None:
    lab, real = LABS[name], STAGES[any_mode]
    explained = {
        scenario
        for one in DIFFERENCES
        if (one["lab"], one["submission"]) == (name, submission)
        for scenario in one["scenarios"]
    }
    # Over all schedules there is no verdict in real time to compare with.
    scenarios = [
        one
        for one in lab.scenarios
        if real in one.modes
        and one.can_be_waited_for
        and not one.explored
        and one.name not in explained
    ]
    folder = handed_in(name, submission, tmp_path)
    seeds = range(int(os.environ.get("FORKLAB_PLAYS", "1")))
    virtual = statuses(lab, folder, any_mode, scenarios, seeds)
    for _ in range(2):  # a busy machine may be late in real time, though not twice
        seen = statuses(lab, folder, real, scenarios) if scenarios else {}
        scenarios = [one for one in scenarios if virtual[one.name] != seen[one.name]]
    assert {one.name: (virtual[one.name], seen[one.name]) for one in scenarios} == {}


def test_a_difference_is_one_of_something_that_there_is() -> None:
    for one in DIFFERENCES:
        names = {scenario.name for scenario in LABS[one["lab"]].scenarios}
        assert set(one["scenarios"]) <= names and one["scenarios"], one
        assert one["submission"] in submissions(one["lab"])
        assert one["right"] in ("virtual", "real", "both") and one["why"]
