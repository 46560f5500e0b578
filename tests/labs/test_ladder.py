"""labs/README.md, the ladder: all labs that there are, what each builds on, and which notebooks lead there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted(file.parent for file in (ROOT / "labs").glob("*/lab.toml"))


@dataclass(frozen=True)
class Rung:
    """A row of the ladder. `notebooks` are their titles by their paths, as they are linked."""

    lab: str
    builds_on: tuple[str, ...]
    notebooks: dict[str, str]


def rungs() -> list[Rung]:
    text = (ROOT / "labs" / "README.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| [")]
    found = []
    for link, _, builds_on, notebooks in rows:
        lab = re.fullmatch(r"\[(\w+)\]\(\1/README\.md\)", link)
        assert lab, link
        below = () if builds_on == "-" else tuple(builds_on.split(", "))
        titles = {path: title for title, path in re.findall(r"\[([^]]+)\]\(([^)]+)\)", notebooks)}
        found.append(Rung(lab[1], below, titles))
    return found


def test_every_lab_has_its_row_and_nothing_else_has_one() -> None:
    assert sorted(rung.lab for rung in rungs()) == [folder.name for folder in LABS]


def test_a_lab_stands_below_those_that_it_builds_on() -> None:
    above: list[str] = []
    for rung in rungs():
        assert set(rung.builds_on) <= set(above), rung.lab
        above.append(rung.lab)


@pytest.mark.parametrize("rung", rungs(), ids=lambda rung: rung.lab)
def test_the_notebooks_of_a_lab_are_called_so_and_its_handout_names_them(rung: Rung) -> None:
    handout = (ROOT / "labs" / rung.lab / "README.md").read_text()
    assert rung.notebooks
    for path, title in rung.notebooks.items():
        first = json.loads((ROOT / "labs" / path).read_text())["cells"][0]["source"]
        assert "".join(first).splitlines()[0] == f"# {title}"
        assert Path(path).name in handout


@pytest.mark.parametrize("folder", LABS, ids=lambda folder: folder.name)
def test_every_file_that_a_handout_links_to_is_there(folder: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (folder / "README.md").read_text())
    assert [link for link in links if not (folder / link).exists()] == []
