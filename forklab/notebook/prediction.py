"""A question before a program runs, and its answer after it.

Where scripts run, the choices are buttons, and the answer is unfolded for who has chosen: the browser remembers the
choice, no kernel is asked. Everywhere else both are text, and the answer is folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from IPython.display import display

from forklab.draw.templates import template
from forklab.notebook.still import Still, still_html


@dataclass(frozen=True)
class Question:
    """`mine`: what the reader has chosen in the cell itself. Without choices there is a field to write into."""

    asked: str
    choices: tuple[str, ...] = ()
    mine: str | None = None

    @property
    def name(self) -> str:
        """By which the page knows it, and what was chosen: the same whenever the same is asked."""
        return blake2b("\n".join((self.asked, *self.choices)).encode(), digest_size=6).hexdigest()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        listed = [f"  {'●' if choice == self.mine else '○'} {choice}" for choice in self.choices]
        said = (
            f"You say: {self.mine}." if self.mine else "Write your choice as mine=... or skip it."
        )
        words = "\n".join((*listed, said))
        living = template("notebook/question.html")(question=self)
        return {
            "text/plain": f"{self.asked}\n{words}",
            "text/html": still_html(Still(words, heading=self.asked), living),
        }


@dataclass(frozen=True)
class Answer:
    """`why`: by wrong choice, what speaks against it. `question`: the name of the one that it answers, "" of none."""

    right: str
    why: Mapping[str, str] = field(default_factory=dict)
    mine: str | None = None
    question: str = ""

    @property
    def verdict(self) -> str:
        if self.mine is None:
            return f"It was: {self.right}."
        if self.mine == self.right:
            return f"You said {self.mine}, and it was {self.right}. Well seen!"
        reason = self.why.get(self.mine, "The explanation below tells why.")
        return f"You said {self.mine}, but it was {self.right}. {reason}"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        reasons = [f"{choice}? {reason}" for choice, reason in self.why.items()]
        still = Still(
            "\n".join((f"It was: {self.right}.", *reasons)), folded="What it was, and why"
        )
        living = template("notebook/answer.html")(answer=self)
        return {"text/plain": self.verdict, "text/html": still_html(still, living)}


@dataclass
class _Asked:
    """The last question, for the next program and for no other."""

    question: Question | None = None
    program: str | None = None  # the text of that program's cell; it may be run again

    def begin(self, question: Question) -> None:
        self.question, self.program = question, None

    def use_for(self, program: str) -> None:
        """For the first program that comes, however often; for another one nothing was asked."""
        self.program = self.program or program
        if program != self.program:
            self.question = None


asked = _Asked()


def predict(question: str, *choices: object, mine: object = None) -> None:
    """Ask before the next program runs; `compare` answers after it.

    The reader clicks, or writes the choice as `mine`; None: not here.
    """
    if mine is not None and choices and mine not in choices:
        print(f"{mine!r} is none of the choices: {', '.join(map(repr, choices))}.")
        mine = None
    asked.begin(Question(question, tuple(map(str, choices)), None if mine is None else _said(mine)))
    display(asked.question)  # type: ignore[no-untyped-call]


def compare(right: object, why: Mapping[Any, str] | None = None) -> None:
    """Say gently how the prediction did. `why` has, by wrong choice, what speaks against it.

    It stands in a cell of its own below the program, folded: who has still to predict shall not read it.
    """
    question = asked.question
    answer = Answer(
        _said(right),
        {str(wrong): reason for wrong, reason in (why or {}).items()},
        mine=question.mine if question else None,
        question=question.name if question else "",
    )
    display(answer)  # type: ignore[no-untyped-call]


def _said(answer: object) -> str:
    """As a reader writes it: of several, with commas."""
    return ", ".join(sorted(map(str, answer))) if isinstance(answer, set) else str(answer)
