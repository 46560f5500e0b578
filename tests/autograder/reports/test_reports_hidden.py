"""What a student is given tells of hidden scenarios how they went, and not what they are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_class import ASKED, CLASS, assessment, does_not_build
from markupsafe import escape

from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Result
from autograder.reports.write import write_reports

HIDDEN = {"04_burst", "06_term"}
SECRETS = [
    word
    for asked in ASKED
    if asked.name in HIDDEN
    for word in (asked.name, asked.title, asked.why, "eight deaths came as one", "g1..g8")
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hidden")
    asked = [replace(a, hidden=a.name in HIDDEN) for a in ASKED]
    students = {**CLASS, "late": assessment(fails=["04"])}
    with Gradebook(folder / "gradebook.sqlite") as book:
        run = book.begin("init", "Write an init", asked, sorted(students))
        for student, found in students.items():
            late = {"late": 7200.0, "penalty": 4.0} if student == "late" else {}
            book.record(run, Result(student, found, 0.5, **late))
        write_reports(book, run, folder)
    return folder


def for_students(out: Path) -> list[Path]:
    pages = [path for path in (out / "report").glob("*.html") if path.name != "index.html"]
    return [*pages, *(out / "report" / "films").iterdir(), *(out / "results").iterdir()]


def test_nothing_that_a_student_gets_has_a_name_or_a_play_of_theirs(out: Path) -> None:
    assert len(for_students(out)) > 2 * len(CLASS)
    for path in for_students(out):
        text = path.read_text()
        for secret in SECRETS:
            assert secret not in text, path
        assert "g1" not in text or "films" in str(path), path


def test_the_instructor_sees_everything(out: Path) -> None:
    page = (out / "report" / "instructor" / "ben.html").read_text()
    assert all(str(escape(a.title)) in page for a in ASKED)
    index = (out / "report" / "index.html").read_text()
    assert 'href="instructor/ben.html#04_burst"' in index
    assert "04_burst" in (out / "junit.xml").read_text()


def test_a_student_learns_that_hidden_ones_failed(out: Path) -> None:
    """All that is to be seen has passed, and yet not all."""
    results = json.loads((out / "results" / "late.json").read_text())
    hidden = [test for test in results["tests"] if test["name"].startswith("Hidden")]
    assert [test["name"] for test in hidden] == ["Hidden scenario 1", "Hidden scenario 2"]
    assert [test["status"] for test in hidden] == ["failed", "passed"]
    assert results["tests"][-2:] == hidden
    page = (out / "report" / "late.html").read_text()
    assert "Hidden scenario 1" in page


def test_lateness_is_told_and_taken_off(out: Path) -> None:
    results = json.loads((out / "results" / "late.json").read_text())
    whole = assessment(fails=["04"])
    assert results["score"] == whole.score - 4
    assert sum(test["max_score"] for test in results["tests"]) == whole.max_score
    assert "4 points off" in results["output"]
    page = (out / "report" / "late.html").read_text()
    assert "2 h late" in page


def test_a_compilers_words_are_no_secret(out: Path) -> None:
    page = (out / "report" / "dora.html").read_text()
    assert page.count("undeclared") == 1
    assert does_not_build().verdicts[0].message.split("\n")[0][:20] in page
