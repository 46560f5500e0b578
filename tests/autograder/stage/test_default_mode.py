"""Whoever asks for no mode is judged in virtual time, or in real time where that is refused, and is told why."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lost_wakeup import LOOKS_AND_THEN_SLEEPS
from refusing import below

from autograder.labs.lab import load_lab
from autograder.language.roles import (
    PIDNS,
    SUBREAPER,
    VIRTUAL,
    VIRTUAL_SUBREAPER,
    in_virtual_time,
)
from autograder.stage import isolation
from autograder.stage.isolation import ModeChoice
from autograder.trial.assess import assess

SOLUTION = Path(__file__).parents[3] / "labs/init/solution/c"


def test_it_is_virtual_time_where_init_stands_as_well_as_it_can(mode: str) -> None:
    if mode != isolation.probe().mode or isolation.refusal_of_virtual_time(mode):
        pytest.skip("it is another one here")
    choice = isolation.choose(None)
    assert choice.mode == in_virtual_time(mode)
    assert choice.why.endswith("; in virtual time, below the lens")
    assert isolation.possible()[0] == choice


def test_where_nobody_may_trace_it_is_real_time_and_said_once_with_the_reason() -> None:
    command = [sys.executable, "-m", "autograder.command.cli"]
    one = [str(SOLUTION), "--scenario", "01_as_long_as_main"]
    told = below({"ptrace"}, *command, "check", "init", *one)
    first, *others = told.stdout.splitlines()
    assert first.startswith(f"mode {isolation.probe().mode}: ")
    refusal = isolation.refusal_of_virtual_time(isolation.probe().mode)
    assert first.endswith(
        f"; in real time: {refusal or 'a play cannot be traced: Operation not permitted'}"
    )
    assert not [line for line in others if "real time" in line or "traced" in line]
    assert (told.returncode, told.stderr) == (0, "")


def test_beside_the_main_thread_it_is_real_time() -> None:
    with ThreadPoolExecutor(1) as threads:
        choice = threads.submit(isolation.choose, None).result()
    assert choice.mode == isolation.probe().mode
    assert choice.why.endswith("; in real time: only the main thread of a process can have it")


@pytest.mark.parametrize("asked", [None, VIRTUAL])
def test_who_asks_for_virtual_time_is_refused_what_others_do_without(
    monkeypatch: pytest.MonkeyPatch, asked: str | None
) -> None:
    monkeypatch.setattr(isolation, "refusal_of_virtual_time", lambda isolation: "it rains")
    if asked is None:
        assert isolation.choose(asked).mode == isolation.probe().mode
        return
    with pytest.raises(isolation.StageError, match="there is no virtual time here: it rains"):
        isolation.choose(asked)


@pytest.mark.parametrize(
    "namespaces, traced, possible",
    [
        (True, {PIDNS, SUBREAPER}, [VIRTUAL, PIDNS, VIRTUAL_SUBREAPER, SUBREAPER]),
        (True, {PIDNS}, [VIRTUAL, PIDNS, SUBREAPER]),
        (True, set(), [PIDNS, SUBREAPER]),
        (False, {SUBREAPER}, [VIRTUAL_SUBREAPER, SUBREAPER]),
        (False, set(), [SUBREAPER]),
    ],
)
def test_to_be_pid_1_comes_before_virtual_time(
    monkeypatch: pytest.MonkeyPatch, namespaces: bool, traced: set[str], possible: list[str]
) -> None:
    real = ModeChoice(PIDNS if namespaces else SUBREAPER, "so it is")
    monkeypatch.setattr(isolation, "probe", lambda: real)
    monkeypatch.setattr(isolation, "lacks", lambda mode: ())
    monkeypatch.setattr(
        isolation, "refusal_of_virtual_time", lambda one: "" if one in traced else "it rains"
    )
    assert [choice.mode for choice in isolation.possible()] == possible
    assert isolation.default().mode == possible[0]
    without = VIRTUAL_SUBREAPER if SUBREAPER in traced else SUBREAPER
    assert isolation.default_without_namespaces().mode == without


@pytest.mark.skipif(os.geteuid() != 0, reason="who is root has virtual time without namespaces")
def test_a_scenario_over_every_schedule_is_not_proved_without_namespaces() -> None:
    """It is judged all the same: that nobody can prove it is no fault of the submission's."""
    if refusal := isolation.refusal_of_virtual_time(SUBREAPER):
        pytest.skip(refusal)
    lab = load_lab(SOLUTION.parents[1])
    explored = [scenario for scenario in lab.scenarios if scenario.explored]
    [verdict] = assess(lab, SOLUTION, mode=VIRTUAL_SUBREAPER, scenarios=explored).verdicts
    assert (verdict.status, verdict.proof) == (
        "passed",
        "Not proved: that takes a PID namespace of its own.",
    )


def test_a_race_is_lost_by_whoever_hands_it_in(tmp_path: Path) -> None:
    """A scenario over every schedule needs no more than to be asked."""
    if isolation.choose(None).mode != VIRTUAL:
        pytest.skip(isolation.choose(None).why)
    (tmp_path / "timeout.c").write_text(LOOKS_AND_THEN_SLEEPS)
    lab = load_lab("timeout")
    explored = [scenario for scenario in lab.scenarios if scenario.name == "14_not_found"]
    [verdict] = assess(lab, tmp_path, scenarios=explored).verdicts
    assert verdict.status == "failed" and "timeout is asleep in" in verdict.message
    assert verdict.proof.startswith("Fails in ")
    assert verdict.proof.endswith(" schedules: 'autograder prove' tells how.")
