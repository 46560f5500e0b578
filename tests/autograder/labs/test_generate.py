"""Generated plays: right for a perfect init, the same for ever, another one for each student."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from attempts import attempts
from hypothesis import given
from hypothesis import strategies as st
from made_up_lab import LAB, by_name, hand_in

from autograder.grading.grade import grade
from autograder.grading.gradebook import Gradebook
from autograder.ideal.ideal import Ideal
from autograder.labs.demo_class import make_class
from autograder.labs.generate import script, seed_of, with_generated
from autograder.labs.lab import Generated, load_lab
from autograder.language.script import parse
from autograder.language.sense import check
from autograder.submission.submissions import find_submissions
from autograder.trial.assess import assess
from autograder.trial.verdict import Status

INIT_LAB = load_lab("init")
GENERATED = Generated(6, 2.0)


@given(st.integers(0, 2**63 - 1), st.sampled_from(["pidns", "subreaper"]))
def test_a_perfect_init_passes_every_generated_play(seed: int, mode: str) -> None:
    steps = parse(script(str(seed)))
    assert check(steps) == []
    assert Ideal(steps, mode=mode).contradictions == ()


def test_a_seed_is_the_same_for_ever() -> None:
    assert seed_of("init", "ada") == 4519735111676045065
    assert script("4519735111676045065/generated_1") == ADAS
    assert seed_of("init", "ben") != seed_of("init", "ada") != seed_of("shell", "ada")


ADAS = """\
main forks p1
p1 forks p2
p1 forks p3
p3 exits 62
expect p3 is a zombie
main forks p4
p2 dies by SIGTERM
expect p2 is a zombie
expect init is alive
main exits 199
expect init exits 199
"""


@pytest.mark.parametrize("student", ["solution_c", "solution_python"])
def test_the_solutions_pass_what_nobody_wrote(tmp_path: Path, mode: str, student: str) -> None:
    make_class(INIT_LAB, tmp_path)
    made = with_generated(replace(INIT_LAB, scenarios=(), generated=GENERATED), 7)
    found = assess(made, tmp_path / student / "init", mode=mode)
    assert [v.status for v in found.verdicts] == [Status.PASSED] * GENERATED.scenarios


def test_generated_plays_find_an_init_that_leaves_orphans(tmp_path: Path, mode: str) -> None:
    make_class(INIT_LAB, tmp_path)
    made = with_generated(replace(INIT_LAB, scenarios=(), generated=GENERATED), 7)
    found = assess(made, tmp_path / "mutant_waits_for_main_only" / "init", mode=mode)
    assert Status.FAILED in {verdict.status for verdict in found.verdicts}


def test_each_student_is_asked_the_same_again_and_others_something_else(tmp_path: Path) -> None:
    make_class(INIT_LAB, tmp_path / "demo")
    for student in ("ada", "ben"):
        hand_in(tmp_path / "class", [student])
        source = tmp_path / "demo" / "solution_c" / "init" / "init.c"
        (tmp_path / "class" / student / "init" / "init.c").write_text(source.read_text())
    lab = replace(INIT_LAB, scenarios=INIT_LAB.scenarios[:1], generated=Generated(2, 2.0))
    submissions = find_submissions(tmp_path / "class", "init")
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for _ in range(2):
            run = grade(lab, submissions, book, assess=assess, jobs=1)
        assert [asked.name for asked in run.scenarios][1:] == ["generated_1", "generated_2"]
        scripts = {
            student: [
                [verdict.script for verdict in verdicts] for verdicts in attempts(book, student)
            ]
            for student in ("ada", "ben")
        }
        assert {r.assessment.score for r in book.results(run)} == {lab.max_points + 4}
    assert scripts["ada"][0] == scripts["ada"][1]
    assert scripts["ada"][0][0] == scripts["ben"][0][0]
    assert scripts["ada"][0][1:] != scripts["ben"][0][1:]


def test_a_lab_without_generated_scenarios_stays_as_it_is() -> None:
    assert with_generated(LAB, 5) == LAB
    assert by_name(with_generated(LAB, 5), Path("ada")).max_score == 42
