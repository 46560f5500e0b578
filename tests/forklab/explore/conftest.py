"""Programs that are explored, compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from programs import Runnable

from forklab.source import program_of


@pytest.fixture(scope="module")
def runnable() -> Iterator[Runnable]:
    """From language and text to the arguments of `explore` or `Replays`."""
    with ExitStack() as stack:
        made: dict[tuple[str, str], dict[str, Any]] = {}

        def make(language: str, text: str) -> dict[str, Any]:
            if (language, text) not in made:
                program = stack.enter_context(program_of(language, text))
                made[language, text] = {"argv": list(program.argv), "program": program.path}
            return made[language, text]

        yield make


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The programs run here, and leave nothing behind."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
