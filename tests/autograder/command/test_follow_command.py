"""`autograder check --schedule`: what `prove` has lost happens again, and nothing else does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lost_wakeup import LOOKS_AND_THEN_SLEEPS

from autograder.command.cli import main
from autograder.labs.lab import load_lab
from autograder.language.roles import PIDNS
from autograder.stage.isolation import probe

LAB = load_lab("timeout")
LOST = "14_not_found"
pytestmark = pytest.mark.skipif(probe().mode != PIDNS, reason=probe().why)


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of one that is lost; beside it stands the submission, `mine`."""
    folder = tmp_path_factory.mktemp("proofs")
    (folder / "mine").mkdir()
    (folder / "mine/timeout.c").write_text(LOOKS_AND_THEN_SLEEPS)
    file = folder / "proofs.json"
    words = ["prove", "timeout", str(folder / "mine"), "--scenario", LOST, "--json", str(file)]
    assert main([*words, "--film", str(folder / "film.html")]) == 1
    return file


def test_the_loss_happens_again_in_the_words_of_check_and_its_film(
    proofs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, verdicts = tmp_path / "film.html", tmp_path / "verdicts.json"
    words = ["check", "timeout", str(proofs.with_name("mine")), "--schedule", str(proofs)]
    assert main([*words, "--film", str(film), "--json", str(verdicts)]) == 1
    said = capsys.readouterr().out
    assert f"✗ failed   {LOST}" in said
    assert "timeout is asleep in" in said
    (proof,) = json.loads(proofs.read_text())
    (verdict,) = json.loads(verdicts.read_text())["scenarios"]
    assert verdict == proof["loss"]["verdict"]
    assert film.read_text() == proofs.with_name("film.html").read_text()


def changed(file: Path, proofs: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    (proof,) = json.loads(proofs.read_text())
    change(proof)
    file.write_text(json.dumps([proof]))
    return file


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda proof: proof.update(lab="shell"), "is of lab shell, and not of timeout"),
        (lambda proof: proof.update(play="0"), f"scenario {LOST} was another one then"),
        (lambda proof: proof.update(submission="0"), "is of another submission, or"),
        (lambda proof: proof.pop("loss"), "nothing is lost there"),
        (lambda proof: proof.pop("lab"), "holds no proofs: use a file that 'autograder prove"),
        (lambda proof: proof["loss"].update(schedule=[{}]), f"the schedule of {LOST} is none"),
        (lambda proof: proof["loss"]["schedule"].reverse(), "the play goes another way. Step 1 of"),
    ],
)
def test_a_file_of_something_else_is_refused(
    proofs: Path,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = changed(tmp_path / "other.json", proofs, change)
    words = ["check", "timeout", str(proofs.with_name("mine")), "--schedule", str(file)]
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_a_submission_that_has_changed_is_another_one(
    proofs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = Path(shutil.copytree(proofs.with_name("mine"), tmp_path / "mine"))
    (mine / "timeout.c").write_text(LOOKS_AND_THEN_SLEEPS + "\n")
    assert main(["check", "timeout", str(mine), "--schedule", str(proofs)]) == 2
    assert "is of another submission, or" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--schedule", "proofs.json", "--seed", "3"], "each step is given, in virtual time"),
        (["--schedule", "proofs.json", "--mode", "pidns"], "each step is given, in virtual time"),
        (["--schedule", "no_such_file"], "no_such_file cannot be read"),
        (["--schedule", "mine/timeout.c"], "mine/timeout.c is no JSON"),
        (["--schedule", "proofs.json", "--scenario", "01_in_time"], f"has lost is {LOST}"),
        (["--film", "film.html"], "add --schedule FILE"),
    ],
)
def test_what_cannot_be_followed_is_told(
    proofs: Path,
    more: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(proofs.parent)
    assert main(["check", "timeout", "mine", *more]) == 2
    assert told in capsys.readouterr().err
