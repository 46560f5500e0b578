"""A Python program is looked at more often if its text has what depends on hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from forklab.explore.hashes import may_matter

MAY = [
    "for x in {'a', 'b'}: print(x)",
    "print({x for x in 'ab'})",
    "print(set('ab'))",
    "print(hash('a'))",
    "print(id(3))",
    "print({'a': 1}.keys() & {'b': 2}.keys())",
    "import signal\nprint(signal.valid_signals())",
    "import mine",
    "from . import mine",
    "this is no Python",
]
MAY_NOT = [
    "print('a')",
    "import os, sys\nif os.fork(): os.wait()",
    "from multiprocessing import Process",
    "for x in {'a': 1}: print(x)",
    "print(3 - 1)",
]


@pytest.mark.parametrize("text", MAY)
def test_it_may_matter(text: str) -> None:
    assert may_matter(["python", "-c", text])


@pytest.mark.parametrize("text", MAY_NOT)
def test_it_can_hardly_matter(text: str, tmp_path: Path) -> None:
    assert not may_matter(["python", "-c", text])
    (file := tmp_path / "program.py").write_text(text)
    assert not may_matter(["python", str(file), "argument"])


def test_what_cannot_be_read_may_matter(tmp_path: Path) -> None:
    assert may_matter(["python", "-m", "http.server"])
    assert may_matter(["python", str(tmp_path / "missing.py")])
    assert may_matter(["python"])
