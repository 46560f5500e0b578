"""The scenario language: a play, one step a line, that a student can read aloud.

    text <-> list of steps

`parse` and `format_script` are each other's inverse: what one writes the other reads back as the same steps. The
sentences are in autograder/language/grammar.py, what makes no sense is found by autograder/language/sense.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from autograder.language.grammar import read_line, words_of, write_line
from autograder.language.steps import INIT, MAIN, MODES, Actors, Problem, ScriptError, Step, Verb
from autograder.language.suggestions import problem_of

__all__ = [
    "INIT",
    "MAIN",
    "MODES",
    "Actors",
    "Problem",
    "ScriptError",
    "Step",
    "Verb",
    "format_script",
    "format_step",
    "parse",
]

_MOST_PROBLEMS = 20  # that are told at once


def parse(text: str) -> list[Step]:
    """The steps of a script, each with its line number, counted from 1.

    Empty lines and comments (from a word that begins with # to the end of the line) are skipped.
    Raises ScriptError with what is wrong in every line that is not a step, and what was probably
    meant.
    """
    steps: list[Step] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not words_of(line):
            continue
        step = read_line(line)
        if step is not None:
            steps.append(replace(step, line=number))
        elif len(problems) < _MOST_PROBLEMS:
            problems.append(problem_of(line.strip(), number))
    if problems:
        raise ScriptError(tuple(problems))
    return steps


def format_script(steps: Iterable[Step]) -> str:
    """The steps as canonical text, a line each: in the singular for one actor, in the plural for a row."""
    return "".join(f"{format_step(step)}\n" for step in steps)


def format_step(step: Step) -> str:
    """One step as a line of a script. Raises ValueError if its fields are not those of its verb."""
    return write_line(step)
