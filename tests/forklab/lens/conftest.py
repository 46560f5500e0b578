"""What the tests of the lens share: small C programs, compiled once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Compiles the text of a C program, or a file beside this one, and answers the path of what came of it."""
    folder = tmp_path_factory.mktemp("programs")
    made: dict[str, str] = {}

    def compile_once(source: str) -> str:
        if source not in made:
            text = (HERE / source).read_text() if source.endswith(".c") else source
            target = folder / f"program{len(made)}"
            subprocess.run(
                [os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-o", str(target), "-x", "c", "-"],
                input=text.encode(),
                check=True,
            )
            made[source] = str(target)
        return made[source]

    return compile_once


@pytest.fixture(scope="session")
def acts(compiled: Callable[[str], str]) -> str:
    return compiled("acts.c")
