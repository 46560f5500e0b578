"""`--seed N`: in virtual time it decides who is next where several can go on, and so what a play comes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.command.cli import main
from autograder.command.grade import ClassOrder
from autograder.language.roles import PIDNS
from autograder.stage.isolation import probe

LAB = """
title = "A race"
role = "command"
program = "race"
run = ["{program}"]
expected = "none"
"""
SCENARIO = """
title = "Who is first?"
points = 1
why = "Nobody knows."
script = "expect output is exactly nobody"
"""
RACE = r"""
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 5; i++)
        if (fork() == 0)
            _exit(write(1, &"abcde"[i], 1) < 0);
    while (wait(NULL) > 0) {
    }
    return 0;
}
"""


@pytest.fixture
def race(tmp_path: Path) -> tuple[str, str]:
    """A lab, and a submission whose children write a letter each."""
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    (tmp_path / "lab/scenarios").mkdir(parents=True)
    (tmp_path / "lab/lab.toml").write_text(LAB)
    (tmp_path / "lab/scenarios/01.toml").write_text(SCENARIO)
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission/race.c").write_text(RACE)
    return str(tmp_path / "lab"), str(tmp_path / "submission")


def checked(race: tuple[str, str], tmp_path: Path, *seed: str) -> bytes:
    file = tmp_path / "verdicts.json"
    assert main(["check", *race, "--mode", "virtual", "--json", str(file), *seed]) == 1
    return file.read_bytes()


def test_the_same_seed_is_the_same_play_byte_for_byte_and_another_one_another(
    race: tuple[str, str], tmp_path: Path
) -> None:
    plays = {seed: checked(race, tmp_path, "--seed", seed) for seed in "123456"}
    assert all(checked(race, tmp_path, "--seed", seed) == plays[seed] for seed in "123")
    assert len({json.loads(play)["scenarios"][0]["message"] for play in plays.values()}) > 1


def test_without_a_seed_it_is_the_same_play_each_time_too(
    race: tuple[str, str], tmp_path: Path
) -> None:
    assert checked(race, tmp_path) == checked(race, tmp_path)


def test_a_class_goes_by_the_seed_too_and_verdicts_with_another_one_are_others(
    race: tuple[str, str], tmp_path: Path
) -> None:
    lab, submission = race
    (tmp_path / "class").mkdir()
    Path(submission).rename(tmp_path / "class/ada")
    words = ["grade", lab, str(tmp_path / "class"), "--mode", "virtual", "--jobs", "1"]

    def message(out: str, *more: str) -> str:
        assert main([*words, "--out", str(tmp_path / out), *more]) == 0
        results = json.loads((tmp_path / out / "results/ada.json").read_text())
        return str(results["tests"][0]["output"])

    found = {seed: message(f"out{seed}", "--seed", seed) for seed in "1234"}
    assert len(set(found.values())) > 1
    other = next(seed for seed in found if found[seed] != found["1"])
    assert message("out1", "--seed", other, "--resume") == found[other]


@pytest.mark.parametrize("mode", ["pidns", "subreaper"])
def test_in_real_time_nobody_goes_by_a_seed(
    race: tuple[str, str], capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    assert main(["check", *race, "--seed", "3", "--mode", mode]) == 2
    assert f"in mode {mode} the kernel decides who is next" in capsys.readouterr().err


def test_who_goes_on_later_goes_by_the_same_seed(tmp_path: Path) -> None:
    order = ClassOrder("init", tmp_path, tmp_path, mode="virtual", seed=7)
    assert "--seed 7" in order.again
