"""The C twins: each compiles, is what its notebook shows, and has the history of the Python."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from forklab.history import History
from forklab.notebook import look_at
from forklab.source import C_FLAGS

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "c_examples").glob("**/*.c"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def cells_with_a_twin(language: str) -> list[tuple[str, str, bool]]:
    """(name of the twin, program, whether it writes into a pipe) of each cell whose metadata name a file."""
    found = []
    for notebook in NOTEBOOKS:
        for cell in json.loads(notebook.read_text())["cells"]:
            magic, _, program = "".join(cell["source"]).partition("\n")
            twin = cell["metadata"].get("forklab", {}).get("twin")
            lens, *options = magic.split()
            if twin is not None and lens == "%%lens" and language in options:
                found.append((twin, program, "--pipe" in options))
    return found


def shown_part(example: Path) -> str:
    """Without the comment at the top, which says what a reader of the notebook knows."""
    return example.read_text().split("*/\n", 1)[1].strip()


def story(history: History) -> list[dict[str, object]]:
    """All that happened, but for what was executed."""
    told = [event.to_json() for event in history.events]
    return [{key: value for key, value in event.items() if key != "argv"} for event in told]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_compiles_without_a_warning(example: Path, tmp_path: Path) -> None:
    command = ["cc", *C_FLAGS, "-Werror", "-o", str(tmp_path / "program"), str(example)]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert compiled.returncode == 0, compiled.stderr


def test_every_example_is_shown_in_a_notebook() -> None:
    shown = {twin for twin, _, _ in cells_with_a_twin("c")}
    assert shown == {example.name for example in EXAMPLES}


@pytest.mark.parametrize(("twin", "program", "pipe"), cells_with_a_twin("c"))
def test_the_notebook_shows_the_program_in_the_file(twin: str, program: str, pipe: bool) -> None:
    assert program.strip() == shown_part(ROOT / "c_examples" / twin)


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(("twin", "program", "pipe"), cells_with_a_twin("python"))
def test_the_python_program_does_the_same_as_its_c_twin(
    twin: str, program: str, pipe: bool, seed: int
) -> None:
    in_c = look_at("c", (ROOT / "c_examples" / twin).read_text(), seed=seed, pipe=pipe)
    in_python = look_at("python", program, seed=seed, pipe=pipe)
    assert in_python.output == in_c.output
    assert story(in_python.history) == story(in_c.history)
    assert len(in_c.history.family()) > 1
