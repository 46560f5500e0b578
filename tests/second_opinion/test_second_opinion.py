"""The judge against an independent interpreter: two that share no code come to the same verdict at the same line.

Where they differ, somebody has looked and decided; DECIDED says who was right and why.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from interpreter import failing_line, understands

from autograder.labs.lab import load_lab
from autograder.labs.mutants import Mutant, load_mutants, write
from autograder.labs.scenario import Scenario
from autograder.language.roles import PIDNS
from autograder.stage.isolation import probe
from autograder.trial.assess import assess, judge_installed
from autograder.trial.verdict import Status, Verdict

HERE = Path(__file__).parent
LAB = load_lab(HERE.parents[1] / "labs" / "init")
MUTANTS = [mutant for mutant in load_mutants(LAB) if mutant.of.suffix == ".c"]
DESIGNS = [
    LAB.folder / "solution" / "c" / "init.c",
    *sorted((HERE.parent / "labs" / "other_designs").glob("*.c")),
]
SCENARIOS = {
    scenario.name: scenario
    for scenario in LAB.scenarios
    if PIDNS in scenario.modes and scenario.command != () and understands(scenario.script)
}

Ending = int | Status  # the line that failed, or how else it ended

INSTALLED = {
    "tini": ("tini", "--"),
    "tini-g": ("tini", "-g", "--"),
    "dumb-init": ("dumb-init", "--"),
    "dumb-init-c": ("dumb-init", "-c", "--"),
    "catatonit": ("catatonit", "--"),
    "bash": ("bash", "-c", '"$@"; exit $?', "bash"),
    "dash": ("dash", "-c", '"$@"; exit $?', "dash"),
    "busybox": ("busybox", "sh", "-c", '"$@"; exit $?', "sh"),
    "nobody": ("env",),  # CMD is its own PID 1, as in `docker run` without an init
}

# Mutants of which chance decides where they fail, if at all; and why.
BY_CHANCE = {
    "signals_itself": "main gets signals without end: whether it comes to its next step in between is chance",
    "signals_twice": "a classic signal that comes twice is one if the first is still pending: signal(7)",
}

PLAYS_AT_ONCE = 12  # of the interpreter: nearly all of their time is sleep


@pytest.fixture(scope="module")
def actor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(HERE / "actor.c", tmp_path_factory.mktemp("actor") / "actor")


@pytest.fixture(autouse=True)
def a_real_pid_1() -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)


def compiled(source: Path, program: Path) -> Path:
    subprocess.run(["cc", "-std=gnu11", "-O1", "-o", program, source], check=True)
    return program


def differences(
    name: str, init: Sequence[str], verdicts: Sequence[Verdict], actor: Path, folder: Path
) -> dict[str, tuple[Ending, Ending]]:
    """Where the judge, whose `verdicts` are given, and the interpreter do not come to the same end of a scenario."""

    def play(verdict: Verdict) -> Ending:
        scenario = SCENARIOS[verdict.scenario]
        stage = folder / scenario.name
        stage.mkdir()
        line = failing_line(
            scenario.script, scenario.command or (), init, actor, stage, scenario.terminal
        )
        return Status.PASSED if line is None else line

    with ThreadPoolExecutor(PLAYS_AT_ONCE) as plays:
        ends = zip(verdicts, plays.map(play, verdicts), strict=True)
    return {
        verdict.scenario: (judged, end)
        for verdict, end in ends
        if end != (judged := verdict.failed_step or verdict.status) and name not in BY_CHANCE
    }


def judged(
    init: Sequence[str], scenarios: Iterable[Scenario] = SCENARIOS.values()
) -> list[Verdict]:
    return judge_installed(init, list(scenarios), mode=PIDNS)


@pytest.mark.slow
@pytest.mark.parametrize("name", INSTALLED)
def test_they_agree_about_what_people_use(name: str, actor: Path, tmp_path: Path) -> None:
    init = INSTALLED[name]
    if shutil.which(init[0]) is None:
        pytest.skip(f"{init[0]} is not installed")
    assert differences(name, init, judged(init), actor, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.stem)
def test_they_agree_about_correct_inits(design: Path, actor: Path, tmp_path: Path) -> None:
    init = [str(compiled(design, tmp_path / "init"))]
    assert differences(design.stem, init, judged(init), actor, tmp_path) == {}


@pytest.mark.slow
def test_they_agree_about_the_solution_in_python(actor: Path, tmp_path: Path) -> None:
    folder = LAB.folder / "solution" / "python"
    verdicts = assess(LAB, folder, mode=PIDNS, scenarios=list(SCENARIOS.values())).verdicts
    init = ["python3", str(folder / "init.py")]
    assert differences("python", init, verdicts, actor, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_they_agree_about_a_mutant(mutant: Mutant, actor: Path, tmp_path: Path) -> None:
    write(mutant, tmp_path / "source")
    init = [str(compiled(tmp_path / "source" / mutant.of.name, tmp_path / "init"))]
    assert differences(mutant.name, init, judged(init), actor, tmp_path) == {}


@pytest.mark.parametrize("name", ["env", "init"])
def test_they_agree_about_an_orphan(name: str, actor: Path, tmp_path: Path) -> None:
    """A sample for every run: a command that is its own PID 1 leaves the zombie, the solution does not."""
    init = ["env"] if name == "env" else [str(compiled(DESIGNS[0], tmp_path / "init"))]
    verdicts = judged(init, [SCENARIOS["02_orphan"]])
    assert (verdicts[0].status is Status.PASSED) == (name == "init")
    assert differences(name, init, verdicts, actor, tmp_path) == {}


def test_all_is_played_that_does_not_depend_on_how_init_starts() -> None:
    begins = re.compile(r"^(init starts|freeze \w+ after)|at any moment$", re.MULTILINE)
    left = {s.name for s in LAB.scenarios if not begins.search(s.script) and s.command != ()}
    assert left == set(SCENARIOS)
