"""On Gradescope results.json is there from the beginning, and never promises more than was checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_up_class import assessment
from made_up_lab import LAB

from autograder.errors import CommandError
from autograder.reports.upload import ResultsFile


def told(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_file_grows_with_each_verdict(tmp_path: Path) -> None:
    path = tmp_path / "results" / "results.json"
    file = ResultsFile(path, LAB)
    assert told(path)["score"] == 0
    assert sum(test["max_score"] for test in told(path)["tests"]) == 0
    possible = 0.0
    for verdict in assessment(fails=["03"]).verdicts:
        file.add(verdict)
        possible += verdict.max_points
        assert sum(test["max_score"] for test in told(path)["tests"]) == possible
        assert len(told(path)["tests"]) == len(LAB.scenarios)
    assert told(path)["score"] == 37


def test_what_was_not_reached_is_no_fault_of_the_student(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "results.json", LAB)
    first, *_ = assessment().verdicts
    file.add(first)
    tests = told(tmp_path / "results.json")["tests"]
    assert [test.get("status") for test in tests] == ["passed"] + [None] * (len(tests) - 1)
    assert "stopped before" in tests[-1]["output"]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        ResultsFile(tmp_path / "results" / "results.json", LAB)
