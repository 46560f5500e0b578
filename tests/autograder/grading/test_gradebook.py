"""What is recorded is there again, whatever happened in between."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attempts import attempts
from made_up_class import ASKED, CLASS, assessment, does_not_build

from autograder.errors import CommandError
from autograder.grading import migrations
from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Result, Terms
from autograder.trial.verdict import Verdict


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.sqlite") as gradebook:
        yield gradebook


def score(verdicts: list[Verdict]) -> float:
    return sum(verdict.points for verdict in verdicts)


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
    assert [score(verdicts) for verdicts in attempts(book, "ada")] == [0, 42]


def test_who_has_no_attempt_has_no_result(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada", "ben"])
    book.record(run, Result("ben", assessment()))
    assert [result.student for result in book.results(run)] == ["ben"]
    assert book.result(run, "ada") is None


def test_graded_is_whom_the_grader_did_not_break_down_on(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada", "ben", "dora"])
    book.record(run, Result("ada", assessment()))
    book.record(run, Result("ben", assessment(), breakdown="Traceback ..."))
    book.record(run, Result("dora", assessment(), breakdown="Traceback ..."))
    book.record(run, Result("dora", assessment()))
    assert set(book.graded(run)) == {"ada", "dora"}


def test_a_new_run_starts_from_nothing(book: Gradebook) -> None:
    first = book.begin("init", "", ASKED, ["ada"])
    book.record(first, Result("ada", assessment()))
    second = book.begin("init", "", ASKED, ["ada"])
    assert book.graded(second) == {}
    assert set(book.graded(first)) == {"ada"}


def test_an_attempt_is_recorded_whole_or_not_at_all(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada"])
    good = assessment()
    twice = type(good)(good.lab, good.mode, (*good.verdicts, good.verdicts[0]))
    with pytest.raises(CommandError):
        book.record(run, Result("ada", twice))
    assert book.result(run, "ada") is None
    assert attempts(book, "ada") == []


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


def test_a_gradebook_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    given = Result("ada", assessment(fails=["03"]), 0.25)
    first = sqlite3.connect(path)
    for statement in migrations.FIRST.split(";\n"):
        first.execute(statement)
    first.execute("PRAGMA user_version = 1")
    first.execute("INSERT INTO run VALUES (1, 'init', 'Write an init', '2026-01-01T00:00:00')")
    first.execute("INSERT INTO enrolled VALUES (1, 'ada')")
    for position, asked in enumerate(ASKED):
        first.execute(
            "INSERT INTO asked VALUES (1, ?, ?, ?, ?, ?)",
            (position, asked.name, asked.title, asked.points, asked.why),
        )
    first.execute("INSERT INTO attempt VALUES (1, 1, 'ada', 'pidns', '2026-01-01', 0.25, '')")
    for position, verdict in enumerate(given.assessment.verdicts):
        first.execute(
            "INSERT INTO verdict VALUES (1, ?, ?, ?, ?, ?, ?)",
            (
                position,
                verdict.scenario,
                str(verdict.status),
                verdict.points,
                verdict.max_points,
                json.dumps(verdict.to_json()),
            ),
        )
    first.commit()
    first.close()
    with Gradebook(path) as book:
        run = book.latest_run()
        assert run is not None
        assert list(run.scenarios) == ASKED
        assert list(book.results(run)) == [given]
        assert set(book.graded(run)) == {"ada"}
        book.record(run, Result("ada", assessment()))
        assert [score(verdicts) for verdicts in attempts(book, "ada")] == [37, 42]
    with Gradebook(path) as book:
        assert len(attempts(book, "ada")) == 2


def test_a_migration_that_is_cut_off_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    book = sqlite3.connect(path, isolation_level=None)
    book.execute("BEGIN")
    migrations.migrate(book)
    book.close()  # as a kill does: without COMMIT
    with Gradebook(path) as gradebook:
        assert gradebook.latest_run() is None


def test_an_attempt_counts_once_it_is_finished(book: Gradebook) -> None:
    run = book.begin("init", "", ASKED, ["ada"])
    whole = Result("ada", assessment(), 1.0, late=7.0, penalty=5.0)
    book.record(run, Result("ada", does_not_build()))
    attempt, _ = book.open_attempt(run, "ada", Terms())
    for position, verdict in enumerate(whole.assessment.verdicts[:3]):
        book.add(attempt, position, verdict)
    assert [result.score for result in book.results(run)] == [0]
    rest = replace(whole.assessment, verdicts=whole.assessment.verdicts[3:])
    last = len(whole.assessment.verdicts)
    assert book.finish(attempt, replace(whole, assessment=rest), range(3, last)) == whole
    assert [result.score for result in book.results(run)] == [37]
