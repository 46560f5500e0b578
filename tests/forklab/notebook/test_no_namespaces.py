"""Cells whose programs need a PID namespace, where the kernel refuses one, as filters of containers do."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from refusing import below

from forklab.notebook.namespaces import OPTION, RECORD, cells_of

NOTEBOOKS = sorted((Path(__file__).parents[3] / "notebooks").glob("*.ipynb"))
NEEDY = [path for path in NOTEBOOKS if cells_of(path)]

READER = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from forklab.notebook import prepare

shell = InteractiveShell.instance()
prepare(shell)
told = []
for cell in json.loads(sys.argv[1]):
    with capture_output() as captured:
        done = shell.run_cell(cell)
    shown = [output.data["text/html"] for output in captured.outputs]
    told.append([captured.stdout, captured.stderr, shown, repr(done.error_in_exec) if done.error_in_exec else ""])
print(json.dumps(told))
"""


def read(cells: list[str], ipython: Path) -> list[list[str]]:
    """Of each cell: what it writes and shows, and its error, where unshare(2) is refused."""
    os.environ["IPYTHONDIR"] = str(ipython)
    done = below({"unshare"}, sys.executable, "-c", READER, json.dumps(cells))
    assert not done.returncode, done.stderr
    told: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return told


def code(notebook: Path) -> list[dict[str, object]]:
    cells = json.loads(notebook.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell: dict[str, object]) -> str:
    return "".join(cell["source"])  # type: ignore[arg-type]


def test_whoever_is_refused_a_namespace_sees_the_record_and_is_told_so(tmp_path: Path) -> None:
    first = next(cell for cell in code(NEEDY[0]) if OPTION in source(cell))
    changed = source(first).replace("inside", "within")
    imports = "from forklab.notebook import *"
    _, kept, other = read([imports, source(first), changed], tmp_path)
    out, err, shown, error = kept
    assert out.startswith("inside: I am 1, my parent is 0\n")
    assert err.startswith("This machine refuses new PID namespaces")
    assert "So this program was not run." in err and not error
    (output,) = (each for each in first["outputs"] if "data" in each)  # type: ignore[attr-defined]
    assert shown == ["".join(output["data"]["text/html"])]
    assert "Your program needs one: it can be run on another machine." in other[0] + other[1]


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NEEDY, ids=lambda path: path.stem)
def test_all_of_the_notebook_can_be_read_there(notebook: Path, tmp_path: Path) -> None:
    told = read([source(cell) for cell in code(notebook)], tmp_path)
    assert [each[3] for each in told if each[3]] == []


def test_each_program_that_needs_a_namespace_is_on_record_with_what_it_writes() -> None:
    needed = [(cell.language, cell.text) for path in NOTEBOOKS for cell in cells_of(path)]
    records = json.loads(RECORD.read_text())
    assert [(each["language"], each["text"]) for each in records] == needed
    cells = [cell for notebook in NOTEBOOKS for cell in code(notebook)]
    assert len(needed) == sum(
        "unshare" in source(cell) and "%%lens" in source(cell) for cell in cells
    )
    written = [
        "".join("".join(output.get("text", "")) for output in cell["outputs"])  # type: ignore[attr-defined]
        for cell in cells
        if OPTION in source(cell)
    ]
    assert [each["output"].replace("\r\n", "\n") for each in records] == written
