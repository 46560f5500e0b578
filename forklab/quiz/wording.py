"""What all formats say alike."""

from __future__ import annotations

from forklab.quiz.question import Question, QuestionKind

NAMES = (
    "The first process is called P, its children P.1, P.2 ... in the order of their births; P.1.1 is the first child"
    " of P.1."
)
WORLD = (
    "A process that loses its parent is adopted by init, which reaps its children as soon as they end."
    " No fork fails, the output goes to a terminal, and nothing takes time but sleeping and waiting."
)
RULES = f"{NAMES} {WORLD}"


def mark(number: int) -> str:
    """What is before a choice; no letter, as the programs print letters."""
    return f"({number})"


def right_marks(question: Question) -> str:
    return ", ".join(
        mark(number) for number, choice in enumerate(question.choices, start=1) if choice.right
    )


def rules(question: Question) -> str:
    """Those that this question needs, where it stands alone."""
    return RULES if question.kind is QuestionKind.TREE else WORLD


def hint(question: Question) -> str:
    """How many choices to take."""
    if not question.choices:
        return ""
    return "One or more are right." if question.several else "Exactly one is right."


def key(question: Question) -> str:
    """The answer in one line, or the drawing."""
    return right_marks(question) if question.choices else question.answer


def reasons(question: Question) -> str:
    """What the runs showed."""
    if question.kind is QuestionKind.ACTIONS:
        return "\n".join(
            f"{mark(number)} makes\n{_indented(choice.why)}"
            for number, choice in enumerate(question.choices, start=1)
            if not choice.right
        )
    return question.evidence


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
