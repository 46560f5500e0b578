"""CONTRIBUTING's recipe for a lab, followed word for word: its commands are run, its files are written."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
RECIPE = (ROOT / "CONTRIBUTING.md").read_text().split("## Add a lab\n")[1].split("\n## ")[0]


def blocks() -> list[tuple[str, str]]:
    """What the recipe quotes and says what it is, in its order: the language, and the text without the indent."""
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", RECIPE, re.MULTILINE | re.DOTALL)
    return [(language, re.sub(r"^ {3}", "", text, flags=re.MULTILINE)) for language, text in found]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the recipe touches of a clone, with our environment, which counts as made for it."""
    linked = (
        "Makefile",
        "autograder",
        "forklab",
        "notebooks",
        "pyproject.toml",
        "requirements.lock",
    )
    for name in (*linked, "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "labs", tmp_path / "labs")
    (tmp_path / "tests" / "labs").mkdir(parents=True)
    for name in ("conftest.py", "labs/test_every_lab.py", "labs/test_ladder.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests" / name)
    (tmp_path / ".venv").mkdir()
    for part in TOOLS.parent.iterdir():
        if not part.name.startswith(".forklab"):
            (tmp_path / ".venv" / part.name).symlink_to(part)
    folder = run("pwd -P | cksum | cut -d ' ' -f 1", tmp_path).strip()
    (tmp_path / ".venv" / f".forklab-base-{folder}").touch()  # see the Makefile
    return tmp_path


def run(command: str, folder: Path) -> str:
    """What it says on standard output; it has to succeed."""
    ours = {
        name: word for name, word in os.environ.items() if not re.match("CONDA|MAKE|MFLAGS", name)
    }
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=folder,
        env=ours,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=900)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    assert process.returncode == 0, f"{command}\n{out}\n{err}"
    return out


def add_row(ladder: Path, row: str) -> None:
    """Below the last one."""
    rows, table_ends, rest = ladder.read_text().rpartition(" |\n\n")
    ladder.write_text(f"{rows} |\n{row}\n{rest}")
    assert table_ends


def test_the_recipe_of_contributing_is_followed_word_for_word(clone: Path) -> None:
    """Its commands are run, its files written, its row is added."""
    said: list[str] = []
    for language, text in blocks():
        if language == "sh":
            said += [run(command, clone) for command in text.splitlines()]
        elif language == "markdown":
            add_row(clone / "labs" / "README.md", text)
        else:
            path = re.match(r"# (labs/relay/\S+)\n", text)
            assert path, f"the recipe does not say which file this is:\n{text}"
            (clone / path[1]).write_text(text)
    relay = load_lab(clone / "labs" / "relay")
    assert relay.title == "Nothing gets lost on the way"
    assert [scenario.name for scenario in relay.scenarios][2:] == ["03_killed"]
    with (clone / "build" / "grades" / "relay" / "grades.csv").open() as file:
        status = {row["student"]: row["status"] for row in csv.DictReader(file)}
    assert status == {
        "solution_c": "passed",
        "solution_python": "passed",
        "starter_c": "failed",
        "starter_python": "failed",
        "mutant_killed_reads_as_0": "failed",
        "mutant_one_status_for_all": "failed",
    }
    ladder, every_lab = said[-2:]
    assert " passed" in ladder and " passed" in every_lab
