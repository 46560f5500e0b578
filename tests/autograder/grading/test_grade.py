"""A class is graded whatever happens to one student of it, and goes on where it was stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attempts import attempts
from made_up_class import ASKED
from made_up_lab import LAB, Assessor, by_name, hand_in

from autograder.errors import CommandError
from autograder.grading.foreman import Task, assess_one
from autograder.grading.grade import grade, output_folder
from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Result, Run
from autograder.labs.lab import Lab
from autograder.submission.submissions import Submission, find_submissions
from autograder.trial.verdict import Assessment, Status

Grade = Callable[..., Run]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.sqlite") as gradebook:
        yield gradebook


@pytest.fixture
def graded(tmp_path: Path, book: Gradebook) -> Grade:
    hand_in(tmp_path / "class", ["ada", "bad ben", "chen", "dora"])
    submissions = find_submissions(tmp_path / "class", "init")

    def run(assess: Assessor = by_name, jobs: int = 2, **how: Any) -> Run:
        with ThreadPoolExecutor(jobs) as threads:
            how.setdefault("executor", threads)
            return grade(LAB, submissions, book, assess=assess, **how)

    return run


def seen(assess: Assessor, names: list[str]) -> Assessor:
    def noting(lab: Lab, submission: Path, **how: Any) -> Assessment:
        names.append(submission.parent.name)
        return assess(lab, submission, **how)

    return noting


def stop_at(student: str) -> Assessor:
    def stopping(lab: Lab, submission: Path, **how: Any) -> Assessment:
        if submission.parent.name == student:
            raise KeyboardInterrupt
        return by_name(lab, submission, **how)

    return stopping


def break_on(student: str) -> Assessor:
    def breaking(lab: Lab, submission: Path, **how: Any) -> Assessment:
        if submission.parent.name == student:
            raise OSError("no more pseudo-terminals \x1b[2J")
        return by_name(lab, submission, **how)

    return breaking


def test_everybody_is_graded(graded: Grade, book: Gradebook) -> None:
    run = graded()
    scores = {r.student: r.assessment.score for r in book.results(run)}
    assert scores == {"ada": 42, "bad ben": 37, "chen": 42, "dora": 42}


def test_a_fault_of_the_grader_is_an_error_for_one_and_costs_nothing(
    graded: Grade, book: Gradebook
) -> None:
    run = graded(break_on("chen"))
    results = {r.student: r for r in book.results(run)}
    chen = results.pop("chen")
    assert chen.assessment.status is Status.ERROR
    assert (chen.assessment.score, chen.assessment.max_score) == (0, 0)
    assert len(chen.assessment.verdicts) == len(ASKED)
    assert "no more pseudo-terminals" in chen.assessment.verdicts[0].message
    assert "Traceback" in chen.breakdown
    assert "\x1b" not in chen.breakdown + chen.assessment.verdicts[0].message
    assert [r.assessment.score for r in results.values()] == [42, 37, 42]


def test_who_handed_in_nothing_fails_with_that_message(tmp_path: Path, book: Gradebook) -> None:
    hand_in(tmp_path / "class", ["ada"])
    (tmp_path / "class" / "ben" / "shell").mkdir(parents=True)
    run = grade(LAB, find_submissions(tmp_path / "class", "init"), book, assess=by_name)
    ben = book.result(run, "ben")
    assert ben is not None
    assert ben.assessment.status is Status.FAILED
    assert (ben.assessment.score, ben.assessment.max_score) == (0, 42)
    assert "Nothing was handed in" in ben.assessment.verdicts[0].message


def test_resume_grades_only_who_is_missing(graded: Grade, book: Gradebook) -> None:
    with pytest.raises(KeyboardInterrupt):
        graded(stop_at("chen"), jobs=1)
    again: list[str] = []
    run = graded(seen(by_name, again), jobs=1, resume=True)
    assert again == ["chen", "dora"]
    assert [r.student for r in book.results(run)] == ["ada", "bad ben", "chen", "dora"]
    assert [len(attempts(book, name)) for name in run.students] == [1, 1, 1, 1]


def test_resume_equals_a_run_that_nobody_stopped(
    tmp_path: Path, graded: Grade, book: Gradebook
) -> None:
    for student in ("ada", "bad ben", "dora"):
        with pytest.raises(KeyboardInterrupt):
            graded(stop_at(student), jobs=1, resume=True)
    stopped = [(r.student, r.assessment) for r in book.results(graded(resume=True))]
    assert stopped == [(r.student, r.assessment) for r in book.results(graded())]


def test_resume_tries_the_graders_own_errors_again(graded: Grade, book: Gradebook) -> None:
    graded(break_on("chen"))
    again: list[str] = []
    run = graded(seen(by_name, again), resume=True)
    assert again == ["chen"]
    assert {r.assessment.status for r in book.results(run)} == {Status.PASSED, Status.FAILED}


def test_resume_takes_in_who_came_later(tmp_path: Path, graded: Grade, book: Gradebook) -> None:
    graded()
    hand_in(tmp_path / "class", ["late"])
    submissions = find_submissions(tmp_path / "class", "init")
    again: list[str] = []
    with ThreadPoolExecutor() as threads:
        run = grade(
            LAB,
            submissions,
            book,
            assess=seen(by_name, again),
            executor=threads,
            resume=True,
        )
    assert again == ["late"]
    assert run.students == ("ada", "bad ben", "chen", "dora", "late")


def hand_in_the_same(root: Path, *students: str) -> None:
    for student in students:
        (root / student / "init" / "init.c").write_text("int main(void) { return 7; }\n")


def test_what_several_have_handed_in_is_judged_once_and_counts_for_each(
    tmp_path: Path, graded: Grade, book: Gradebook
) -> None:
    hand_in_the_same(tmp_path / "class", "ada", "chen", "dora")
    judged: list[str] = []
    shown: list[str] = []
    run = graded(seen(by_name, judged), on_result=lambda result: shown.append(result.student))
    assert sorted(judged) == ["ada", "bad ben"]
    assert sorted(shown) == ["ada", "bad ben", "chen", "dora"]
    ada, _, *others = book.results(run)
    assert [other.assessment for other in others] == [ada.assessment] * 2
    assert book.alike(run) == [["ada", "chen", "dora"]]


def test_who_hands_in_later_what_was_judged_already_has_those_verdicts(
    tmp_path: Path, graded: Grade, book: Gradebook
) -> None:
    graded()
    hand_in_the_same(tmp_path / "class", "chen")
    graded(resume=True)
    hand_in_the_same(tmp_path / "class", "dora")
    judged: list[str] = []
    run = graded(seen(by_name, judged), resume=True)
    assert judged == []
    assert book.alike(run) == [["chen", "dora"]]


def test_an_error_is_not_handed_on_to_who_has_handed_in_the_same(
    tmp_path: Path, graded: Grade, book: Gradebook
) -> None:
    hand_in_the_same(tmp_path / "class", "ada", "chen", "dora")
    judged: list[str] = []
    run = graded(seen(break_on("ada"), judged))
    assert sorted(judged) == ["ada", "bad ben", "chen"]
    assert judged.index("ada") < judged.index("chen")
    statuses = {r.student: r.assessment.status for r in book.results(run)}
    assert statuses["ada"] is Status.ERROR
    assert statuses["chen"] is statuses["dora"] is Status.PASSED


def test_one_who_is_to_be_graded_again_is_whatever_others_have_handed_in(
    tmp_path: Path, graded: Grade
) -> None:
    hand_in_the_same(tmp_path / "class", "ada", "chen")
    graded()
    judged: list[str] = []
    graded(seen(by_name, judged), only="chen")
    assert judged == ["chen"]


def test_a_second_grading_without_resume_grades_everybody(graded: Grade, book: Gradebook) -> None:
    graded()
    again: list[str] = []
    graded(seen(by_name, again))
    assert sorted(again) == ["ada", "bad ben", "chen", "dora"]
    assert len(attempts(book, "ada")) == 2


def test_a_new_grading_is_about_todays_class_only(tmp_path: Path, book: Gradebook) -> None:
    for folder, students in (("before", ["ada", "ben"]), ("now", ["ben", "chen"])):
        hand_in(tmp_path / folder, students)
        run = grade(LAB, find_submissions(tmp_path / folder, "init"), book, assess=by_name)
    assert run.students == ("ben", "chen")


def test_assessing_one_never_raises(tmp_path: Path) -> None:
    hand_in(tmp_path, ["chen"])
    submission = Submission("chen", tmp_path / "chen" / "init")
    result = assess_one(Task(1, LAB, submission, None), break_on("chen"), tell=lambda *news: None)
    assert result.assessment.status is Status.ERROR
    assert result.seconds >= 0


def test_only_grades_one_again_and_keeps_the_others(graded: Grade, book: Gradebook) -> None:
    graded()
    again: list[str] = []
    run = graded(seen(by_name, again), only="bad ben")
    assert again == ["bad ben"]
    assert len(list(book.results(run))) == 4
    assert (len(attempts(book, "bad ben")), len(attempts(book, "ada"))) == (2, 1)


def test_only_needs_a_student_that_is_there(graded: Grade) -> None:
    with pytest.raises(CommandError, match="Did you mean 'dora'"):
        graded(only="dara")


def test_a_gradebook_belongs_to_one_lab(graded: Grade, book: Gradebook) -> None:
    book.begin("shell", "", ASKED, ["ada"])
    with pytest.raises(CommandError, match="is the gradebook of lab shell"):
        graded()


def test_each_result_is_safe_before_it_is_shown(graded: Grade, book: Gradebook) -> None:
    def look(result: Result) -> None:
        assert len(attempts(book, result.student)) == 1

    shown: list[int] = []
    graded(on_result=look, on_start=shown.append)
    assert shown == [4]


def test_as_many_jobs_as_asked_run_at_the_same_time(graded: Grade) -> None:
    together = threading.Barrier(4, timeout=10)  # breaks if fewer than four ever meet

    def meeting(lab: Lab, submission: Path, **how: Any) -> Assessment:
        together.wait()
        return by_name(lab, submission, **how)

    graded(meeting, jobs=4)
    assert not together.broken


def test_the_mode_reaches_the_judge(graded: Grade, book: Gradebook) -> None:
    run = graded(mode="subreaper")
    assert {r.assessment.mode for r in book.results(run)} == {"subreaper"}


class Loses(Executor):
    """Runs at once, and loses the worker that has ben's submission, as a killed process does."""

    def __init__(self, times: int) -> None:
        self.times = times

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if args[0].submission.student == "bad ben" and self.times:
            self.times -= 1
            future.set_exception(RuntimeError("a worker was killed"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_who_was_with_a_lost_worker_is_tried_again(graded: Grade, book: Gradebook) -> None:
    run = graded(executor=Loses(1))
    assert [str(r.assessment.status) for r in book.results(run)] == [
        "passed",
        "failed",
        "passed",
        "passed",
    ]
    assert [len(attempts(book, name)) for name in run.students] == [1, 1, 1, 1]


def test_who_loses_every_worker_gets_an_error(graded: Grade, book: Gradebook) -> None:
    run = graded(executor=Loses(99))
    results = {r.student: r for r in book.results(run)}
    assert results["bad ben"].assessment.status is Status.ERROR
    assert "a worker was killed" in results["bad ben"].breakdown
    assert [len(attempts(book, name)) for name in run.students] == [1, 1, 1, 1]


def test_a_submission_that_cannot_be_seen_is_our_error(graded: Grade, book: Gradebook) -> None:
    """A worker elsewhere may lack the folder; that is not the student's doing."""
    task = Task(1, LAB, Submission("ada", Path("/nowhere/ada")), None)
    assert assess_one(task, by_name, print).assessment.status is Status.ERROR


def test_two_graders_cannot_work_in_one_folder(tmp_path: Path) -> None:
    with (
        output_folder(tmp_path / "out"),
        pytest.raises(CommandError, match="another grader is at work"),
        output_folder(tmp_path / "out"),
    ):
        pass
    with output_folder(tmp_path / "out") as out:
        assert list(out.iterdir()) == []


def test_an_output_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(CommandError, match="cannot be written"), output_folder(tmp_path / "out"):
        pass
