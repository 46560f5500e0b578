"""What the documents say is what the code does."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from autograder.labs.scenario import load_scenario
from autograder.language.roles import PIDNS
from autograder.language.script import parse
from autograder.language.steps import SENTENCES
from autograder.stage.isolation import probe
from forklab.lens.world.stands import LEADS_TO

ROOT = Path(__file__).resolve().parents[1]
LANGUAGE = (ROOT / "docs" / "scenarios.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def sentences() -> list[str]:
    """The steps of both tables, as one could write them."""
    tables = [
        next(part for part in LANGUAGE.split(title)[1].split("\n\n") if part.startswith("| "))
        for title in ("## How init starts", "## Steps")
    ]
    steps = [
        step
        for table in tables
        for row in table.splitlines()[2:]
        for step in re.findall("`([^`]+)`", row.split("|")[1])
    ]
    blanks = {"A": "main", "B": "worker", "N": "3", "SIGNAL": "SIGTERM", "TEXT": "some words"}
    blanks |= {"STREAM": "input", "FOLDER": "/usr", "NAME=VALUE": "COLOUR=green", "MASK": "027"}
    blanks |= {"PLACE": "background", "BAND": "group", "KEY": "^C", "FILE": "/dev/null"}
    blanks |= {"NAME": "web.pid", "T": "3s", "U": "web", "ENDING": "fails"}
    return [" ".join(blanks.get(word, word) for word in step.split()) for step in steps]


@pytest.mark.parametrize("sentence", sentences())
def test_every_step_of_the_document_is_one(sentence: str) -> None:
    assert len(parse(sentence)) == 1


def test_every_step_of_the_language_is_in_the_document() -> None:
    said = {type(step) for sentence in sentences() for step in parse(sentence)}
    assert set(SENTENCES) == said


def test_the_example_is_a_scenario(tmp_path: Path) -> None:
    example = LANGUAGE.split("```toml")[1].split("```")[0]
    (tmp_path / "example.toml").write_text(example)
    assert load_scenario(tmp_path / "example.toml").title == tomllib.loads(example)["title"]


def test_the_pictures_of_the_readme_are_what_is_drawn_today() -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    for file, picture in runpy.run_path(str(ROOT / "docs" / "pictures.py"))["pictures"]().items():
        assert file.read_text() == picture, "python docs/pictures.py draws them anew"
        assert f"docs/{file.name}" in (ROOT / "README.md").read_text()


def test_the_house_of_the_document_has_the_stands_of_the_lens() -> None:
    table = ARCHITECTURE.split("### How a process stands in the lens")[1].split("\n\n")[2]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    assert {stand: set(filter(None, to.split(", "))) for stand, _, to in rows} == {
        stand.value: {after.value for after in to} for stand, to in LEADS_TO.items()
    }


@pytest.mark.parametrize("house", ["forklab", "autograder"])
def test_the_house_of_the_document_has_every_room(house: str) -> None:
    for room in (ROOT / house).glob("*/__init__.py"):
        assert (
            f"| `{room.parent.name}/`" in ARCHITECTURE or f"`{room.parent.name}/`," in ARCHITECTURE
        )


def test_every_file_that_the_house_of_the_document_links_to_is_there() -> None:
    links = re.findall(r"\]\(\.\./([^)]+)\)", ARCHITECTURE)
    assert links and all((ROOT / link).exists() for link in links)
