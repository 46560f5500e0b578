"""Who knows of whom in what forklab shows: pictures, quizzes, notebooks, the command."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FORKLAB = Path(__file__).resolve().parents[2] / "forklab"
PICTURES = ("draw/film", "draw/lanes", "draw/trees", "draw/[a-z]*.py")


def imported(pattern: str) -> Iterator[str]:
    """The modules of ours that the files of a room import, wherever in them."""
    for place in FORKLAB.glob(pattern):
        for file in [place] if place.is_file() else place.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module is not None:
                    yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize(
    ("rooms", "strangers"),
    [
        (PICTURES, "kernel lens explore live source draw.outcomes quiz notebook command"),
        (("draw/outcomes",), "lens draw.trees draw.film draw.lanes quiz notebook command"),
        (("quiz",), "notebook command"),
        (("notebook",), "quiz command"),
        (("command",), "notebook"),
        (("live.py", "source.py", "schema.py"), "lens explore draw quiz notebook command"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_room_does_not_know_of_these(rooms: tuple[str, ...], strangers: str) -> None:
    known = {module for room in rooms for module in imported(room)}
    assert known
    for stranger in strangers.split():
        assert not [name for name in known if f"{name}.".startswith(f"forklab.{stranger}.")]


@pytest.mark.parametrize("room", ["command", "draw", "notebook", "quiz"])
def test_every_room_says_what_it_is_for(room: str) -> None:
    for package in (FORKLAB / room).rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(package.read_text())), package
