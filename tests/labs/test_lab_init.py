"""The lab `init`, judged for real: what holds for it beside what holds for every lab (test_every_lab.py)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from autograder.ideal.ideal import Ideal
from autograder.labs.lab import load_lab
from autograder.labs.mutants import load_mutants, write
from autograder.labs.scenario import Scenario
from autograder.language.roles import PIDNS, SUBREAPER
from autograder.stage.isolation import probe
from autograder.trial.assess import assess
from autograder.trial.verdict import Status

ROOT = Path(__file__).resolve().parents[2]
LAB = load_lab(ROOT / "labs" / "init")
MUTANTS = load_mutants(LAB)


@pytest.mark.parametrize("scenario", LAB.scenarios, ids=lambda scenario: scenario.name)
def test_a_perfect_init_can_meet_every_expectation(scenario: Scenario) -> None:
    for mode in scenario.modes:
        ideal = Ideal(
            scenario.steps, mode=mode, command=scenario.command, terminal=scenario.terminal
        )
        assert ideal.contradictions == ()


@pytest.mark.parametrize("scenario", LAB.scenarios, ids=lambda scenario: scenario.name)
def test_what_is_observed_of_the_solution_is_what_the_model_expects(scenario: Scenario) -> None:
    [verdict] = assess(LAB, LAB.folder / "solution" / "c", scenarios=[scenario]).verdicts
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


@pytest.mark.parametrize("name", ["spins", "status_is_lost", "waits_for_main_only"])
def test_a_verdict_is_the_same_every_time(name: str, tmp_path: Path) -> None:
    """To the last event; only who of a row that dies at once is found first, is the kernel's choice."""
    write(next(mutant for mutant in MUTANTS if mutant.name == name), tmp_path)
    first, second = (assess(LAB, tmp_path).to_json() for _ in range(2))
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


@pytest.mark.parametrize(
    "source",
    sorted(Path(__file__).with_name("other_designs").glob("*.c")),
    ids=lambda path: path.stem,
)
def test_a_correct_init_of_another_design_loses_nothing(
    source: Path, mode: str, tmp_path: Path
) -> None:
    shutil.copy(source, tmp_path / "init.c")
    for _ in range(3):
        assessment = assess(LAB, tmp_path, mode=mode)
        wrong = [v for v in assessment.verdicts if v.status in (Status.FAILED, Status.ERROR)]
        assert [(v.scenario, v.message) for v in wrong] == []
