"""A grader that is killed at any moment goes on where it was, and ends with what an undisturbed one finds."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from attempts import attempts
from made_up_lab import LAB, by_name, hand_in

from autograder.grading.foreman import digest_of
from autograder.grading.grade import grade
from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Result, Run, Terms
from autograder.labs.demo_class import make_class
from autograder.labs.lab import load_lab
from autograder.submission.submissions import find_submissions

ROOT = Path(__file__).parents[3]
HELPERS = ROOT / "tests" / "autograder"
STUDENTS = ["ada", "bad ben", "chen", "dora", "bad emil", "fatima"]
KILLS = 12
GRADER = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from made_up_lab import LAB, by_name
from autograder.trial import assess as judge
from autograder.grading.grade import grade
from autograder.grading.gradebook import Gradebook
from autograder.labs.lab import load_lab
from autograder.submission.submissions import find_submissions

root = Path({root!r})
lab, assess = (load_lab("init"), judge.assess) if {real} else (LAB, by_name)
with Gradebook(root / "gradebook.sqlite") as book:
    submissions = find_submissions(root / "class", "init")
    grade(lab, submissions, book, assess=assess, jobs=2, mode={mode!r}, resume=True)
"""


def start(root: Path, *, real: bool = False, mode: str | None = None) -> subprocess.Popen[bytes]:
    paths = [str(HELPERS), str(ROOT)]
    program = GRADER.format(paths=paths, root=str(root), real=real, mode=mode)
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)


def verdicts_in(book: Path) -> int:
    try:
        reader = sqlite3.connect(f"file:{book}?mode=ro", uri=True)
        try:
            return int(reader.execute("SELECT count(*) FROM verdict").fetchone()[0])
        finally:
            reader.close()
    except sqlite3.Error:  # it is being made
        return 0


def kill_after(grader: subprocess.Popen[bytes], book: Path, more: int) -> bool:
    """Kills the grader as soon as it has committed so many verdicts; False if it was done before."""
    before = verdicts_in(book)
    while grader.poll() is None:
        if verdicts_in(book) >= before + more:
            grader.kill()
            return grader.wait() == -signal.SIGKILL
    assert grader.returncode == 0
    return False


def results(book: Path) -> tuple[Run, list[Result]]:
    with Gradebook(book) as gradebook:
        run = gradebook.latest_run()
        assert run is not None
        return run, list(gradebook.results(run))


def said(book: Path) -> list[tuple[object, ...]]:
    return [
        (result.student, v.scenario, v.status, v.points, v.failed_step, v.message)
        for result in results(book)[1]
        for v in result.assessment.verdicts
    ]


def test_killed_at_random_moments_it_ends_as_one_that_was_left_alone(tmp_path: Path) -> None:
    moments = random.Random(7)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for root in (undisturbed, killed):
        hand_in(root / "class", STUDENTS)
    assert start(undisturbed).wait(120) == 0
    book = killed / "gradebook.sqlite"
    kills = 0
    for _ in range(KILLS):
        kills += kill_after(start(killed), book, moments.randrange(0, 9))
    assert start(killed).wait(120) == 0
    assert kills >= 3
    _, expected = results(undisturbed / "gradebook.sqlite")
    run, found = results(book)
    assert [(r.student, r.assessment) for r in found] == [
        (r.student, r.assessment) for r in expected
    ]
    assert verdicts_in(book) == len(STUDENTS) * len(LAB.scenarios), "lost or doubled"
    with Gradebook(book) as gradebook:
        assert {len(attempts(gradebook, student)) for student in run.students} == {1}


def test_real_plays_that_were_cut_off_are_played_again(tmp_path: Path, mode: str) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    make_class(load_lab("init"), tmp_path / "all")
    for root in (undisturbed, killed):
        for student in ("solution_c", "mutant_splits_arguments", "starter_c"):
            shutil.copytree(tmp_path / "all" / student, root / "class" / student)
    assert start(undisturbed, real=True, mode=mode).wait(300) == 0
    book = killed / "gradebook.sqlite"
    for more in (5, 40, 20):
        assert kill_after(start(killed, real=True, mode=mode), book, more)
    assert start(killed, real=True, mode=mode).wait(300) == 0
    # Signals that come at once may be told in another order each time: the histories differ, what is said does not.
    assert said(book) == said(undisturbed / "gradebook.sqlite")


def test_a_verdict_survives_the_grader(tmp_path: Path) -> None:
    """Each is committed as it comes, in the middle of a student."""
    path = tmp_path / "gradebook.sqlite"
    submission = tmp_path / "class"
    hand_in(submission, ["ada"])
    found = by_name(LAB, submission / "ada" / "init").verdicts
    pid = os.fork()
    if pid == 0:
        book = Gradebook(path)
        run = book.begin("init", "", [], ["ada"])
        attempt, _ = book.open_attempt(run, "ada", Terms("files"))
        book.add(attempt, 0, found[0])
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    with Gradebook(path) as book:
        latest = book.latest_run()
        assert latest is not None
        assert book.result(latest, "ada") is None
        _, done = book.open_attempt(latest, "ada", Terms("files"))
        assert done == {found[0].scenario}


@pytest.mark.parametrize("changed", [Terms("other files"), Terms("files", "other lab")])
def test_an_attempt_is_not_continued_with_something_else(tmp_path: Path, changed: Terms) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        run = book.begin("init", "", [], ["ada"])
        first, _ = book.open_attempt(run, "ada", Terms("files"))
        second, done = book.open_attempt(run, "ada", changed)
        assert second != first
        assert done == set()


def test_a_lab_is_another_one_if_any_of_its_plays_is_or_if_init_stands_elsewhere() -> None:
    first, *others = LAB.scenarios
    harder = replace(LAB, scenarios=(replace(first, script="main exits 1\n"), *others))
    shorter = replace(LAB, scenarios=tuple(others))
    labs = [(LAB, "pidns"), (LAB, "subreaper"), (harder, "pidns"), (shorter, "pidns")]
    assert len({digest_of(lab, mode) for lab, mode in labs}) == len(labs)
    elsewhere = replace(LAB, scenarios=(replace(first, path=Path("moved.toml")), *others))
    assert digest_of(elsewhere, "pidns") == digest_of(LAB, "pidns")


def test_who_hands_in_again_is_graded_again(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", ["ada", "ben"])
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for _ in range(2):
            submissions = find_submissions(tmp_path / "class", "init")
            run = grade(LAB, submissions, book, assess=by_name, jobs=1, resume=True)
            (tmp_path / "class" / "ben" / "init" / "init.c").write_text("int main() { return 1; }")
        assert [len(attempts(book, student)) for student in run.students] == [1, 2]
