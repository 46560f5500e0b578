"""The house keeps its shape: each room knows only those below it, nothing goes in a circle, nothing is hidden."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for house in ("forklab", "autograder")
    for path in sorted((ROOT / house).rglob("*.py"))
}

# For each part of a house those parts that it may know. What stands beside them (history, numbering, errors ...)
# everybody may know, and so knows none of them, but for the few that BESIDE names.
KNOWN = {
    "forklab": {
        "kernel": "",
        "model": "kernel",
        "steps": "kernel",
        "lens": "kernel steps",
        "explore": "kernel steps lens",
        "draw": "steps explore",
        "quiz": "kernel model lens explore draw",
        "services": "kernel",
        "ctl": "services draw",
        "notebook": "kernel lens explore draw services ctl",
        "command": "kernel steps lens explore draw quiz services ctl",
    },
    # On top of its floors stand the doors of the lens: record, replay ...
    "forklab.lens": {
        "edge": "",
        "world": "edge",
        "calls": "edge world",
        "loop": "edge world calls",
        "untraced": "edge world",
    },
    # Only what draws outcomes knows of the explorer, and with it of steps.
    "forklab.draw": {
        "trees": "",
        "lanes": "",
        "film": "trees",
        "outcomes": "",
        "units": "trees",
    },
    "autograder": {
        "language": "",
        "ideal": "language",
        "labs": "language ideal",
        "stage": "language",
        "submission": "stage",
        "trial": "language labs ideal stage submission",
        "grading": "labs submission trial",
        "reports": "language labs trial grading",
        "command": "language labs stage submission trial grading reports",
    },
}
BESIDE = {
    "forklab.live": {"kernel"},
}


def imported_by(module: str) -> Iterator[str]:
    """The modules of ours that a module imports, wherever in it; a package only for names of its own."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None and node.level == 0, f"{module}: a relative import"
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                if (found := inner if inner in MODULES else node.module) in MODULES:
                    yield found


def part_of(module: str, house: str) -> str:
    """The part of a house in which a module stands; empty for what stands beside them, or elsewhere."""
    name = module.removeprefix(f"{house}.").split(".")[0] if module.startswith(f"{house}.") else ""
    return name if name in KNOWN[house] else ""


@pytest.mark.parametrize("house", KNOWN)
def test_every_part_of_the_house_has_its_place(house: str) -> None:
    folder = ROOT.joinpath(*house.split("."))
    assert set(KNOWN[house]) == {path.parent.name for path in folder.glob("*/__init__.py")}


@pytest.mark.parametrize("house", KNOWN)
def test_no_import_climbs(house: str) -> None:
    for module in MODULES:
        if part := part_of(module, house):
            known = {part_of(name, house) for name in imported_by(module)} - {part, ""}
            assert known <= set(KNOWN[house][part].split()), module


@pytest.mark.parametrize("house", ["forklab", "autograder"])
def test_what_stands_beside_the_rooms_knows_none_of_them(house: str) -> None:
    for module in MODULES:
        if module.startswith(f"{house}.") and not part_of(module, house):
            known = {part_of(name, house) for name in imported_by(module)} - {""}
            assert known <= BESIDE.get(module, set()), module


def test_no_floor_of_the_lens_knows_its_doors() -> None:
    """But for the way without tracing, which is asked by the same Request and answers with the same errors."""
    for module in MODULES:
        if floor := part_of(module, "forklab.lens"):
            doors = {
                name.rpartition(".")[2]
                for name in imported_by(module)
                if name.startswith("forklab.lens.") and not part_of(name, "forklab.lens")
            }
            assert doors <= ({"request", "errors"} if floor == "untraced" else {"errors"}), module


def test_only_what_draws_outcomes_knows_how_they_were_found() -> None:
    for module in MODULES:
        if module.startswith("forklab.draw") and part_of(module, "forklab.draw") != "outcomes":
            assert not {part_of(name, "forklab") for name in imported_by(module)} - {"draw", ""}


def test_the_stage_knows_no_more_of_the_language_than_who_plays() -> None:
    known = {
        name
        for module in MODULES
        if part_of(module, "autograder") == "stage"
        for name in imported_by(module)
        if part_of(name, "autograder") == "language"
    }
    assert known == {"autograder.language.roles"}


def test_imports_go_round_in_no_circle() -> None:
    graph: Mapping[str, set[str]] = {module: set(imported_by(module)) for module in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


def test_the_lens_knows_nothing_of_grading() -> None:
    for module in MODULES:
        if module.startswith("forklab"):
            assert not [name for name in imported_by(module) if name.startswith("autograder")]


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_hidden_behind_type_checking(module: str) -> None:
    assert "TYPE_CHECKING" not in MODULES[module].read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_first_what_it_is_for(module: str) -> None:
    words = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    assert words and words.splitlines()[0].endswith((".", ":", "?"))
