"""A quiz in plain text, for paper: the questions, a line to cut along, the answer key."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent, wrap

from forklab.quiz.question import Question, Quiz
from forklab.quiz.wording import RULES, hint, key, mark, reasons

_COLUMNS = 88
_MARGIN = "    "


def as_text(quiz: Quiz) -> str:
    title = f"{quiz.title} (level {quiz.level})"
    name = "Name: ______________________________"
    cut = "- - - 8< - - - The instructor cuts here. "
    lines = [
        title + name.rjust(_COLUMNS - len(title)),
        "",
        *wrap(RULES, _COLUMNS),
        "",
        *(line for number, asked in enumerate(quiz.questions, 1) for line in _asked(number, asked)),
        cut + "- " * ((_COLUMNS - len(cut)) // 2),
        "",
        f"Answer key to {title}",
        f"Made by: {quiz.command}",
        "",
        *(line for number, asked in enumerate(quiz.questions, 1) for line in _key(number, asked)),
    ]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _asked(number: int, question: Question) -> Iterator[str]:
    yield from _numbered(number, " ".join([question.asked, hint(question)]).rstrip())
    yield ""
    yield indent(question.exhibit, 2 * _MARGIN)
    yield ""
    for place, choice in enumerate(question.choices, start=1):
        yield from wrap(
            f"{mark(place)} {choice.text}",
            _COLUMNS,
            initial_indent=_MARGIN,
            subsequent_indent=2 * _MARGIN,
        )
    yield from ([""] if question.choices else [])
    if question.asks_for_drawing:
        yield f"{_MARGIN}Your drawing:"
        yield from [""] * 8
    else:
        yield f"{_MARGIN}Answer: ____________"
    yield from ["", ""]


def _key(number: int, question: Question) -> Iterator[str]:
    if "\n" in key(question) or question.asks_for_drawing:
        yield f"{number}."
        yield indent(key(question), _MARGIN)
    else:
        yield from _numbered(number, key(question))
    for line in reasons(question).splitlines():
        if _is_prose(line):
            yield from wrap(line, _COLUMNS, initial_indent=_MARGIN, subsequent_indent=2 * _MARGIN)
        else:
            yield _MARGIN + line
    yield ""


def _numbered(number: int, text: str) -> Iterator[str]:
    yield from wrap(text, _COLUMNS, initial_indent=f"{number}.".ljust(4), subsequent_indent=_MARGIN)


def _is_prose(line: str) -> bool:
    """No part of a drawing, whose lines belong together as they are."""
    return not set(line) & set("─│├└┬")
