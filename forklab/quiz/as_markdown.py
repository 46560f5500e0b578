"""A quiz in Markdown: the questions, then the answer key below a rule."""

from __future__ import annotations

from collections.abc import Iterator

from forklab.quiz.question import Question, Quiz
from forklab.quiz.wording import RULES, hint, key, mark, reasons


def as_markdown(quiz: Quiz) -> str:
    parts = [f"# {quiz.title}", f"Level {quiz.level}. Name: ________________", RULES]
    for number, question in enumerate(quiz.questions, start=1):
        parts += [f"## {number}.", *asked(question)]
        if question.choices:
            box = "- [ ] " if question.several else "- "
            parts.append("\n".join(f"{box}{line}" for line in choices(question)))
        elif question.number is not None:
            parts.append("Answer: ________")
    parts += ["---", f"# Answer key to {quiz.title}", f"Made by `{quiz.command}`."]
    for number, question in enumerate(quiz.questions, start=1):
        parts.append(f"## Answer {number}")
        parts += [_block(key(question))] if question.asks_for_drawing else [f"**{key(question)}**"]
        if said := reasons(question):
            parts.append(_block(said))
    return "\n\n".join(parts) + "\n"


def asked(question: Question) -> Iterator[str]:
    """The question with its program or picture, a paragraph each."""
    yield " ".join([question.asked, hint(question)]).rstrip()
    if question.shows_program:
        yield _block(question.listing.text.rstrip(), question.listing.language)
    else:
        yield _block(question.picture)


def choices(question: Question) -> Iterator[str]:
    for number, choice in enumerate(question.choices, start=1):
        yield f"{mark(number)} `{choice.text}`"


def _block(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```"
