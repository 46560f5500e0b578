"""The house keeps its shape: wings know only those below them, nothing goes round in a circle, nothing is hidden."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "autograder").rglob("*.py"))
}
WINGS = sorted(path.parent.name for path in (ROOT / "autograder").glob("*/__init__.py"))

# Each wing, and those that it may know. Errors and safe text, beside the wings, everybody may.
BELOW = {
    "language": set(),
    "labs": {"language"},
    "ideal": {"language"},
    "stage": {"language"},
    "submission": {"stage"},
    "trial": {"language", "labs", "ideal", "stage", "submission"},
    "grading": {"labs", "submission", "trial"},
    "reports": {"language", "labs", "trial", "grading"},
    "command": {"language", "labs", "stage", "submission", "trial", "grading", "reports"},
}


def imported_by(path: Path) -> Iterator[str]:
    """Everything that a file imports, wherever in it: modules, and what may be a module or a name of one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None and node.level == 0, f"{path}: a relative import"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def wing_of(module: str) -> str:
    """Empty for what stands beside the wings."""
    name = module.split(".")[1] if "." in module else ""
    return name if name in WINGS else ""


def test_every_wing_has_its_place() -> None:
    assert set(BELOW) == set(WINGS)


@pytest.mark.parametrize("module", MODULES)
def test_no_import_climbs(module: str) -> None:
    wing = wing_of(module)
    known = {wing_of(name) for name in imported_by(MODULES[module]) if name in MODULES}
    assert known - {wing, ""} <= BELOW.get(wing, set())


def test_the_stage_knows_no_more_of_the_language_than_who_plays() -> None:
    known = {
        name
        for module, path in MODULES.items()
        for name in imported_by(path)
        if wing_of(module) == "stage" and wing_of(name) == "language" and name in MODULES
    }
    assert known <= {"autograder.language", "autograder.language.roles"}


def test_imports_go_round_in_no_circle() -> None:
    graph = {
        module: {name for name in imported_by(path) if name in MODULES} - {module}
        for module, path in MODULES.items()
    }
    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_hidden_behind_type_checking(module: str) -> None:
    assert "TYPE_CHECKING" not in MODULES[module].read_text()


def test_the_lens_knows_nothing_of_the_judge() -> None:
    paths = (ROOT / "forklab").rglob("*.py")
    assert not [
        path for path in paths if any(n.split(".")[0] == "autograder" for n in imported_by(path))
    ]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_first_what_it_is_for(module: str) -> None:
    words = ast.get_docstring(ast.parse(MODULES[module].read_text()))
    assert words and words.splitlines()[0].endswith((".", ":", "?"))
