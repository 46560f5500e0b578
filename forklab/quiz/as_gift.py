"""A quiz in GIFT, which Moodle and others import.

Numbers and choices are marked by Moodle; a drawing is an essay, and its key is the feedback that is shown afterwards.
See https://docs.moodle.org/en/GIFT_format. A question is one line: an empty line would end it, and programs have such.
"""

from __future__ import annotations

from html import escape

from forklab.quiz.question import Question, QuestionKind, Quiz
from forklab.quiz.wording import hint, key, reasons, rules

_SPECIAL = "~=#{}:"


def as_gift(quiz: Quiz) -> str:
    lines = [f"// {quiz.title}, level {quiz.level}. Made by: {quiz.command}"]
    for number, question in enumerate(quiz.questions, start=1):
        name = _escaped(f"{quiz.title}, question {number} ({question.kind})")
        lines += ["", f"::{name}::[html]{_escaped(_text(question))}{{{_answers(question)}}}"]
    return "\n".join(lines) + "\n"


def _text(question: Question) -> str:
    """In HTML."""
    asked = " ".join([question.asked, hint(question)]).rstrip()
    return (
        f"<p>{_html(asked)}</p><pre>{_html(question.exhibit)}</pre><p>{_html(rules(question))}</p>"
    )


def _answers(question: Question) -> str:
    if question.number is not None:
        answers = f"#{question.number}"
    elif question.several:
        answers = "".join(_weighted(question))
    else:
        answers = "".join(
            ("=" if choice.right else "~") + _escaped(_html(choice.text))
            for choice in question.choices
        )
    return f"{answers}####{_escaped(_feedback(question))}"


def _weighted(question: Question) -> list[str]:
    """All right ones make 100 %; each wrong one takes away its share."""
    right = sum(choice.right for choice in question.choices)
    wrong = len(question.choices) - right
    weights = {True: _percent(right), False: f"-{_percent(wrong)}"}
    return [
        f"~%{weights[choice.right]}%{_escaped(_html(choice.text))}" for choice in question.choices
    ]


def _percent(parts: int) -> str:
    """As Moodle has it in its list of grades: 100, 50, 33.33333, 25."""
    return f"{100 / max(parts, 1):.5f}".rstrip("0").rstrip(".")


def _feedback(question: Question) -> str:
    """In HTML. Moodle may shuffle the choices: so they are named by their words."""
    answer = question.answer if question.choices else key(question)
    tag = "pre" if question.asks_for_drawing else "p"
    said = "" if question.kind is QuestionKind.ACTIONS else reasons(question)
    more = f"<pre>{_html(said)}</pre>" if said else ""
    return f"<{tag}>{_html(answer)}</{tag}>{more}"


def _html(text: str) -> str:
    """It stands between tags, where quotes are only quotes."""
    return escape(text, quote=False)


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\")
    for sign in _SPECIAL:
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")
