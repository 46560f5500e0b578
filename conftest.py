"""What holds for tests and for notebooks: a cell that this machine cannot run is skipped, and says why."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest


@lru_cache
def _needs_a_namespace(notebook: Path) -> bool:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return any("--pid-namespace" in "".join(cell["source"][:1]) for cell in cells)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.path.suffix == ".ipynb" and _needs_a_namespace(item.path):
        # Here: most need no notebook.
        from forklab.lens import nested
        from forklab.notebook.namespaces import REFUSED

        if nested.is_refused():
            pytest.skip(f"{REFUSED} Its outputs are those of one that allows them.")
