"""A quiz as a Jupyter notebook: predict, run the program under the lens, then unfold the answer.

Nothing has run in it yet. The answers are checked against what the lens sees when they are unfolded and run.
"""

from __future__ import annotations

from forklab.jsonform import Json
from forklab.quiz.as_markdown import asked, choices
from forklab.quiz.question import Question, QuestionKind, Quiz
from forklab.quiz.wording import RULES, key, reasons

Cell = dict[str, Json]

_FOLDED = {"jupyter": {"source_hidden": True}}
_OPENING = """\
First run the cell below: click it, then press Shift+Enter. For each question write your answer in the place of `None`
and run that cell, then the one with the program. The folded cell under it has the answer: run it, and click the three
dots to see what is in it."""


class NoNotebooksError(Exception):
    """The package that writes them is missing."""


def as_notebook(quiz: Quiz) -> str:
    """The .ipynb file. Raises NoNotebooksError."""
    try:
        import nbformat
    except ModuleNotFoundError:
        raise NoNotebooksError(
            "A notebook needs the Python package nbformat, which comes with JupyterLab: 'make setup' installs both."
        ) from None
    cells = [
        _markdown("quiz", f"# {quiz.title}\n\nLevel {quiz.level}.\n\n{RULES}\n\n{_OPENING}"),
        _code("quiz-lens", "from forklab.notebook import compare, history, output, predict, seen"),
    ]
    for number, question in enumerate(quiz.questions, start=1):
        cells += _cells(number, question)
    cells.append(_markdown("quiz-end", f"Made by `{quiz.command} --format notebook`."))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    form = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    notebook = nbformat.from_dict(form)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def _cells(number: int, question: Question) -> list[Cell]:
    name = f"question-{number}"
    at = "" if question.at is None else f" --at {question.at}"
    program = f"%%lens {question.listing.language}{at}\n{question.listing.text.rstrip()}"
    words, *picture = asked(question)
    text = [f"## Question {number}", words]
    if not question.shows_program:
        text += [
            *picture,
            "The folded cell below has the program that does it. Predict first, then run it.",
        ]
    text += ["\n".join(f"- {line}" for line in choices(question))] if question.choices else []
    cells = [_markdown(name, "\n\n".join(text))]
    if question.choices or question.number is not None:
        cells.append(_code(f"{name}-predict", _prediction(number, question), ignored=True))
    cells.append(_code(f"{name}-run", program, ignored=True, folded=not question.shows_program))
    cells.append(_code(f"{name}-answer", _answer(question), ignored=True, folded=True))
    return cells


def _prediction(number: int, question: Question) -> str:
    if question.several:
        return f'predict(\n    "Question {number}",\n    mine=None,  # all that are possible, for example {{1, 4}}\n)'
    if question.choices:
        numbers = ", ".join(str(place) for place in range(1, len(question.choices) + 1))
        return f'predict(\n    "Question {number}",\n    *({numbers}),\n    mine=None,  # a number of these\n)'
    return f'predict(\n    "Question {number}",\n    mine=None,  # a number, for example 3\n)'


def _answer(question: Question) -> str:
    right = [place for place, choice in enumerate(question.choices, start=1) if choice.right]
    lines = [f"assert {question.check}"] if question.check else []
    if question.number is not None:
        lines.append(f"compare({question.number})")
    elif question.several:
        lines.append(f"compare({{{', '.join(map(str, right))}}})")
    elif question.choices:
        lines.append(f"compare({right[0]})")
    said = reasons(question) if question.kind is not QuestionKind.TREE else key(question)
    if said:
        lines.append(f'print("""\\\n{said}""")')
    return "\n".join(lines)


def _markdown(name: str, text: str) -> Cell:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _code(name: str, text: str, *, ignored: bool = False, folded: bool = False) -> Cell:
    """`ignored`: its output is not compared by those who run notebooks as tests, as none is kept."""
    metadata: Cell = {"tags": ["nbval-ignore-output"]} if ignored else {}
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {**metadata, **(_FOLDED if folded else {})},
        "execution_count": None,
        "outputs": [],
        "source": text,
    }
