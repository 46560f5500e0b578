"""The `autograder` command: what it says, what it writes and how it ends. The judge is played by another."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_up_class import ASKED, CLASS, assessment, does_not_build, failed, passed
from made_up_lab import LAB, hand_in

from autograder.command.cli import main
from autograder.labs import demo_class
from autograder.labs.flaws import Flaw, LabError
from autograder.labs.generate import seed_of, with_generated
from autograder.labs.lab import Generated, Lab, Late
from autograder.labs.scenario import Scenario
from autograder.stage import isolation
from autograder.stage.walls import Wall
from autograder.trial import assess as assessing
from autograder.trial.verdict import Assessment, Verdict

PLAY = """\
title = "A play"
points = 1
why = "To see it."
script = '''
main exits 0
expect init exits 0
'''
"""


def assess(
    lab: Lab,
    submission: Path,
    *,
    mode: str | None = None,
    scenarios: Sequence[Scenario] | None = None,
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
    seed: int = 0,
) -> Assessment:
    """In place of assess.assess, in worker processes as well."""
    name = submission.parent.name if submission.name == "init" else submission.name
    if name == "stops" and Path("stop").exists():
        os.kill(os.getppid(), signal.SIGINT)
        threading.Event().wait(60)  # until we are killed
    if name == "breaks":
        raise OSError("no more pidfds")
    whole = CLASS.get(name) or assessment(mode=mode or "pidns")
    wanted = {scenario.name for scenario in scenarios or lab.scenarios}
    return Assessment(
        "init", mode or "pidns", tuple(v for v in whole.verdicts if v.scenario in wanted)
    )


@pytest.fixture(autouse=True)
def other_judge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Assesses by the name of the folder: as in CLASS, else by what it begins with."""

    def load(name: Path | str) -> Lab:
        if str(name) != "init":
            raise LabError(
                [Flaw(Path(name), None, "there is no lab of this name", "Did you mean?")]
            )
        return LAB

    for module in ("check", "grade", "demo", "finding"):
        monkeypatch.setattr(f"autograder.command.{module}.load_lab", load)
    monkeypatch.setattr(assessing, "assess", assess)
    choice = isolation.ModeChoice("pidns", "namespaces work here", ("the weather is not enforced",))
    monkeypatch.setattr(isolation, "lacks", lambda mode: choice.lacks)
    monkeypatch.setattr(isolation, "probe", lambda: choice)
    monkeypatch.setattr(isolation, "refusal_of_virtual_time", lambda isolation: "")
    monkeypatch.setattr(isolation, "dangers", lambda mode: ())
    monkeypatch.chdir(tmp_path)


def submission(name: str) -> str:
    Path(name).mkdir()
    return name


def grade(*students: str, more: Sequence[str] = ()) -> int:
    if not Path("class").exists():
        hand_in(Path("class"), students)
    return main(["grade", "init", "class", "--out", "out", *more])


@pytest.mark.parametrize(
    ("name", "status"), [("ada", 0), ("ben", 1), ("dora", 1), ("fatima", 2), ("chen wei", 1)]
)
def test_check_ends_with_what_it_found(name: str, status: int) -> None:
    assert main(["check", "init", submission(name)]) == status


def test_check_tells_mode_verdicts_and_score(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "init", submission("ben")])
    out = capsys.readouterr().out
    assert out.startswith("mode virtual: namespaces work here; in virtual time, below the lens\n")
    assert "✓ passed   01_starts_main" in out
    assert "✗ failed   03_orphan" in out
    assert "▶  7  expect child is reaped   ◀ failed here" in out
    assert "Why it matters: Whoever loses its parent" in out
    assert "Score 32 of 42: 10 passed, 2 failed" in out


def test_check_tells_a_build_failure_once(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "init", submission("dora")])
    assert capsys.readouterr().out.count("error: 'pid' undeclared") == 1


