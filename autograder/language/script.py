"""The scenario language: a play, one step a line, that a student can read aloud.

    text <-> list of steps

`parse` and `format_script` are each other's inverse: what one writes the other reads back as the same steps. The
sentences are in deeds.py and expectations.py, what makes no sense is found by sense.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from autograder.language.grammar import read_line, words_of, write_line
from autograder.language.problems import Problem, ScriptError
from autograder.language.roles import INIT
from autograder.language.steps import Step
from autograder.language.suggestions import problem_of

_MOST_PROBLEMS = 20  # that are told at once


def parse(text: str, subject: str = INIT) -> list[Step]:
    """The steps of a script, each with its line number, counted from 1; `subject` is its name for who is judged.

    Empty lines and comments (from a word that begins with # to the end of the line) are skipped.
    Raises ScriptError with what is wrong in every line that is not a step, and what was probably
    meant.
    """
    steps: list[Step] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        step = read_line(line, number, subject)
        if step is not None:
            steps.append(step)
        elif words_of(line) and len(problems) < _MOST_PROBLEMS:
            problems.append(problem_of(line.strip(), number, subject))
    if problems:
        raise ScriptError(tuple(problems))
    return steps


def format_script(steps: Iterable[Step]) -> str:
    """The steps as canonical text, a line each: in the singular for one actor, in the plural for a row."""
    return "".join(f"{write_line(step)}\n" for step in steps)
