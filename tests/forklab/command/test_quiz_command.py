"""`forklab quiz` as an instructor types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forklab.command.main import main

ONE = ("quiz", "--kind", "count", "--count", "1")
DOCUMENT = (Path(__file__).parents[3] / "docs" / "quiz.md").read_text()
ALL_FORMATS = """
from forklab.quiz.make import Order, make
from forklab.quiz import as_gift, as_markdown, as_notebook, as_text

def all_formats():
    quiz = make(Order(4, "count", 2, 1, "c"))
    texts = as_gift.as_gift(quiz), as_markdown.as_markdown(quiz), as_text.as_text(quiz)
    return "".join([*texts, as_notebook.as_notebook(quiz)])
"""


def test_the_same_seed_gives_the_same_bytes_everywhere(tmp_path: Path) -> None:
    elsewhere = {"PYTHONHASHSEED": "2", "TMPDIR": str(tmp_path), "TZ": "Asia/Tokyo"}
    there = subprocess.run(
        [sys.executable, "-c", f"{ALL_FORMATS}\nprint(all_formats(), end='')"],
        env=os.environ | elsewhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    here: dict[str, Any] = {}
    exec(ALL_FORMATS, here)
    assert there.stdout == here["all_formats"]()
    assert len(there.stdout) > 1000


def test_a_language_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    for language, line in (("c", "int main(void) {"), ("python", "import os")):
        assert main([*ONE, "--language", language]) == 0
        assert line in capsys.readouterr().out


def test_the_key_has_the_command_that_makes_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ONE, "--seed", "5", "--language", "c", "--level", "1"]) == 0
    first = capsys.readouterr().out
    (line,) = [line for line in first.splitlines() if line.startswith("Made by: forklab ")]
    assert main(line.removeprefix("Made by: forklab ").split()) == 0
    assert capsys.readouterr().out == first


def test_without_a_compiler_there_is_a_hint_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert main([*ONE, "--language", "c"]) == 1
    assert "no-such-compiler" in capsys.readouterr().err
    assert main(["quiz", "--kind", "count", "--count", "4"]) == 1
    trouble = capsys.readouterr()
    assert "--language python" in trouble.err
    assert trouble.out == ""
    assert main([*ONE, "--language", "python"]) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--level", "6"], "--level"),
        (["--count", "0"], "'0' is not a number from 1 to 50"),
        (["--kind", "riddle"], "outputs"),
        (["--format", "pdf"], "gift"),
        (["--seed", "mine"], "--seed"),
    ],
)
def test_a_wrong_option_is_refused_with_what_it_can_be(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["quiz", *options])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_the_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["quiz", "--help"])
    told = capsys.readouterr().out
    for option in ("--seed", "--kind", "--level", "--count", "--format", "--language"):
        assert option in told


def test_the_example_of_the_document_is_what_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = DOCUMENT.split("```\n$ forklab ")[1].split("\n```")[0]
    command, _, printed = example.partition("\n")
    assert main(command.split()) == 0
    assert capsys.readouterr().out == printed + "\n"
