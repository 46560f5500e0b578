"""A sentence that somebody forgets to play, to judge or to foresee is found out; it is never played as nothing.

mypy finds it before anybody runs anything (`make slow` watches that). Here: what happens if nobody asked mypy.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import pytest

from autograder.ideal.foresight import Foresight
from autograder.ideal.perfect import PerfectPlay
from autograder.language.roles import Actors
from autograder.language.sentence import (
    DeedTraits,
    Doer,
    ExpectationTraits,
    Judged,
    Sentence,
    Wording,
)
from autograder.trial.checks import Checks
from autograder.trial.direct import Director

ROOT = Path(__file__).parents[2]
MAIN = Actors("main")


@dataclass(frozen=True)
class Dances(Sentence):
    """Nobody knows how."""

    actors: Actors

    wording = Wording("{actors} dances", "{actors} dance")
    traits = DeedTraits(Doer.ACTOR, actors_only=True, init_may_answer=False, frees_others=False)


@dataclass(frozen=True)
class IsDancing(Sentence):
    """Nobody can tell."""

    actors: Actors

    wording = Wording("expect {actors} is dancing", "expect {actors} are dancing")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


@dataclass(frozen=True)
class IsHumming(Sentence):
    """Nobody listens."""

    actors: Actors

    wording = Wording("expect {actors} is humming", "expect {actors} are humming")
    traits = ExpectationTraits(Judged.AT_REST, actors_only=False)


def test_a_deed_that_nobody_knows_is_not_directed_as_nothing() -> None:
    director = Director(Mock(), Mock(), Mock(), restless=False)
    with pytest.raises(AssertionError, match="Dances"):
        director.perform(Dances(MAIN))  # type: ignore[arg-type]


def test_a_deed_that_nobody_knows_is_not_idealised_as_nothing() -> None:
    with pytest.raises(AssertionError, match="Dances"):
        PerfectPlay("pidns").perform(Dances(MAIN))  # type: ignore[arg-type]


def test_an_expectation_that_nobody_knows_is_not_judged() -> None:
    with pytest.raises(AssertionError, match="IsDancing"):
        Checks(Mock(), Mock()).of(IsDancing(MAIN))  # type: ignore[arg-type]


def test_an_expectation_that_nobody_knows_is_not_foreseen() -> None:
    with pytest.raises(AssertionError, match="IsDancing"):
        Foresight(PerfectPlay("pidns")).objections(IsDancing(MAIN))  # type: ignore[arg-type]


def add(path: Path, sentence: str, union: str) -> None:
    """Writes a sentence of this file into a scratch copy of the language."""
    source = Path(__file__).read_text()
    [found] = re.findall(rf"@dataclass\(frozen=True\)\nclass {sentence}\(.*?\n\n\n", source, re.S)
    text = path.read_text()
    assert text.count(f"{union}: TypeAlias = ") == 1
    path.write_text(
        text.replace(f"{union}: TypeAlias = ", f"{found}{union}: TypeAlias = {sentence} | ")
    )


def complaints(folder: Path) -> list[tuple[str, str]]:
    """What mypy says: the file, and the complaint."""
    wings = ("-p", "autograder.language", "-p", "autograder.trial", "-p", "autograder.ideal")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *wings],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stderr == ""
    return re.findall(r"^autograder/(\S+?\.py):\d+: error: (.*)$", done.stdout, re.M)


@pytest.mark.slow
def test_mypy_names_each_place_that_has_forgotten_a_sentence(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "autograder", tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "forklab").symlink_to(ROOT / "forklab")
    assert complaints(tmp_path) == []
    language = tmp_path / "autograder" / "language"
    add(language / "deeds.py", "Dances", "Deed")
    add(language / "expectations.py", "IsDancing", "Expectation")
    kinds = {"bands": "OfBands", "inheritance": "OfInheritance", "streams": "OfStreams"}
    for kind, union in kinds.items():
        add(language / f"{kind}.py", "IsHumming", union)
    found = complaints(tmp_path)
    assert {(file, re.findall("Dances|IsDancing|IsHumming", what)[0]) for file, what in found} == {
        ("trial/direct.py", "Dances"),
        ("ideal/perfect.py", "Dances"),
        ("trial/checks.py", "IsDancing"),
        ("ideal/foresight.py", "IsDancing"),
        *((f"trial/checks_of_{kind}.py", "IsHumming") for kind in kinds),
    }
    assert all("assert_never" in what for _, what in found)


@pytest.mark.slow
def test_mypy_finds_a_sentence_that_is_not_classified(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "autograder", tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "forklab").symlink_to(ROOT / "forklab")
    deeds = tmp_path / "autograder" / "language" / "deeds.py"
    text = deeds.read_text()
    deeds.write_text(re.sub(r"(class Says\(.*?)\n    traits = .*?\n", r"\1\n", text, flags=re.S))
    assert [what for _, what in complaints(tmp_path) if 'has no attribute "traits"' in what]
