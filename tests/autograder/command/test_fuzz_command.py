"""`autograder fuzz`: what it says, what it writes and how it ends. Whoever looks for plays is played by another."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.command.cli import main
from autograder.labs.generate import improvised
from autograder.labs.lab import load_lab
from autograder.labs.scenario import load_scenario
from autograder.stage import isolation
from autograder.submission.intake import BuildError
from autograder.trial import fuzz as fuzzing
from autograder.trial.search import Finding, Search
from autograder.trial.verdict import Status, Verdict
from forklab.history import HistoryBuilder, Process

PLAY = improvised(load_lab("init"), "found", "main stops\nexpect main is stopped\n")
Asked = dict[str, Any]


def verdict(status: Status, message: str) -> Verdict:
    builder = HistoryBuilder()
    builder.start(Process("init", 1, None, reaper=True), 0)
    builder.fork(Process("main", 1000, "init"), 0)
    builder.add("continued", "main", 1)
    failed = 2 if status is Status.FAILED else None
    seen = builder.history
    return replace(Verdict.of(PLAY, status, message), failed_step=failed, observed=seen)


FOUND = Search(
    plays=37, finding=Finding(PLAY, verdict(Status.FAILED, "main is still running."), steps=23)
)


@pytest.fixture(autouse=True)
def other_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Search], Asked]:
    """`other_search(what comes of it)` answers what was asked for."""
    choice = isolation.ModeChoice("pidns", "namespaces work here", ())
    monkeypatch.setattr(isolation, "probe", lambda: choice)
    monkeypatch.setattr(isolation, "refusal_of_virtual_time", lambda isolation: "")
    monkeypatch.setattr(isolation, "lacks", lambda mode: ())
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()

    def answer(found: Search) -> Asked:
        asked: Asked = {}

        def fuzz(lab: object, submission: Path, **how: object) -> Search:
            asked.update(how, lab=lab, submission=submission)
            return found

        monkeypatch.setattr(fuzzing, "fuzz", fuzz)
        return asked

    return answer


Other = Callable[[Search], Asked]


def test_what_is_found_is_told_as_a_file_as_a_play_and_with_the_reason(
    other_search: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    other_search(FOUND)
    assert main(["fuzz", "init", "mine", "--seed", "5", "--mode", "virtual"]) == 1
    out = capsys.readouterr().out
    assert "Play 37 fails (seed 5): 23 lines, now 2.\n" in out
    assert "script = '''\nmain stops\nexpect main is stopped\n'''\n" in out
    assert "▶  2  expect main is stopped" in out
    assert "main is still running." in out
    assert "main(1000)" in out
    assert "autograder check init mine --scenario found.toml --mode virtual" in out


def test_nothing_found_is_said_with_the_number_of_plays_and_the_seed(
    other_search: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = other_search(Search(plays=40))
    assert main(["fuzz", "init", "mine", "--plays", "40", "--seconds", "9.5", "--seed", "8"]) == 0
    assert "Nothing found in 40 plays (seed 8).\n" in capsys.readouterr().out
    assert (asked["plays"], asked["seconds"], asked["seed"], asked["mode"]) == (40, 9.5, 8, None)
    assert asked["submission"] == Path("mine")


def test_without_a_seed_there_is_another_one_each_time_and_it_is_told(
    other_search: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = set()
    for _ in range(3):
        asked = other_search(Search(plays=1))
        main(["fuzz", "init", "mine"])
        assert f"Nothing found in 1 play (seed {asked['seed']})." in capsys.readouterr().out
        seeds.add(asked["seed"])
    assert len(seeds) > 1


def test_the_scenario_and_its_film_are_written_where_they_are_wanted(
    other_search: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = other_search(FOUND)
    assert main(["fuzz", "init", "mine", "--out", "stops.toml", "--film", "stops.html"]) == 1
    assert load_scenario(Path("stops.toml")).script == PLAY.script
    assert asked["name"] == "stops"  # in virtual time the name decides who is next
    assert "main stops" in Path("stops.html").read_text()
    out = capsys.readouterr().out
    assert "script = " not in out
    assert "--scenario stops.toml" in out


def test_what_goes_to_standard_output_is_the_scenario_alone(
    other_search: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    other_search(FOUND)
    assert main(["fuzz", "init", "mine", "--out", "-"]) == 1
    out, err = capsys.readouterr()
    Path("found.toml").write_text(out)
    assert load_scenario(Path("found.toml")).script == PLAY.script
    assert "main is still running." in err
    assert err.endswith("To play it again: autograder check init mine --scenario found.toml\n")


def test_a_search_that_was_cut_off_says_so(
    other_search: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    other_search(replace(FOUND, whole=False))
    assert main(["fuzz", "init", "mine"]) == 1
    assert "It may not be the smallest one" in capsys.readouterr().out


def test_what_failed_once_is_told_and_counts_for_nothing(
    other_search: Other, capsys: pytest.CaptureFixture[str]
) -> None:
    other_search(
        Search(plays=9, unsteady=[verdict(Status.FAILED, "Lost."), verdict(Status.FAILED, "Lost.")])
    )
    assert main(["fuzz", "init", "mine"]) == 0
    assert "2 plays failed once, and not when played again" in capsys.readouterr().out


@pytest.mark.parametrize("status", [Status.ERROR, Status.SKIPPED])
def test_the_graders_own_trouble_is_no_finding(
    other_search: Other, capsys: pytest.CaptureFixture[str], status: Status
) -> None:
    other_search(Search(plays=9, undecided=verdict(status, "There is no room.")))
    assert main(["fuzz", "init", "mine"]) == 2
    assert "There is no room." in capsys.readouterr().out


def test_what_does_not_build_is_told_with_the_compilers_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fuzz(*_: object, **how: object) -> Search:
        raise BuildError("init.c:3: error: 'pid' undeclared")

    monkeypatch.setattr(fuzzing, "fuzz", fuzz)
    assert main(["fuzz", "init", "mine"]) == 1
    out = capsys.readouterr().out
    assert "✗ not built" in out and "'pid' undeclared" in out


def test_a_lab_without_a_model_cannot_be_fuzzed_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "timeout", "mine"]) == 2
    assert "lab timeout cannot be fuzzed yet" in capsys.readouterr().err


def test_without_hypothesis_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "autograder.trial.fuzz")
    assert main(["fuzz", "init", "mine"]) == 2
    err = capsys.readouterr().err
    assert "forklab[fuzz]" in err and "make setup" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--plays", "0"],
        ["--plays", "many"],
        ["--seed", "-1"],
        ["--seconds", "0"],
        ["--seconds", "nan"],
    ],
)
def test_wrong_numbers_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["fuzz", "init", "mine", *words])
    assert end.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_a_submission_is_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "init", "nowhere"]) == 2
    assert "nowhere does not exist" in capsys.readouterr().err
