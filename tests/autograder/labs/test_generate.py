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
from autograder.labs.generate import as_file, improvised, script, seed_of, with_generated
from autograder.labs.lab import Generated, load_lab
from autograder.labs.scenario import load_scenario
from autograder.language.script import parse
from autograder.language.sense import check
from autograder.submission.submissions import find_submissions
from autograder.trial.assess import assess
from autograder.trial.verdict import Status

INIT_LAB = load_lab("init")
GENERATED = Generated(6, 2.0)


@given(st.integers(0, 2**63 - 1), st.sampled_from(["pidns", "subreaper"]))
def test_a_perfect_init_passes_what_a_seed_makes(seed: int, mode: str) -> None:
    steps = parse(script(str(seed)))
    assert check(steps) == []
    assert Ideal(steps, mode=mode).contradictions == ()


def test_a_generated_play_is_told_as_a_scenario_file(tmp_path: Path) -> None:
    play = improvised(INIT_LAB, "found", script("7"))
    (tmp_path / "found.toml").write_text(as_file(play))
    assert replace(load_scenario(tmp_path / "found.toml", INIT_LAB.bill), path=play.path) == play


def test_a_seed_is_the_same_for_ever() -> None:
    assert seed_of("init", "ada") == 4519735111676045065
    assert script("4519735111676045065/generated_1") == ADAS
    assert seed_of("init", "ben") != seed_of("init", "ada") != seed_of("shell", "ada")


ADAS = """\
expect main starts clean
main forks p1..p3
p1..p3 fork p4..p6
main catches SIGINT
p6 exits 188
expect p6 is a zombie
main ignores SIGWINCH
p3 exits 166
expect p3 is a zombie
expect p6 is reaped
p4..p5 fork p7..p8
main catches SIGTSTP
p8 catches SIGQUIT
send SIGWINCH to main 2 times
p7..p8 fork p9..p10
p8 exits 67
expect p8 is a zombie
expect p10 is a child of init
p2 exits 200
expect p2 is a zombie
expect p5 is a child of init
p4 ignores SIGCHLD
p4..p5 fork p11..p12
main ignores SIGWINCH
p7 forks p13
p4 dies by SIGTERM
expect p4 is a zombie
expect p7 is a child of init
expect p11 is a child of init
p13 forks p14
p7 exits 185
expect p7 is reaped
expect p9 is a child of init
expect p13 is a child of init
p10..p11 exit 172
expect p10..p11 are reaped
p1 forks p15
send SIGCHLD to init
expect main gets nothing
expect p1 gets nothing
expect p5 gets nothing
expect p9 gets nothing
expect p12..p15 get nothing
expect init is alive
p1 exits 137
expect p1 is a zombie
expect p4 is reaped
expect p15 is a child of init
p5 catches SIGRTMIN+5
p15 exits 149
expect p15 is reaped
p9 exits 31
expect p9 is reaped
p13 exits 150
expect p13 is reaped
expect p14 is a child of init
p14 forks p16..p21
p18 exits 155
expect p18 is a zombie
expect main is alive
expect p5 is alive
expect p12 is alive
expect p14 is alive
expect p16..p17 are alive
expect p19..p21 are alive
expect p1..p3 are zombies
expect p8 is a zombie
expect p18 is a zombie
expect p4 is reaped
expect p6..p7 are reaped
expect p9..p11 are reaped
expect p13 is reaped
expect p15 is reaped
expect p5 is a child of init
expect p14 is a child of init
expect init is idle
send SIGQUIT to init
expect init exits 131
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
