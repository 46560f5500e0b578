"""A reader of a notebook, who changes the program of an exercise and asks its check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

Change = tuple[str, str]

ALL = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))


def but_slowly(sample: str) -> list[ParameterSet]:
    """All notebooks, for what takes long: `make test` tries it in this one, `make slow` in the others."""
    assert sample in ALL
    return [pytest.param(name, marks=[] if name == sample else pytest.mark.slow) for name in ALL]


def cells_of(notebook: str) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((NOTEBOOKS / notebook).read_text())["cells"]
    return cells


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def exercise(notebook: str, number: int) -> tuple[str, str]:
    """The program that the reader changes, and the check in the cell below it.

    The program's cell has {"forklab": {"exercise": number}} in its metadata.
    """
    cells = cells_of(notebook)
    for at, cell in enumerate(cells):
        if cell["metadata"].get("forklab", {}).get("exercise") == number:
            return source(cell), source(cells[at + 1])
    raise LookupError(f"{notebook} has no exercise {number}")


def answer_to(shell: InteractiveShell, notebook: str, number: int, *changes: Change) -> str:
    """What the check prints once the reader has replaced some pieces of the program."""
    program, checking = exercise(notebook, number)
    for old, new in changes:
        assert old in program
        program = program.replace(old, new)
    shell.run_cell("from forklab.notebook import *").raise_error()
    with capture_output():
        shell.run_cell(program).raise_error()
    with capture_output() as captured:
        shell.run_cell(checking).raise_error()
    return str(captured.stdout)
