"""The lab `init`, judged for real: what holds for it beside what holds for every lab (test_every_lab.py)."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.ideal.ideal import Ideal
from autograder.labs.lab import load_lab
from autograder.labs.mutants import load_mutants, write
from autograder.labs.scenario import Scenario
from autograder.language.roles import PIDNS, SUBREAPER, VIRTUAL
from autograder.stage.isolation import probe
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

ROOT = Path(__file__).resolve().parents[2]
LAB = load_lab(ROOT / "labs" / "init")
MUTANTS = load_mutants(LAB)
DESIGNS = sorted(Path(__file__).with_name("other_designs").glob("*.c"))


@pytest.mark.parametrize("language", ["c", "python"])
def test_the_reference_solution_loses_nothing_in_virtual_time(language: str) -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    assessment = assess(LAB, LAB.folder / "solution" / language, mode=VIRTUAL)
    assert [v.message for v in assessment.verdicts if v.status is not Status.PASSED] == []
    assert assessment.score == assessment.max_score > 0


# Each has another reason to come out otherwise, and none of them depends on who comes first.
TIMELESS = (
    "believes_in_sigchld",
    "gives_up_when_interrupted",
    "last_signal_wins",
    "leaks_its_mask",
    "one_wait_per_sigchld",
    "polls",
    "spins",
    "stopped_is_dead",
    "wakes_stopped",
)


@pytest.mark.parametrize("name", TIMELESS)
def test_a_mutant_is_caught_in_virtual_time_and_each_time_in_the_same_way(
    name: str, tmp_path: Path
) -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    write(mutant, tmp_path)
    wanted = [s for s in LAB.scenarios if s.name in mutant.caught_by and PIDNS in s.modes]
    first, again = (
        assess(LAB, tmp_path, mode=VIRTUAL, scenarios=wanted).verdicts for _ in range(2)
    )
    assert {v.scenario: v.status for v in first} == {s.name: Status.FAILED for s in wanted}
    assert [replace(v, seconds=0.0) for v in first] == [replace(v, seconds=0.0) for v in again]


@pytest.mark.parametrize("scenario", LAB.scenarios, ids=lambda scenario: scenario.name)
def test_a_perfect_init_can_meet_every_expectation(scenario: Scenario) -> None:
    for mode in scenario.modes:
        ideal = Ideal(
            scenario.steps, mode=mode, command=scenario.command, terminal=scenario.terminal
        )
        assert ideal.contradictions == ()


@pytest.fixture(scope="module")
def verdicts_on_the_solution() -> dict[str, Verdict]:
    """In real time: of virtual time the solutions' verdicts are looked at above, with their proofs."""
    assessment = assess(LAB, LAB.folder / "solution" / "c", mode=probe().mode)
    return {v.scenario: v for v in assessment.verdicts}


@pytest.mark.parametrize("scenario", LAB.scenarios, ids=lambda scenario: scenario.name)
def test_what_is_observed_of_the_solution_is_what_the_model_expects(
    scenario: Scenario, verdicts_on_the_solution: dict[str, Verdict]
) -> None:
    verdict = verdicts_on_the_solution[scenario.name]
    if verdict.status is Status.SKIPPED:
        pytest.skip(verdict.message)
    if scenario.command is not None:
        pytest.skip("of a command the model knows nothing")
    assert _states(verdict.observed) == _states(verdict.expected)


def _states(history: object) -> list[tuple[object, ...]]:
    from forklab.history import History

    assert isinstance(history, History)
    return [
        (n.name, n.pid, n.parent, n.state, n.status, n.signal, n.reaped_by) for n in history.tree()
    ]


@pytest.mark.parametrize(
    "name",
    [
        "status_is_lost",
        pytest.param("spins", marks=pytest.mark.slow),
        pytest.param("waits_for_main_only", marks=pytest.mark.slow),
    ],
)
def test_a_verdict_is_the_same_every_time(name: str, tmp_path: Path) -> None:
    """In real time, to the last event; only who of a row that dies at once is found first, is the kernel's choice."""
    write(next(mutant for mutant in MUTANTS if mutant.name == name), tmp_path)
    first, second = (assess(LAB, tmp_path, mode=probe().mode).to_json() for _ in range(2))
    pairs = zip(first.pop("scenarios"), second.pop("scenarios"), strict=True)
    differing = {
        one["name"]: {key: (one[key], other[key]) for key in one if one[key] != other[key]}
        for one, other in pairs
        if one != other
    }
    assert differing == {}
    assert first == second


@pytest.mark.reliability
def test_correct_inits_never_fail_on_a_busy_machine(busy_machine: None) -> None:
    """2,000 verdicts, while every processor has other work (see the fixture)."""
    rounds = int(os.environ.get("FORKLAB_ROUNDS", "12"))
    judged = 0
    for _ in range(rounds):
        for language in ("c", "python"):
            for mode in (PIDNS, SUBREAPER) if probe().mode == PIDNS else (SUBREAPER,):
                assessment = assess(LAB, LAB.folder / "solution" / language, mode=mode)
                wrong = [
                    v for v in assessment.verdicts if v.status in (Status.FAILED, Status.ERROR)
                ]
                assert [(v.scenario, v.message) for v in wrong] == []
                judged += len(assessment.verdicts)
    print(f"{judged} verdicts, none wrong")


@pytest.mark.parametrize("source", DESIGNS, ids=lambda path: path.stem)
def test_a_correct_init_of_another_design_loses_nothing(
    source: Path, mode: str, tmp_path: Path
) -> None:
    loses_nothing(source, mode, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("source", DESIGNS, ids=lambda path: path.stem)
def test_a_correct_init_of_another_design_loses_nothing_five_times(
    source: Path, mode: str, tmp_path: Path
) -> None:
    loses_nothing(source, mode, tmp_path, rounds=5)


def loses_nothing(source: Path, mode: str, folder: Path, rounds: int = 1) -> None:
    shutil.copy(source, folder / "init.c")
    verdicts = assess(LAB, folder, mode=mode, scenarios=LAB.scenarios * rounds).verdicts
    wrong = [v for v in verdicts if v.status in (Status.FAILED, Status.ERROR)]
    assert [(v.scenario, v.message) for v in wrong] == []
