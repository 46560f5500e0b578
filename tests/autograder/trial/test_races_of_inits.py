"""Races that real inits have had, each as a small init: a proof finds each of them, and none once it is mended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.labs.scenario import Scenario
from autograder.language.roles import PIDNS, VIRTUAL
from autograder.language.script import parse
from autograder.stage.isolation import probe
from autograder.stage.stage import Stage
from autograder.stage.tools import compiler
from autograder.stage.workspace import Workspace
from autograder.trial.proof import Proof, Standing
from autograder.trial.prove import prove
from autograder.trial.verdict import Status

RACES = Path(__file__).parent / "races"
TWO_ORPHANS = """\
main forks worker
worker forks child1..child2
worker exits 0
main reaps worker
child1..child2 exit 0
expect child1..child2 are reaped"""
SIGTERM = "send SIGTERM to init at any moment\nexpect init exits 143\nexpect nobody is left"
ENDS_AT_ONCE = "expect init exits 0"
SCRIPTS = {
    "one_wait_per_sigchld": TWO_ORPHANS,
    "check_then_pause": ENDS_AT_ONCE,
    "bookkeeping_after_fork": ENDS_AT_ONCE,
    "handler_comes_late": SIGTERM,
    "mask_after_fork": SIGTERM,
    "openrc_895": ENDS_AT_ONCE,
    "athens_2049": ENDS_AT_ONCE,
    "containerd_13539": TWO_ORPHANS,
}
COMMANDS = {ENDS_AT_ONCE: ("true",), SIGTERM: ("sleep", "infinity")}


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    with Workspace() as folder:
        yield folder


def scenario_for(race: str) -> Scenario:
    script = SCRIPTS[race]
    steps, command = tuple(parse(script)), COMMANDS.get(script)
    first = load_lab("init").scenarios[0]
    return replace(first, name=race, script=script, steps=steps, command=command)


def proof_of(race: str, workspace: Workspace, *flags: str) -> Proof:
    folder = workspace.subfolder()
    command = [compiler(), "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Wno-unused-function", *flags]
    target = [str(RACES / f"{race}.c"), "-o", str(folder / "init")]
    subprocess.run([*command, *target], check=True, timeout=60)
    stage = Stage(VIRTUAL, workspace, folder, by_schedule=True)
    try:
        return prove(scenario_for(race), {"init": [f"{stage.sandbox.folder}/init"]}, stage)
    finally:
        stage.close()


@pytest.mark.parametrize("race", SCRIPTS)
def test_a_race_is_lost_for_certain(race: str, workspace: Workspace) -> None:
    proof = proof_of(race, workspace)
    assert proof.standing is Standing.LOST, proof.words
    assert proof.loss is not None
    assert proof.loss.verdict.status is Status.FAILED
    assert proof.losing != proof.schedules or not proof.schedules  # else it would be no race


@pytest.mark.parametrize("race", SCRIPTS)
def test_it_is_proved_once_it_is_mended(race: str, workspace: Workspace) -> None:
    proof = proof_of(race, workspace, "-DMENDED")
    assert proof.standing is Standing.PROVED, proof.words
