"""A number and the noun behind it agree, whatever the number is: no message speaks of "1 children"."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from forklab.counted import counted

ROOT = Path(__file__).parents[1]
PLURAL = re.compile(
    r"\s(?:more |other |further )?(children|processes|lines|seconds|schedules|outcomes|outputs|bytes|students|points"
    r"|states|steps|plays|scenarios|zombies|signals|threads|descriptors)\b(?! (?:of \d|per))"
)
# Those that are never one: a constant, or what is only said when it is more.
NEVER_ONE = {
    "autograder/trial/bench.py": "three plays or more, and the seconds of a limit",
    "autograder/trial/explain.py": "longer than anybody is waited for",
    "autograder/trial/proof.py": "a single one has words of its own",
    "autograder/submission/submissions.py": "one alone says nothing about the name of a folder",
    "autograder/submission/intake.py": "a file that is too large",
    "autograder/stage/virtual.py": "as many processes as a play may have",
    "forklab/lens/world/surroundings.py": "as many bytes as a pipe takes at once",
    "autograder/stage/machine.py": "what a play needs is said of more than one",
    "autograder/stage/workspace.py": "as many bytes as the name of a folder may have",
    "forklab/services/folder.py": "as many bytes as a unit file may have",
    "forklab/draw/outcomes/text.py": "a power of ten",
    "forklab/explore/explore.py": "the most outcomes that are kept",
}


def counting(module: Path) -> Iterator[str]:
    """Nouns in the plural that stand right behind a value in an f-string."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for value, words in itertools.pairwise(node.values):
                if isinstance(value, ast.FormattedValue) and isinstance(words, ast.Constant):
                    found = PLURAL.match(str(words.value))
                    if found is not None:
                        yield f"line {node.lineno}: {found[0].strip()}"


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 children"), (1, "1 child"), (2, "2 children"), (12345, "12,345 children")],
)
def test_a_whole_number_agrees_with_its_noun(number: int, said: str) -> None:
    assert counted(number, "child", "children") == said


@pytest.mark.parametrize(
    ("number", "said"), [(1.0, "1 second"), (0.5, "0.5 seconds"), (60.0, "60 seconds")]
)
def test_a_measure_agrees_with_its_noun(number: float, said: str) -> None:
    assert counted(number, "second") == said


def test_no_message_counts_in_the_plural_alone() -> None:
    found = {
        str(module.relative_to(ROOT)): nouns
        for house in ("forklab", "autograder")
        for module in sorted((ROOT / house).rglob("*.py"))
        if (nouns := list(counting(module)))
    }
    assert {module: nouns for module, nouns in found.items() if module not in NEVER_ONE} == {}
    assert set(NEVER_ONE) <= set(found), "nothing is left to be excused there"
