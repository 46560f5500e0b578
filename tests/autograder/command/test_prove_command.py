"""`autograder prove`: what it says, what it writes and how it ends; with real plays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.command.cli import main
from autograder.labs.lab import load_lab
from autograder.language.roles import PIDNS
from autograder.stage.isolation import probe

LAB = load_lab("init")
WORD = "02_orphan"
NEVER_REAPS = """
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **arguments) {
    (void)count;
    int status;
    pid_t command = fork();
    if (command == 0) { execvp(arguments[1], arguments + 1); _exit(127); }
    waitpid(command, &status, 0);
    return WEXITSTATUS(status);
}
"""
pytestmark = pytest.mark.skipif(probe().mode != PIDNS, reason=probe().why)


def test_a_proof_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "init", str(LAB.folder / "solution/c"), "--scenario", WORD]) == 0
    said = capsys.readouterr().out
    assert f"✓ {WORD}  right in all 7 schedules" in said
    assert "1 scenario: 1 proved." in said


def test_a_loss_with_its_steps_and_a_film(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, film, proofs = tmp_path / "mine", tmp_path / "film.html", tmp_path / "proofs.json"
    folder.mkdir()
    (folder / "init.c").write_text(NEVER_REAPS)
    words = ["prove", "init", str(folder), "--scenario", WORD]
    assert main([*words, "--film", str(film), "--json", str(proofs)]) == 1
    said = capsys.readouterr().out
    assert f"✗ {WORD}  fails in the only schedule" in said
    assert "This is the shortest schedule that loses:" in said
    assert "worker is told to exit" in said
    assert "failed here" in said
    assert "worker" in film.read_text()
    (proof,) = json.loads(proofs.read_text())
    assert proof["standing"] == "lost"
    assert proof["losing"] == proof["schedules"]
    assert proof["loss"]["verdict"]["failed_step"]
    assert {step["kind"] for step in proof["loss"]["schedule"]} >= {"cue", "call"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["init", "no/such/folder"], "no/such/folder does not exist"),
        (["nothing", "."], "nothing"),
        (["init", ".", "--scenario", "99_never"], "has no such scenario"),
    ],
)
def test_what_cannot_be_proved_is_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove", *words]) == 2
    assert told in capsys.readouterr().err


def test_what_cannot_be_built_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "init.c").write_text("int main(void) { return oops; }\n")
    assert main(["prove", "init", str(tmp_path), "--scenario", WORD]) == 2
    told = capsys.readouterr().err
    assert "cannot be built" in told
    assert "oops" in told
