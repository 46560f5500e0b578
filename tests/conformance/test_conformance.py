"""The table of what inits keep: nobody is accused of what nobody has looked at, and it says what was seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.language.roles import PIDNS
from autograder.stage.isolation import probe, refusal_of_virtual_time
from autograder.trial.verdict import Status

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from conformance import __main__ as command  # noqa: E402
from conformance.played import LABS, asked_of, programs, promises, verdicts  # noqa: E402

SEEN = json.loads(command.RESULTS.read_text())
PROGRAMS = {program.name: program for program in programs()}


def test_each_scene_stands_for_one_promise() -> None:
    placed = Counter(key for promise in promises() for key in promise.scenes)
    there = {f"{lab}/{one.name[:2]}" for lab in LABS for one in load_lab(lab).scenarios}
    assert set(placed) == there
    assert set(placed.values()) == {1}


def test_each_scene_that_is_failed_has_a_reason_and_no_other_has() -> None:
    assert command.problems(SEEN["failed"]) == []


def test_a_scene_without_a_reason_and_a_reason_without_a_scene_are_told() -> None:
    failed = {**SEEN["failed"], "tini": {"init/20": [2, "It exited with 1."]}}
    told = command.problems(failed)
    assert "tini fails init/20, line 2, and nobody says why: It exited with 1." in told
    assert "tini passes init/53, and yet there is a reason why it does not" in told


def test_the_page_says_what_was_seen() -> None:
    assert (command.DOCS / "conformance.md").read_text() == command.written(SEEN)


def test_pictures_are_there_and_no_others() -> None:
    there = {path.stem for path in (command.DOCS / "conformance").glob("*.svg")}
    assert there == set(command.PICTURES)


def test_a_program_that_stays_is_asked_for_nothing_beyond_the_end_of_main() -> None:
    for _, scenario, _ in asked_of(PROGRAMS["s6-svscan"]).values():
        assert "main exits" not in scenario.script
        assert "expect init exits" not in scenario.script


@pytest.mark.parametrize(("program", "key"), [("our init", "init/40"), ("our shutdown", "init/40")])
def test_a_sample_is_as_it_was(program: str, key: str) -> None:
    if probe().mode != PIDNS or refusal_of_virtual_time(PIDNS):
        pytest.skip("PID namespaces and virtual time are not to be had here")
    [verdict] = verdicts(PROGRAMS[program], ROOT, {key}).values()
    assert (verdict.status is Status.FAILED) == (key in SEEN["failed"][program])


def lines(failed: dict[str, dict[str, list[object]]]) -> dict[tuple[str, str], object]:
    """At which line each play failed."""
    return {(name, key): line for name, lost in failed.items() for key, (line, _) in lost.items()}


@pytest.mark.slow
def test_the_table_is_the_same_when_it_is_made_anew() -> None:
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("only root can make the root, with mmdebstrap")
    root = ROOT / "build" / "conformance" / "root"
    made = ["sh", str(ROOT / "scripts" / "conformance" / "root.sh"), "bookworm", str(root)]
    if subprocess.run(made).returncode != 0:
        pytest.skip("there are no packages of Debian here")
    assert lines(command.played(root)["failed"]) == lines(SEEN["failed"])
