"""A program of a quiz as it is printed, in C or in Python."""

from __future__ import annotations

from dataclasses import dataclass

from forklab.quiz.in_c import in_c
from forklab.quiz.in_python import in_python
from forklab.quiz.program import Block, Language


@dataclass(frozen=True)
class Listing:
    """The text of a program, and in which language it is."""

    language: Language
    text: str


def listing_of(language: Language, program: Block) -> Listing:
    return Listing(language, {Language.C: in_c, Language.PYTHON: in_python}[language](program))
