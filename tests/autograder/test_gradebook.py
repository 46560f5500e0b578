"""What is recorded is there again, whatever happened in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_class import ASKED, CLASS, assessment, does_not_build

from autograder.errors import CommandError
from autograder.gradebook import Gradebook, Result


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.sqlite") as gradebook:
        yield gradebook


def test_results_come_back_as_they_were(book: Gradebook) -> None:
    run = book.begin("init", "Write an init", ASKED, sorted(CLASS))
    results = [Result(student, CLASS[student], 0.25) for student in sorted(CLASS)]
    for result in reversed(results):
        book.record(run, result)
    assert list(book.results(run)) == results


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook(path) as gradebook:
        run = gradebook.begin("init", "Write an init", ASKED, ["ada", "ben"])
    with Gradebook(path) as gradebook:
        assert gradebook.latest_run() == run


def test_the_latest_attempt_counts_and_earlier_ones_stay(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada"])
    book.record(run, Result("ada", does_not_build()))
    book.record(run, Result("ada", assessment()))
    assert [result.assessment.score for result in book.results(run)] == [42]
    assert book.attempts("ada") == 2


def test_who_has_no_attempt_has_no_result(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada", "ben"])
    book.record(run, Result("ben", assessment()))
    assert [result.student for result in book.results(run)] == ["ben"]
    assert book.result(run, "ada") is None


def test_graded_is_whom_the_grader_did_not_break_down_on(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada", "ben", "dora"])
    book.record(run, Result("ada", assessment()))
    book.record(run, Result("ben", assessment(), trouble="Traceback ..."))
    book.record(run, Result("dora", assessment(), trouble="Traceback ..."))
    book.record(run, Result("dora", assessment()))
    assert book.graded(run) == {"ada", "dora"}


def test_a_new_run_starts_from_nothing(book: Gradebook) -> None:
    first = book.begin("init", "", ASKED, ["ada"])
    book.record(first, Result("ada", assessment()))
    second = book.begin("init", "", ASKED, ["ada"])
    assert book.graded(second) == set()
    assert book.graded(first) == {"ada"}


def test_an_attempt_is_recorded_whole_or_not_at_all(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada"])
    good = assessment()
    twice = type(good)(good.lab, good.mode, (*good.verdicts, good.verdicts[0]))
    with pytest.raises(CommandError):
        book.record(run, Result("ada", twice))
    assert book.result(run, "ada") is None
    assert book.attempts("ada") == 0


def test_readers_do_not_wait_for_the_grader(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook(path) as gradebook:
        run = gradebook.begin("init", "", ASKED, ["ada"])
        gradebook.record(run, Result("ada", assessment(fails=["03"])))
        reader = sqlite3.connect(path, timeout=0)
        rows = reader.execute("SELECT scenario FROM verdict WHERE status = 'failed'").fetchall()
        mode = reader.execute("PRAGMA journal_mode").fetchone()
        reader.close()
    assert rows == [("03_orphan",)]
    assert mode == ("wal",)


def test_a_file_that_is_no_gradebook_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    path.write_text("my shopping list " * 100)
    with pytest.raises(CommandError, match="cannot be used as a gradebook"):
        Gradebook(path)
    assert path.read_text().startswith("my shopping list")


def test_a_gradebook_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    Gradebook(path).close()
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(CommandError, match="later version"):
        Gradebook(path)
