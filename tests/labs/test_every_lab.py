"""Every lab, judged for real, in each mode: solutions pass, starters and mutants fail, nothing is ever an error."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from autograder.labs.lab import Lab, load_lab
from autograder.labs.mutants import Mutant, languages_of, load_mutants, write
from autograder.language.roles import PIDNS, SUBREAPER, VIRTUAL, isolation_of
from autograder.trial.assess import assess, ready
from autograder.trial.verdict import Assessment, Status

ROOT = Path(__file__).resolve().parents[2]
LABS = [load_lab(file.parent) for file in sorted((ROOT / "labs").glob("*/lab.toml"))]
MUTANTS = {lab.name: load_mutants(lab) for lab in LABS}

_NICEST = 19  # setpriority(2)
SAMPLE = 6  # of so many mutants one is judged in each mode, another one in each
LARGE = (
    "supervisor",
)  # of these labs `make test` judges less: they have many plays, of many processes
SAMPLE_OF_LARGE = 18
every_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)


EVERY_MUTANT = [
    pytest.param(lab, mutant, id=f"{lab.name}-{mutant.name}")
    for lab in LABS
    for mutant in MUTANTS[lab.name]
]


def _in_mode(lab: Lab, place: int, mode: str) -> ParameterSet:
    """`make test` judges a sample of the mutants; of the lab init also those that show in one mode alone."""
    mutant = MUTANTS[lab.name][place]
    other = PIDNS if mode == SUBREAPER else SUBREAPER
    one_in = SAMPLE_OF_LARGE if lab.name in LARGE else SAMPLE
    is_sampled = mutant.race or place % one_in == (PIDNS, SUBREAPER, VIRTUAL).index(mode)
    if lab.name == "init" and other not in mutant.modes and mode != VIRTUAL:
        is_sampled = True
    name = f"{lab.name}-{mutant.name}-{mode}"
    return pytest.param(lab, mutant, mode, id=name, marks=() if is_sampled else pytest.mark.slow)


EVERY_MUTANT_IN_EACH_MODE = [
    _in_mode(lab, place, mode)
    for lab in LABS
    for place in range(len(MUTANTS[lab.name]))
    for mode in (PIDNS, SUBREAPER, VIRTUAL)
    if mode == VIRTUAL or not MUTANTS[lab.name][place].race  # else it is caught by luck
]


def wrong(assessment: Assessment) -> list[tuple[str, str]]:
    return [
        (v.scenario, v.message)
        for v in assessment.verdicts
        if v.status not in (Status.PASSED, Status.SKIPPED)
    ]


def refuse_without_plays(lab: Lab, mode: str) -> None:
    if not any(isolation_of(mode) in scenario.modes for scenario in lab.scenarios):
        pytest.skip(f"the lab has no plays in mode {mode}")


def _solution(lab: Lab, language: str, mode: str) -> ParameterSet:
    """`make test` judges those in C in virtual time, too, and those in Python in one mode; of the lab init in both.

    Each play of a script is a dozen processes: one in sh is judged in virtual time, one in Python in the other one.
    Of a large lab each is judged in one mode.
    """
    is_first = language == languages_of(lab)[0]
    in_both = lab.name == "init" or not any(SUBREAPER in one.modes for one in lab.scenarios)
    is_sampled = is_first == (mode != SUBREAPER) or (in_both and mode != VIRTUAL)
    if lab.name in LARGE:
        is_sampled = mode == (VIRTUAL if is_first else SUBREAPER)
    if lab.bill.subject.is_actor:
        is_sampled = mode == (VIRTUAL if is_first else PIDNS)
    name = f"{lab.name}-{language}-{mode}"
    return pytest.param(lab, language, mode, id=name, marks=() if is_sampled else pytest.mark.slow)


EVERY_SOLUTION_IN_EACH_MODE = [
    _solution(lab, language, mode)
    for lab in LABS
    for language in languages_of(lab)
    for mode in (PIDNS, SUBREAPER, VIRTUAL)
]


@pytest.mark.parametrize(
    "lab, language, any_mode", EVERY_SOLUTION_IN_EACH_MODE, indirect=["any_mode"]
)
def test_a_solution_loses_nothing(lab: Lab, language: str, any_mode: str) -> None:
    refuse_without_plays(lab, any_mode)
    assessment = assess(lab, lab.folder / "solution" / language, mode=any_mode)
    assert wrong(assessment) == []
    assert assessment.score == assessment.max_score > 0


def _starter(lab: Lab, language: str, mode: str) -> ParameterSet:
    """`make test` judges each starter in one of the modes in real time, but for those of large labs."""
    is_sampled = mode == (PIDNS if language == languages_of(lab)[0] else SUBREAPER)
    is_sampled = is_sampled and lab.name not in LARGE
    name = f"{lab.name}-{language}-{mode}"
    return pytest.param(lab, language, mode, id=name, marks=() if is_sampled else pytest.mark.slow)


EVERY_STARTER_IN_EACH_MODE = [
    _starter(lab, language, mode)
    for lab in LABS
    for language in languages_of(lab)
    for mode in (PIDNS, SUBREAPER, VIRTUAL)
]


@pytest.mark.parametrize(
    "lab, language, any_mode", EVERY_STARTER_IN_EACH_MODE, indirect=["any_mode"]
)
def test_a_starter_gets_some_points_and_a_message_for_each_that_it_lacks(
    lab: Lab, language: str, any_mode: str
) -> None:
    refuse_without_plays(lab, any_mode)
    assessment = assess(lab, lab.folder / "starter" / language, mode=any_mode)
    assert 0 < assessment.score < assessment.max_score
    for verdict in assessment.verdicts:
        assert verdict.status is not Status.ERROR, verdict.message
        if verdict.status is Status.FAILED:
            assert verdict.message and verdict.failed_step


@pytest.mark.parametrize("lab, mutant, any_mode", EVERY_MUTANT_IN_EACH_MODE, indirect=["any_mode"])
def test_a_mutant_is_caught_by_the_scenarios_that_it_names(
    lab: Lab, mutant: Mutant, any_mode: str, tmp_path: Path
) -> None:
    isolation = isolation_of(any_mode)
    if isolation not in mutant.modes:
        pytest.skip(f"this bug does not show in mode {isolation}")
    if mutant.name == "is_nice_to_others" and os.nice(0) >= _NICEST:
        pytest.skip("nobody can be nicer than these tests are already")
    write(mutant, tmp_path)
    wanted = [s for s in lab.scenarios if s.name in mutant.caught_by and isolation in s.modes]
    assert wanted
    wanted = [s for s in wanted if any_mode == VIRTUAL or s.can_be_waited_for]
    if not wanted:
        pytest.skip("it shows in virtual time alone, where minutes cost nothing")
    assessment = assess(lab, tmp_path, mode=any_mode, scenarios=wanted)
    assert {v.scenario: v.status for v in assessment.verdicts} == {
        s.name: Status.FAILED for s in wanted
    }


@every_lab
def test_every_scenario_fails_a_mutant_or_says_why_it_is_there(lab: Lab) -> None:
    catching = {name for mutant in MUTANTS[lab.name] for name in mutant.caught_by}
    for scenario in lab.scenarios:
        assert (scenario.name in catching) != bool(scenario.untested), scenario.name


@every_lab
def test_a_lab_has_a_handout_and_enough_to_judge_by(lab: Lab) -> None:
    assert (lab.folder / "README.md").is_file()
    assert len(lab.scenarios) >= 12
    assert len(MUTANTS[lab.name]) >= 8


@every_lab
def test_nothing_is_said_of_an_init_where_the_lab_is_about_something_else(lab: Lab) -> None:
    if lab.bill.subject.is_init:
        pytest.skip("it is about an init")
    words = assess(lab, lab.folder / "starter" / languages_of(lab)[0]).to_json()
    messages = [verdict["message"] for verdict in words["scenarios"]]
    assert not [message for message in messages if "your init" in message.lower()]


@pytest.mark.reliability
@pytest.mark.parametrize("lab, mutant", EVERY_MUTANT)
def test_a_mutant_is_caught_every_time(
    lab: Lab, mutant: Mutant, mode: str, tmp_path: Path, busy_machine: None
) -> None:
    """A thousand verdicts each, on a busy machine: FORKLAB_ROUNDS says how many times each scenario is played."""
    if mutant.race:
        pytest.skip("this bug shows in some schedules alone, and here the kernel chooses one")
    if mode not in mutant.modes:
        pytest.skip(f"this bug does not show in mode {mode}")
    write(mutant, tmp_path)
    wanted = [s for s in lab.scenarios if s.name in mutant.caught_by and mode in s.modes]
    wanted = [s for s in wanted if s.can_be_waited_for]
    if not wanted:
        pytest.skip("it shows in virtual time alone, where minutes cost nothing")
    rounds = int(os.environ.get("FORKLAB_ROUNDS", "1000")) // len(wanted) + 1
    verdicts = assess(lab, tmp_path, mode=mode, scenarios=wanted * rounds).verdicts
    assert {v.status for v in verdicts} == {Status.FAILED}


@pytest.mark.reliability
@pytest.mark.parametrize("lab, mutant", EVERY_MUTANT)
@pytest.mark.parametrize("any_mode", [VIRTUAL], indirect=True)
def test_a_mutant_is_caught_whoever_is_next(
    lab: Lab, mutant: Mutant, any_mode: str, tmp_path: Path
) -> None:
    """In virtual time, each scenario with another seed each time: FORKLAB_PLAYS says with how many."""
    isolation = isolation_of(any_mode)
    if isolation not in mutant.modes:
        pytest.skip(f"this bug does not show in mode {isolation}")
    write(mutant, tmp_path)
    wanted = [s for s in lab.scenarios if s.name in mutant.caught_by and isolation in s.modes]
    missed = set()
    with ready(lab, tmp_path, any_mode) as built:
        for seed in range(int(os.environ.get("FORKLAB_PLAYS", "1000"))):
            with contextlib.closing(built.bench(wanted, seed=seed)) as bench:
                for scenario in wanted:
                    status = bench.judge(scenario).status
                    if status is not Status.FAILED:
                        missed.add((scenario.name, seed, status))
    assert missed == set()