def test_check_writes_json_as_the_contract_says(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "init", submission("ben"), "--json", "-", "--mode", "subreaper"])
    captured = capsys.readouterr()
    form = json.loads(captured.out)
    assert Assessment.from_json(form).to_json() == form
    assert (form["lab"], form["mode"], form["score"], form["max_score"]) == (
        "init",
        "subreaper",
        32,
        42,
    )
    assert {"name", "title", "status", "points", "max_points", "message", "script"} | {
        "failed_step",
        "expected",
        "observed",
    } <= set(form["scenarios"][0])
    assert "Score 32 of 42" in captured.err


def test_check_writes_json_into_a_file() -> None:
    assert main(["check", "init", submission("ada"), "--json", "ada.json"]) == 0
    assert json.loads(Path("ada.json").read_text())["score"] == 42


METADATA = {
    "id": 1,
    "created_at": "2026-12-02T13:00:00.000000+01:00",
    "users": [{"email": "ben@example.org"}, {"email": "ada@example.org"}],
}
POLICY = "def a_tenth_a_day(student, score, seconds):\n    return score * seconds / 864000\n"


def on_gradescope(monkeypatch: pytest.MonkeyPatch, lab: Lab, *more: str) -> dict[str, Any]:
    monkeypatch.setattr("autograder.command.check.load_lab", lambda name: lab)
    Path("late.py").write_text(POLICY)
    Path("metadata.json").write_text(json.dumps(METADATA))
    main(["check", "init", submission("zoe"), "--gradescope", "results.json", *more])
    found: dict[str, Any] = json.loads(Path("results.json").read_text())
    return found


LATE = Late(datetime(2026, 12, 1, 12, tzinfo=UTC), "late.py:a_tenth_a_day")


def test_lateness_costs_points_on_gradescope_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = replace(LAB, folder=Path(), late=LATE)
    results = on_gradescope(monkeypatch, lab, "--metadata", "metadata.json")
    assert results["score"] == pytest.approx(42 * 0.9)
    assert "Handed in late: 4.2 points off." in results["output"]


def test_who_of_a_group_has_longest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    longer = replace(LATE, extensions={"ben@example.org": LATE.due + timedelta(days=3)})
    lab = replace(LAB, folder=Path(), late=longer)
    assert on_gradescope(monkeypatch, lab, "--metadata", "metadata.json")["score"] == 42


def test_generated_scenarios_are_asked_on_gradescope_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = replace(LAB, generated=Generated(2, 3))
    asked: list[Lab] = []

    def noting(lab: Lab, *words: Any, **how: Any) -> Assessment:
        asked.append(lab)
        return assess(lab, *words, **how)

    monkeypatch.setattr(assessing, "assess", noting)
    on_gradescope(monkeypatch, lab, "--metadata", "metadata.json")
    assert asked == [with_generated(lab, seed_of("init", "ada@example.org"))]


