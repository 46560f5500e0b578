"""No scenario too few: every program that is one small mistake away from the solution fails one of them.

A lab's own mutants are the mistakes that people make. These are all that a few rules can make (one_step.py). Those that
nobody can tell from the solution stand in uncatchable.toml, each with its reason.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest
from one_step import Mutation, mutations

from autograder.labs.lab import load_lab
from autograder.language.roles import PIDNS
from autograder.stage.isolation import probe
from autograder.stage.tools import compiler
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

LAB = load_lab("init")
SOURCE = (LAB.folder / "solution" / "c" / "init.c").read_text()
MUTATIONS = mutations(SOURCE)
TABLE = tomllib.loads(Path(__file__).with_name("uncatchable.toml").read_text())
UNCATCHABLE = {name: entry["why"] for entry in TABLE["same"] for name in entry["mutations"]}
ONE_IN = 24  # of the mutations is judged by `make test`, all of them by `make mutants`

EXAMPLE = """\
/* if (this) is a comment; */
static int twice(int number) {
    if (number < 0 && call(number, FLAG)) {
        return -1;
    }
    wait(1);
    return number == 0 ? 0 : 2 + number;
}
"""


class _CaughtError(Exception):
    """By a scenario: the others need not be played."""


def caught_by(mutation: Mutation, folder: Path) -> str | None:
    """The first scenario that fails; None if all pass."""

    def stop_at_failure(verdict: Verdict) -> None:
        assert verdict.status is not Status.ERROR, verdict.message
        if verdict.status is Status.FAILED:
            raise _CaughtError(verdict.scenario)

    (folder / "init.c").write_text(mutation.text)
    try:
        assess(LAB, folder, mode=PIDNS, on_verdict=stop_at_failure)
    except _CaughtError as caught:
        return str(caught)
    return None


def compiles(mutation: Mutation, folder: Path) -> bool:
    (folder / "init.c").write_text(mutation.text)
    check = [compiler(), "-std=gnu11", "-w", "-fsyntax-only", str(folder / "init.c")]
    return subprocess.run(check, capture_output=True, timeout=60).returncode == 0


def judge(mutation: Mutation, folder: Path) -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    if not compiles(mutation, folder):
        pytest.skip("it does not compile")
    found = caught_by(mutation, folder)
    if str(mutation) in UNCATCHABLE:
        assert found is None, f"{found} tells it from the solution: take it out of uncatchable.toml"
    else:
        assert found is not None, "no scenario fails"


@pytest.mark.parametrize("mutation", MUTATIONS[::ONE_IN], ids=str)
def test_some_programs_one_step_away_are_caught_or_cannot_be(
    mutation: Mutation, tmp_path: Path
) -> None:
    judge(mutation, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutation", [m for number, m in enumerate(MUTATIONS) if number % ONE_IN], ids=str
)
def test_every_program_one_step_away_is_caught_or_cannot_be(
    mutation: Mutation, tmp_path: Path
) -> None:
    judge(mutation, tmp_path)


def test_whatever_is_in_the_table_is_one_of_the_mutations() -> None:
    assert {*UNCATCHABLE} <= {str(mutation) for mutation in MUTATIONS}
    assert len(UNCATCHABLE) < len(MUTATIONS) / 6


def test_no_two_mutations_are_the_same_program_or_have_the_same_name() -> None:
    assert len(MUTATIONS) == len({mutation.text for mutation in MUTATIONS}) >= 145
    assert len(MUTATIONS) == len({str(mutation) for mutation in MUTATIONS})
    assert SOURCE not in {mutation.text for mutation in MUTATIONS}


def test_every_kind_of_step_is_taken() -> None:
    steps = {(mutation.before, mutation.after) for mutation in mutations(EXAMPLE)}
    condition, last = (
        "if (number < 0 && call(number, FLAG)) {",
        "return number == 0 ? 0 : 2 + number;",
    )
    assert {
        (condition, "if (!(number < 0 && call(number, FLAG))) {"),
        (condition, "if (number < 0 || call(number, FLAG)) {"),
        (condition, "if (number <= 0 && call(number, FLAG)) {"),
        (condition, "if (number < 1 && call(number, FLAG)) {"),
        (condition, "if (number < 0 && call(number, 0)) {"),
        (condition, ""),
        ("return -1;", ""),
        ("return -1;", "return 1;"),
        ("wait(1);", ""),
        ("wait(1);", "wait(2);"),
        (last, "return !(number == 0) ? 0 : 2 + number;"),
        (last, "return number != 0 ? 0 : 2 + number;"),
        (last, "return number == 0 ? 0 : 2 - number;"),
    } <= steps
    assert {mutation.function for mutation in mutations(EXAMPLE)} == {"twice"}
