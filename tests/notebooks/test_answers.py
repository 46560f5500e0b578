"""Answers to the exercises, right ones and wrong ones, and what each is told: the tables in answers/, one a notebook.

Each wrong answer that was ever met stands there, and right ones in many styles. `changes` are what the reader replaces
in the exercise, `says` is how the answer of the check begins; of the `daily` ones `make test` tries every other one,
and `make slow` all the rest.
"""

from __future__ import annotations

import itertools
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from IPython.core.interactiveshell import InteractiveShell
from reader import ALL, answer_to, cells_of

from forklab.notebook import prepare

TABLES = Path(__file__).parent / "answers"

Answer = dict[str, Any]


def answers_to(notebook: str) -> list[Answer]:
    table = (TABLES / notebook).with_suffix(".toml")
    answers: list[Answer] = tomllib.loads(table.read_text())["answer"] if table.exists() else []
    return answers


def each() -> Iterator[ParameterSet]:
    tried = itertools.cycle((True, False))
    for notebook in ALL:
        for number, answer in enumerate(answers_to(notebook), start=1):
            marks = [] if answer.get("daily") and next(tried) else [pytest.mark.slow]
            name = f"{notebook[:2]}-{answer['exercise']}-{number}"
            yield pytest.param(notebook, answer, id=name, marks=marks)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    """One for all answers: each of them runs its own program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        shell = InteractiveShell.instance()
        prepare(shell)
        yield shell
        InteractiveShell.clear_instance()


@pytest.mark.parametrize(("notebook", "answer"), [*each()])
def test_an_answer_is_told_what_it_deserves(
    kernel: InteractiveShell, notebook: str, answer: Answer
) -> None:
    changes = [(old, new) for old, new in answer.get("changes", [])]
    if any("pkill" in new for _, new in changes) and shutil.which("pkill") is None:
        pytest.skip("there is no pkill")
    told = answer_to(kernel, notebook, answer["exercise"], *changes)
    assert told.startswith(answer["says"]), told


@pytest.mark.parametrize(
    "notebook", [name for name in ALL if (TABLES / name).with_suffix(".toml").exists()]
)
def test_each_exercise_has_wrong_answers_in_the_table_and_right_ones_in_two_styles(
    notebook: str,
) -> None:
    exercises = {
        number
        for cell in cells_of(notebook)
        if (number := cell["metadata"].get("forklab", {}).get("exercise")) is not None
    }
    told = [(answer["exercise"], answer["says"]) for answer in answers_to(notebook)]
    assert {number for number, _ in told} == exercises
    for exercise in exercises:
        says = [words for number, words in told if number == exercise]
        assert sum(words.startswith("Right!") for words in says) >= 2
        assert sum(words.startswith("Not yet.") for words in says) >= 3