@pytest.mark.parametrize("more", [[], ["--metadata", "nowhere.json"], ["--metadata", "late.py"]])
def test_on_gradescope_who_and_when_is_not_guessed(
    monkeypatch: pytest.MonkeyPatch, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    results = on_gradescope(monkeypatch, replace(LAB, folder=Path(), late=LATE), *more)
    assert results["score"] == 0
    assert sum(test["max_score"] for test in results["tests"]) == 0, "it costs nobody anything"
    said = capsys.readouterr().err
    assert "metadata" in said or "does not say who handed in and when" in said


def test_check_plays_only_the_scenarios_that_were_named(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--scenario", "03_orphan", "--scenario", "01_starts_main"]
    assert main(["check", "init", submission("ben"), *words]) == 1
    assert "Score 2 of 7" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "innit", "."], "there is no lab of this name"),
        (["check", "init", "nowhere"], "nowhere does not exist"),
        (["check", "init", "file"], "file is a file: give the folder"),
        (["check", "init", "packed.tgz"], "packed.tgz is an archive: unpack it"),
        (["check", "init", ".", "--scenario", "03_orphans"], "Did you mean '03_orphan'?"),
        (["check", "init", ".", "--json", "file/x.json"], "cannot be written"),
        (["grade", "init", "nowhere", "--out", "out"], "there is no such folder"),
        (["grade", "init", "empty", "--out", "out"], "holds no student's folder"),
        (["grade", "init", "some", "--out", "file"], "cannot be written there"),
        (["grade", "init", "some", "--out", "/proc/out"], "cannot be written there"),
        (["grade", "init", "some", "--out", "some/out"], "lies among the submissions"),
        (["grade", "init", "some", "--out", "out", "--only", "adda"], "Did you mean 'ada'?"),
        (["play", "nothing.toml", "--", "sh"], "there is no such scenario file"),
        (["play", "play.toml"], "Which init?"),
        (["play", "play.toml", "--", "no-such-init"], "no-such-init: no such program"),
        (["play", "typo.toml", "--", "sh"], "Did you mean"),
    ],
)
def test_bad_input_is_told_in_words_and_ends_with_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("")
    Path("packed.tgz").write_text("")
    Path("empty").mkdir()
    hand_in(Path("some"), ["ada"])
    Path("play.toml").write_text(PLAY)
    Path("typo.toml").write_text(PLAY.replace("expect init", "expects init"))
    assert main(words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.startswith("autograder: ")
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["chekc", "init", "."],
        ["grade", "init", "class"],
        ["grade", "init", "class", "--out", "out", "--jobs", "0"],
        ["check", "init", ".", "--mode", "docker"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2


def test_grade_writes_every_report_whatever_the_marks() -> None:
    assert grade("ada", "ben", "dora") == 0
    with Path("out/grades.csv").open(newline="") as file:
        scores = {row["student"]: row["score"] for row in csv.DictReader(file)}
    assert scores == {"ada": "42", "ben": "32", "dora": "0"}
    for name in ("gradebook.sqlite", "junit.xml", "report/index.html", "report/ben.html"):
        assert (Path("out") / name).stat().st_size > 0
    assert json.loads(Path("out/results/ben.json").read_text())["score"] == 32


def test_grade_says_who_got_what_and_where_the_report_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    grade("ada", "ben")
    out = capsys.readouterr().out
    assert "graded 2 of 2 (1 passed, 1 failed)" in out
    assert "03_orphan  and 1 more" in out
    assert "Report: out/report/index.html" in out
    assert "\x1b" not in out


def test_what_is_not_enforced_is_said_once_at_the_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    grade("ada", "ben")
    assert capsys.readouterr().out.count("not enforced: the weather") == 1


def test_a_fault_of_the_grader_is_shouted_and_the_rest_is_graded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert grade("ada", "breaks") == 0
    assert "ERROR  breaks: OSError: no more pidfds" in capsys.readouterr().out
    assert "no more pidfds" in Path("out/errors.txt").read_text()
    with Path("out/grades.csv").open(newline="") as file:
        rows = {row["student"]: (row["score"], row["status"]) for row in csv.DictReader(file)}
    assert rows == {"ada": ("42", "passed"), "breaks": ("0", "error")}
    (Path("class") / "breaks").rename(Path("class") / "works")
    grade()
    assert not Path("out/errors.txt").exists()


def test_grade_one_student_again_and_keep_the_class() -> None:
    grade("ada", "ben")
    assert grade(more=["--only", "ben"]) == 0
    with Path("out/grades.csv").open(newline="") as file:
        assert [row["score"] for row in csv.DictReader(file)] == ["42", "32"]


def scores() -> dict[str, str]:
    with Path("out/grades.csv").open(newline="") as file:
        return {row["student"]: row["score"] for row in csv.DictReader(file)}


def test_a_class_where_nobody_handed_in_anything_gets_no_zeros(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hand_in(Path("class"), ["ada", "ben"], lab="hw1")
    assert grade() == 2
    assert "--assignment hw1" in capsys.readouterr().err
    assert not Path("out").exists()
    assert grade(more=["--assignment", "hw1"]) == 0
    assert scores() == {"ada": "42", "ben": "42"}


def test_an_archive_beside_the_students_is_not_overlooked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hand_in(Path("class"), ["ada"])
    Path("class/ben.zip").touch()
    grade()
    assert "ben.zip lies beside the students' folders" in capsys.readouterr().out


def test_control_c_ends_with_130_and_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hand_in(Path("class"), ["ada", "ben", "stops", "zoe"])
    Path("stop").write_text("")
    assert grade(more=["--jobs", "1"]) == 130
    out = capsys.readouterr().out
    assert "autograder grade init class --out out --jobs 1 --resume" in out
    assert "Traceback" not in out
    assert not Path("out/grades.csv").exists()
    Path("stop").unlink()
    assert grade(more=["--jobs", "1", "--resume"]) == 0
    with Path("out/grades.csv").open(newline="") as file:
        assert [row["score"] for row in csv.DictReader(file)] == ["42", "32", "42", "42"]


def test_play_shows_the_play_step_by_step_and_draws_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("play.toml").write_text(PLAY)
    asked: list[object] = []

    def judge_installed(
        command: Sequence[str],
        scenarios: Sequence[Scenario],
        *,
        mode: str | None = None,
        lab: Lab | None = None,
    ) -> list[Verdict]:
        asked.extend([list(command), scenarios[0].name, mode])
        return [failed(ASKED[2])]

    monkeypatch.setattr(assessing, "judge_installed", judge_installed)
    status = main(["play", "play.toml", "--svg", "end.svg", "--", "tini", "-g", "--"])
    assert status == 1
    assert asked == [["tini", "-g", "--"], "play", None]
    out = capsys.readouterr().out
    assert out.index("1  main forks worker") < out.index("└─ child(1002) zombie · exited 0")
    assert "▶  7  expect child is reaped" in out
    assert Path("end.svg").read_text().startswith("<svg")


def test_play_that_passes_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("play.toml").write_text(PLAY)
    monkeypatch.setattr(assessing, "judge_installed", lambda *words, **mode: [passed(ASKED[2])])
    assert main(["play", "play.toml", "--", "sh"]) == 0


def test_demo_makes_the_class_of_a_lab(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Path] = []
    monkeypatch.setattr(demo_class, "make_class", lambda lab, out: made.append(out))
    assert main(["demo", "init", "--out", "class"]) == 0
    assert made == [Path("class")]
    assert "autograder grade init class" in capsys.readouterr().out


def test_nothing_judged_at_all_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [asked.name[:2] for asked in ASKED]
    monkeypatch.setattr(assessing, "assess", lambda *words, **how: assessment(skips=everything))
    assert main(["check", "init", submission("ada")]) == 2


def test_a_build_failure_is_the_students_doing() -> None:
    assert does_not_build().status == "failed"


def test_a_machine_without_a_compiler_is_told_so_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from autograder.stage.errors import StageError

    def no_stage(*_: object, **__: object) -> None:
        raise StageError("there is no C compiler on this machine: install one")

    monkeypatch.setattr(assessing, "assess", no_stage)
    (tmp_path / "init.py").touch()
    assert main(["check", "init", str(tmp_path)]) == 2
    assert "no C compiler" in capsys.readouterr().err


def test_to_check_loads_nothing_that_only_a_class_needs() -> None:
    """Pages, progress, the gradebook, a reader of compiled programs: more than half of the start."""
    asks = "import sys, autograder.command.check; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True)
    needless = {"jinja2", "elftools", "sqlite3", "rich.progress", "autograder.command.grade"}
    assert needless & set(loaded.stdout.split()) == set()


def test_only_who_proves_something_loads_the_explorer() -> None:
    asks = (
        "import sys; from autograder.command.cli import main;"
        "main(['check', 'init', sys.argv[1], '--scenario', '20_exit_42']); print(*sys.modules)"
    )
    solution = Path(__file__).parents[3] / "labs" / "init" / "solution" / "c"
    command = [sys.executable, "-c", asks, str(solution)]
    loaded = subprocess.run(command, capture_output=True, text=True).stdout.split()
    assert "autograder.trial.decide" in loaded
    assert {"forklab.lens.rehearsal", "forklab.explore.explore"} & set(loaded) == set()


def test_strangers_are_not_graded_where_they_reach_what_is_not_theirs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(isolation, "dangers", lambda mode: ("it rains in",))
    assert grade("ada") == 2
    assert not Path("out").exists()
    said = capsys.readouterr().err
    assert "  - it rains in\n" in said and "--trusting" in said and "autograder doctor" in said
    assert main(["check", "init", submission("ada")]) == 0
    assert grade("ada", more=["--trusting"]) == 0


def test_the_doctor_has_a_line_for_each_wall_and_says_whether_a_class_can_be_graded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = (
        Wall("roof", True, "no rain gets in"),
        Wall("windows", False, "it rains in", "close them"),
        Wall("draught", False, "it is cold", "put a coat on", guards=False),
    )
    monkeypatch.setattr("autograder.command.doctor.walls", lambda mode: found)
    assert main(["doctor"]) == 0
    monkeypatch.setattr(isolation, "dangers", lambda mode: ("it rains in",))
    capsys.readouterr()
    assert main(["doctor"]) == 1
    mode, *lines, conclusion = capsys.readouterr().out.splitlines()
    assert mode.startswith("mode virtual is the default: namespaces work here; ")
    assert lines == [
        "✓ roof          no rain gets in",
        "✗ windows       it rains in. Mend: close them",
        "· draught       it is cold. Mend: put a coat on",
        "✓ virtual time  sleeps and timers cost nothing",
    ]
    assert "--trusting" in conclusion


def test_the_doctor_tells_the_default_whatever_it_is_asked_and_the_mend_of_real_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("autograder.command.doctor.walls", lambda mode: ())
    monkeypatch.setattr(isolation, "refusal_of_virtual_time", lambda isolation: "it is dark")
    main(["doctor", "--mode", "subreaper"])
    default, mode, virtual, _ = capsys.readouterr().out.splitlines()
    assert default == "mode pidns is the default: namespaces work here; in real time: it is dark"
    assert mode == "mode subreaper: as you asked"
    assert virtual.startswith(
        "· virtual time  real time alone: it is dark. Mend: let the grader trace"
    )


def test_gradescope_asks_the_same_of_all_machines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """How many points can be had there is told before it is known what its machines can do."""
    command = ["check", "init", submission("ada"), "--gradescope", str(tmp_path / "results.json")]
    main(command)
    assert capsys.readouterr().out.startswith("mode virtual-subreaper: init is a subreaper")
    main([*command, "--mode", "pidns"])
    assert capsys.readouterr().out.startswith("mode pidns: as you asked")


def test_a_class_goes_on_in_the_mode_in_which_it_was_begun(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert grade("ada", "ben", more=["--mode", "pidns", "--jobs", "1"]) == 0
    capsys.readouterr()
    for more in (["--only", "ben"], ["--resume"]):
        assert grade(more=[*more, "--jobs", "1"]) == 0
        said = capsys.readouterr().out
        assert said.startswith("mode pidns: in which this class was begun; --mode virtual, the ")
        assert "Changed" not in said and "is not what was judged" not in said
    assert grade(more=["--resume", "--mode", "virtual"]) == 0
    assert "Changed in the lab: all scenarios, as the mode has changed" in capsys.readouterr().out
    assert grade(more=["--resume"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("mode virtual: namespaces work here") and "Changed" not in said


def test_a_class_whose_mode_is_refused_now_is_judged_anew_and_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grade("ada") == 0
    monkeypatch.setattr(isolation, "refusal_of_virtual_time", lambda isolation: "it is dark")
    capsys.readouterr()
    assert grade(more=["--resume"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "mode pidns: namespaces work here; in real time: it is dark; mode virtual, "
    )
    assert "Changed in the lab: all scenarios, as the mode has changed" in said
