"""A program as a cell of a notebook has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from forklab.runnable import Runnable
from forklab.source import program_of

LANGUAGES = {"c": "C", "python": "Python", "sh": "shell"}


@dataclass(frozen=True)
class Cell:
    """A program as its cell has it; `pipe`: its output is a pipe, no terminal."""

    language: str
    text: str
    pipe: bool = False

    @contextmanager
    def program(self) -> Iterator[Runnable]:
        """Raises CannotCompileError.

        The first line of a cell is the magic itself: so line numbers in messages are those of the cell.
        """
        with program_of(self.language, "\n" + self.text) as program:
            yield program

    @property
    def title(self) -> str:
        return f"a program in {LANGUAGES[self.language]}"
