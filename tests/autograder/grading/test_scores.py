"""What a scenario is worth, what comes on top, and what lateness costs."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attempts import attempts
from made_up_class import ASKED, assessment, failed, passed
from made_up_lab import LAB, by_name, hand_in

from autograder.errors import CommandError
from autograder.grading.grade import grade
from autograder.grading.gradebook import Gradebook
from autograder.grading.lateness import charge, handed_in, load_policy, seconds_late
from autograder.grading.records import Result
from autograder.labs.flaws import LabError
from autograder.labs.lab import Lab, Late, load_lab
from autograder.submission.submissions import Submission, find_submissions
from autograder.trial.verdict import Assessment

DUE = datetime(2026, 11, 30, 12, tzinfo=UTC)
SCENARIO = """\
title = "{name}"
points = 4
why = "To see."
{more}
script = '''
main exits 0
expect init exits 0
'''
"""
POLICY = """\
import math

def a_tenth_a_day(student_id, score, total_seconds_late):
    return score * 0.1 * math.ceil(total_seconds_late / 86400)

def greedy(student_id, score, total_seconds_late):
    return 10 * score

def broken(student_id, score, total_seconds_late):
    return score / 0

nothing = 5
"""


def lab_of(folder: Path, settings: str = "", extra: str = "") -> Lab:
    (folder / "scenarios").mkdir(parents=True, exist_ok=True)
    (folder / "lab.toml").write_text(f'title = "A lab"\n{settings}')
    (folder / "late.py").write_text(POLICY)
    for name in ("01_one", "02_two", "10_ten"):
        more = "extra = true" if name == extra else ""
        text = SCENARIO.format(name=name, more=more)
        (folder / "scenarios" / f"{name}.toml").write_text(text)
    return load_lab(folder)


def flaws(folder: Path, settings: str) -> str:
    with pytest.raises(LabError) as raised:
        lab_of(folder, settings)
    return str(raised.value)


def test_weights_multiply_points(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, '[weights]\n"01_one" = 2\n"0*" = 1.5\n')
    assert [scenario.points for scenario in lab.scenarios] == [12, 6, 4]
    assert lab.max_points == 22


def test_a_weight_of_a_scenario_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = flaws(tmp_path, '[weights]\n"01_won" = 2\n')
    assert "line 3" in told
    assert "Did you mean '01_one'" in told


@pytest.mark.parametrize("weight", ["0", "-1", '"2"'])
def test_a_weight_is_a_number_greater_than_0(tmp_path: Path, weight: str) -> None:
    assert "must be a number greater than 0" in flaws(tmp_path, f'[weights]\n"01_one" = {weight}\n')


def test_extra_credit_is_on_top_of_the_maximum(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, extra="10_ten")
    assert lab.max_points == 8
    assert [scenario.extra for scenario in lab.scenarios] == [False, False, True]
    verdicts = [replace(passed(asked), extra=asked is ASKED[0]) for asked in ASKED]
    found = Assessment("init", "pidns", tuple(verdicts))
    assert found.score == 42
    assert found.max_score == 42 - ASKED[0].points
    missed = Assessment("init", "pidns", (replace(failed(ASKED[0]), extra=True), *verdicts[1:]))
    assert missed.score == missed.max_score
    assert Assessment.from_json(found.to_json()) == found


def test_lateness_is_counted_from_the_due_time_or_ones_own(tmp_path: Path) -> None:
    hand_in(tmp_path, ["ada", "ben", "chen"])
    late = Late(DUE, "late.py:a_tenth_a_day", {"chen": DUE + timedelta(days=7)})
    found = {}
    for submission in find_submissions(tmp_path, "init"):
        assert submission.folder is not None
        hours = {"ada": -1, "ben": 25, "chen": 25}[submission.student]
        moment = (DUE + timedelta(hours=hours)).timestamp()
        os.utime(submission.folder / "init.c", (moment, moment))
        found[submission.student] = seconds_late(late, submission)
    assert found == {"ada": 0, "ben": 25 * 3600, "chen": 0}


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30 13:30:00.000000 UTC",
        "2026-11-30 14:30:00 Europe/Berlin",
        "2026-11-30 05:30:00 -0800",
        "2026-11-30T13:30:00+00:00\n",
    ],
)
def test_nbgraders_time_stamp_tells_when_it_was_handed_in(tmp_path: Path, text: str) -> None:
    hand_in(tmp_path, ["ada"])
    submission = Submission("ada", tmp_path / "ada" / "init")
    (tmp_path / "ada" / "init" / "timestamp.txt").write_text(text)
    assert handed_in(submission) == DUE + timedelta(hours=1.5)


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2026-11-30 12:00:00 Nowhere/Town", "\0" * 500),
        "0001-01-01 00:00:00",  # before which there is none, for those who are east of Greenwich
    ],
)
def test_a_time_stamp_that_says_nothing_is_left_alone(tmp_path: Path, text: str) -> None:
    hand_in(tmp_path, ["ada"])
    folder = tmp_path / "ada" / "init"
    (folder / "timestamp.txt").write_text(text)
    for file in folder.iterdir():
        os.utime(file, (DUE.timestamp(), DUE.timestamp()))
    assert handed_in(Submission("ada", folder)) == DUE


@pytest.mark.parametrize("year", [-29_719, 14_645, 3 * 10**11])
def test_a_year_that_no_calendar_has_is_the_last_or_the_first_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    """tmpfs and XFS keep them, and touch(1) sets them; not each file system of those who test does."""
    hand_in(tmp_path, ["ada"])
    [ada] = find_submissions(tmp_path, "init")
    real = Path.lstat

    def in_that_year(path: Path) -> os.stat_result:
        facts = real(path)
        times = {"st_mtime": (year - 1970) * 31_556_952.0} if path.name == "init.c" else {}
        return os.stat_result(tuple(facts), times)

    monkeypatch.setattr(Path, "lstat", in_that_year)
    late = seconds_late(Late(DUE, "late.py:a_tenth_a_day"), ada)
    assert (late > 7_000 * 31_556_952) if year > 0 else late == 0


def test_a_time_stamp_of_the_students_own_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "class" / "ada"
    folder.mkdir(parents=True)
    for name in ("init.c", "timestamp.txt"):
        (folder / name).write_text("2020-01-01 12:00:00 UTC")
        os.utime(folder / name, (DUE.timestamp(), DUE.timestamp()))
    (folder.parent / "timestamp.txt").write_text("2020-01-01 12:00:00 UTC")
    [ada] = find_submissions(folder.parent, "init")
    assert handed_in(ada) == DUE


def test_a_time_stamp_that_is_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    hand_in(tmp_path, ["ada"])
    os.mkfifo(tmp_path / "ada" / "init" / "timestamp.txt")
    assert handed_in(find_submissions(tmp_path, "init")[0]) is not None


def test_who_looks_into_a_folder_makes_nobody_late(tmp_path: Path) -> None:
    hand_in(tmp_path, ["ada"])
    folder = tmp_path / "ada" / "init"
    os.utime(folder / "init.c", (DUE.timestamp(), DUE.timestamp()))
    (folder / ".DS_Store").touch()
    (folder / ".git").mkdir()
    (folder / ".git" / "index").touch()
    assert handed_in(find_submissions(tmp_path, "init")[0]) == DUE


def graded_late(root: Path, policy: str, book: Gradebook, days: float = 2) -> Result:
    lab = lab_of(root / "lab", f'[late]\ndue = {DUE.isoformat()}\npolicy = "{policy}"\n')
    hand_in(root / "class", ["ada"])
    moment = (DUE + timedelta(days=days)).timestamp()
    os.utime(root / "class" / "ada" / "init" / "init.c", (moment, moment))
    submissions = find_submissions(root / "class", "init")
    run = grade(LAB, submissions, book, assess=by_name, jobs=1, resume=True)
    charge(replace(LAB, folder=lab.folder, late=lab.late), submissions, book, run)
    result = book.result(run, "ada")
    assert result is not None
    return result


def test_a_policy_takes_points_off_what_was_graded(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        result = graded_late(tmp_path, "late.py:a_tenth_a_day", book)
        assert (result.assessment.score, result.late, result.score) == (42, 2 * 86400, 33.6)
        in_time = graded_late(tmp_path, "late.py:a_tenth_a_day", book, days=-1)
        assert (in_time.late, in_time.score) == (0, 42)


def test_no_score_is_ever_below_0(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        assert graded_late(tmp_path, "late.py:greedy", book).score == 0
    assert Result("ada", assessment(), penalty=99).score == 0


def test_a_policy_that_fails_says_on_whom_and_keeps_the_marks(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        with pytest.raises(CommandError, match=r"(?s)failed on ada.*ZeroDivisionError.*kept"):
            graded_late(tmp_path, "late.py:broken", book)
        assert len(attempts(book, "ada")) == 1


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("late.py:missing", "missing"),
        ("late.py:nothing", "is no function"),
        ("nowhere.py:f", "nowhere.py"),
        ("no_such_module:f", "no_such_module"),
    ],
)
def test_a_policy_that_is_not_there_is_told_before_grading(
    tmp_path: Path, policy: str, words: str
) -> None:
    lab = lab_of(tmp_path, f'[late]\ndue = {DUE.isoformat()}\npolicy = "{policy}"\n')
    with pytest.raises(CommandError, match=words):
        load_policy(lab)


def test_what_is_wrong_about_lateness_is_told_by_line(tmp_path: Path) -> None:
    told = flaws(tmp_path, '[late]\ndue = "tomorrow"\npolicy = "none"\npolcy = 1\n')
    assert "line 3: `due` must be a date" in told
    assert "line 4: `policy` must be FILE.py:FUNCTION" in told
    assert "Did you mean 'policy'" in told


def test_extensions_are_moments_by_student(tmp_path: Path) -> None:
    lab = lab_of(
        tmp_path,
        f'[late]\ndue = {DUE.isoformat()}\npolicy = "late.py:greedy"\n'
        "[late.extensions]\nada = 2026-12-01T00:00:00Z\n",
    )
    assert lab.late is not None
    assert lab.late.extensions == {"ada": datetime(2026, 12, 1, tzinfo=UTC)}
