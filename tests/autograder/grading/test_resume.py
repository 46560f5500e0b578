"""A grader that is killed at any moment goes on where it was, and ends with what an undisturbed one finds."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from attempts import attempts
from made_up_lab import LAB, by_name, hand_in

from autograder.grading.grade import grade
from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Asked, Result, Run, Terms
from autograder.grading.terms import LabTerms, digest_of
from autograder.labs.demo_class import make_class
from autograder.labs.generate import names
from autograder.labs.lab import Generated, Lab, load_lab
from autograder.labs.solution import digests_of_solution
from autograder.language.roles import PIDNS, SUBREAPER
from autograder.submission.submissions import Submission, find_submissions
from autograder.trial.verdict import Assessment, Status, Verdict

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


@pytest.mark.parametrize(
    "mode", [PIDNS, pytest.param(SUBREAPER, marks=pytest.mark.slow)], indirect=True
)
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


@pytest.mark.parametrize(
    ("file", "old", "new", "plays"),
    [
        ("lab.toml", 'run = ["{program}"', 'run = ["{program}", "-v"', "all"),
        ("lab.toml", "[files]", '[files]\n"other.txt" = ""', "all"),
        ("lab.toml", "commands = [", 'commands = ["other", ', "all"),
        ("solution/c/fate.c", "int main(", "int  main(", "all"),
        ("scenarios/01_exits.toml", "main exits", "main  exits", "one"),
        ("scenarios/01_exits.toml", "points = ", "points = 1", "none"),
        ("lab.toml", "title = ", 'title = "Another" #', "none"),
        ("README.md", "", "More words.\n", "none"),
        ("starter/c/fate.c", "", "// More words.\n", "none"),
    ],
)
def test_of_the_files_of_a_lab_those_count_that_its_plays_stand_on(
    tmp_path: Path, file: str, old: str, new: str, plays: str
) -> None:
    folder = tmp_path / "exit_status"
    shutil.copytree(ROOT / "labs" / "exit_status", folder)
    settings = (folder / "lab.toml").read_text()
    (folder / "lab.toml").write_text(
        settings + 'commands = ["some"]\nexpected = "reference"\n[files]\n'
    )
    before = LabTerms(load_lab(folder), PIDNS).of(Submission("ada", None)).plays
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    after = LabTerms(load_lab(folder), PIDNS).of(Submission("ada", None)).plays
    changed = sum(before[name] != play for name, play in after.items())
    assert changed == {"all": len(before), "one": 1, "none": 0}[plays]


def test_a_solution_whose_files_exchange_their_names_is_another_one(tmp_path: Path) -> None:
    solution = tmp_path / "solution" / "c"
    solution.mkdir(parents=True)
    lab = replace(LAB, folder=tmp_path)
    found = set()
    for one, other in (("a.c", "b.c"), ("b.c", "a.c"), ("a.c", "b.c")):
        (solution / one).write_text("first")
        (solution / other).write_text("second")
        found.add(digests_of_solution(lab))
    (solution / "b.c").rename(solution / "c.c")  # in the same order as before
    found.add(digests_of_solution(lab))
    assert len(found) == 3


def test_who_hands_in_again_is_graded_again(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", ["ada", "ben"])
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for _ in range(2):
            submissions = find_submissions(tmp_path / "class", "init")
            run = grade(LAB, submissions, book, assess=by_name, jobs=1, resume=True)
            (tmp_path / "class" / "ben" / "init" / "init.c").write_text("int main() { return 1; }")
        assert [len(attempts(book, student)) for student in run.students] == [1, 2]


class Judge:
    """Passes everybody but who is "bad", and notes what it was asked to play, as (student, scenario)."""

    def __init__(self, out: Path) -> None:
        self.root = out / "class"
        self.played: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.book = Gradebook(out / "gradebook.sqlite")

    def __call__(
        self, lab: Lab, submission: Path, *, mode: str | None, on_verdict: Callable[[Verdict], None]
    ) -> Assessment:
        verdicts = []
        for scenario in lab.scenarios:
            student = submission.parent.name
            self.played.append((student, scenario.name))
            status = Status.FAILED if student.startswith("bad") else Status.PASSED
            verdicts.append(Verdict.of(scenario, status, ""))
            on_verdict(verdicts[-1])
        return Assessment(lab.name, mode or "pidns", tuple(verdicts), remarks="a warning")

    def grade(self, lab: Lab, *, resume: bool = True, **how: Any) -> dict[str, Result]:
        self.played.clear()
        self.said.clear()
        with ThreadPoolExecutor(1) as threads:
            run = grade(
                lab,
                find_submissions(self.root, lab.name),
                self.book,
                assess=self,
                executor=threads,
                resume=resume,
                on_change=self.said.append,
                **how,
            )
        return {result.student: result for result in self.book.results(run)}


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Judge]:
    hand_in(tmp_path / "class", ["ada", "bad ben"])
    found = Judge(tmp_path)
    yield found
    found.book.close()


FIRST, *OTHERS = LAB.scenarios
HARDER = replace(LAB, scenarios=(replace(FIRST, script="main exits 1\n"), *OTHERS))


def test_what_has_not_changed_is_not_judged_again(judge: Judge) -> None:
    before = judge.grade(LAB)
    assert judge.grade(LAB) == before
    assert judge.played == []
    assert judge.said == []


def test_a_changed_play_is_judged_anew_and_the_others_keep_their_verdicts(judge: Judge) -> None:
    before = judge.grade(LAB)
    after = judge.grade(HARDER)
    assert judge.played == [("ada", FIRST.name), ("bad ben", FIRST.name)]
    assert judge.said[0] == f"Changed in the lab, and judged anew: {FIRST.name}."
    assert "concerns 2 students" in judge.said[1]
    assert after["ada"].assessment.verdicts[1:] == before["ada"].assessment.verdicts[1:]
    assert after["ada"].assessment.verdicts[0].script == "main exits 1\n"
    assert after["ada"].anew == (FIRST.name,)
    assert len(attempts(judge.book, "ada")) == 2, "the earlier attempt stays in the book"
    assert judge.grade(HARDER) == after
    assert judge.played == []


def test_a_new_scenario_is_judged_and_one_that_is_gone_counts_no_more(judge: Judge) -> None:
    judge.grade(replace(LAB, scenarios=LAB.scenarios[:3]))
    after = judge.grade(replace(LAB, scenarios=LAB.scenarios[1:4]))
    assert judge.played == [(name, LAB.scenarios[3].name) for name in ("ada", "bad ben")]
    assert [v.scenario for v in after["ada"].assessment.verdicts] == [
        scenario.name for scenario in LAB.scenarios[1:4]
    ]
    assert after["ada"].score == sum(scenario.points for scenario in LAB.scenarios[1:4])


def test_a_scenario_that_is_only_taken_away_needs_no_play(judge: Judge) -> None:
    judge.grade(LAB)
    after = judge.grade(replace(LAB, scenarios=tuple(OTHERS)))
    assert judge.played == []
    assert after["ada"].assessment.max_score == 42 - FIRST.points
    assert after["ada"].assessment.remarks == "a warning"
    assert after["ada"].assessment.mode == "pidns"


def test_other_weights_and_words_need_no_play(judge: Judge) -> None:
    judge.grade(LAB)
    dear = replace(FIRST, points=10 * FIRST.points, title="Another title", extra=True)
    after = judge.grade(replace(LAB, scenarios=(dear, *OTHERS)))
    assert judge.played == []
    assert "nothing is played again" in judge.said[0]
    first = after["ada"].assessment.verdicts[0]
    assert (first.points, first.max_points, first.title) == (20, 20, "Another title")
    assert (after["ada"].score, after["ada"].assessment.max_score) == (60, 40)
    assert after["bad ben"].score == 0


def test_where_init_stands_elsewhere_everything_is_judged_anew(judge: Judge) -> None:
    judge.grade(LAB, mode="pidns")
    after = judge.grade(LAB, mode="subreaper")
    assert len(judge.played) == 2 * len(LAB.scenarios)
    assert after["ada"].assessment.mode == "subreaper"
    assert "all scenarios" in judge.said[0]


def test_what_was_handed_in_anew_is_judged_anew_as_a_whole(judge: Judge) -> None:
    judge.grade(LAB)
    (judge.root / "ada" / "init" / "init.c").write_text("int main() { return 1; }")
    judge.grade(LAB)
    assert judge.played == [("ada", scenario.name) for scenario in LAB.scenarios]
    assert judge.said == ["Handed in anew since, and judged anew: ada."]


def test_other_generated_plays_are_judged_anew(judge: Judge) -> None:
    made = replace(LAB, generated=Generated(2, 3))
    judge.grade(LAB)
    judge.grade(made)
    assert judge.played == [(who, name) for who in ("ada", "bad ben") for name in names(made)]
    judge.grade(replace(made, generated=Generated(2, 5)))
    assert judge.played == []


def test_of_an_attempt_that_was_cut_off_the_plays_that_have_not_changed_stay(judge: Judge) -> None:
    first, second, *_ = LAB.scenarios
    submissions = find_submissions(judge.root, "init")
    asked = [Asked.of(scenario) for scenario in LAB.scenarios]
    run = judge.book.begin("init", "", asked, [s.student for s in submissions])
    attempt, _ = judge.book.open_attempt(run, "ada", LabTerms(LAB, None).of(submissions[0]))
    for place, scenario in enumerate((first, second)):
        judge.book.add(attempt, place, Verdict.of(scenario, Status.PASSED, ""))
    judge.grade(HARDER)
    played = [scenario for student, scenario in judge.played if student == "ada"]
    assert played == [scenario.name for scenario in LAB.scenarios if scenario is not second]


def test_an_attempt_that_was_cut_off_after_its_last_verdict_says_where_init_stood(
    judge: Judge,
) -> None:
    whole = judge.grade(LAB)["ada"].assessment
    [ada, _] = find_submissions(judge.root, "init")
    run = judge.book.begin(
        "init", "", [Asked.of(scenario) for scenario in LAB.scenarios], ["ada", "bad ben"]
    )
    attempt, _ = judge.book.open_attempt(run, "ada", LabTerms(LAB, None).of(ada))
    for place, verdict in enumerate(whole.verdicts):
        judge.book.add(attempt, place, verdict)
    assert judge.grade(LAB)["ada"].assessment == whole


def test_an_error_of_the_graders_is_tried_again_and_nothing_else(judge: Judge) -> None:
    first, *others = LAB.scenarios

    def trouble(lab: Lab, submission: Path, *, on_verdict: Any, **how: Any) -> Assessment:
        on_verdict(Verdict.of(first, Status.PASSED, ""))
        raise OSError("no more pidfds")

    with ThreadPoolExecutor(1) as threads:
        submissions = find_submissions(judge.root, "init")
        grade(LAB, submissions, judge.book, assess=trouble, executor=threads)
    after = judge.grade(LAB)
    assert [scenario for student, scenario in judge.played if student == "ada"] == [
        scenario.name for scenario in others
    ]
    assert judge.said == ["Tried again after an error of the grader's own: ada, bad ben."]
    assert (after["ada"].score, after["ada"].breakdown) == (42, "")


def test_only_says_that_the_others_marks_are_from_before_a_change(judge: Judge) -> None:
    judge.grade(LAB)
    judge.grade(HARDER, resume=False, only="ada")
    assert [who for who, _ in judge.played] == ["ada"] * len(LAB.scenarios)
    assert judge.said == [
        "What bad ben handed in, or what is asked of them, is not what was judged: grade again with --resume."
    ]


def test_a_gradebook_of_the_second_version_is_judged_anew_as_nobody_noted_its_plays(
    judge: Judge,
) -> None:
    judge.book.close()
    judge.book.path.unlink()
    old = sqlite3.connect(judge.book.path)
    old.executescript((Path(__file__).parent / "gradebook_2.sql").read_text())
    old.close()
    lab = replace(LAB, scenarios=LAB.scenarios[:3])
    judge.book = Gradebook(judge.book.path)
    run = judge.book.latest_run()
    assert run is not None
    found = {result.student: result for result in judge.book.results(run)}
    assert {student: result.score for student, result in found.items()} == {"ada": 10, "bad ben": 5}
    assert found["ada"].anew == ()
    after = judge.grade(lab)
    assert judge.played == [(who, s.name) for who in ("ada", "bad ben") for s in lab.scenarios]
    assert "did not note by which plays" in judge.said[0]
    assert {student: result.score for student, result in after.items()} == {"ada": 10, "bad ben": 0}
    assert len(attempts(judge.book, "ada")) == 2
    judge.grade(lab)
    assert judge.played == []
