"""What is wrong in the files of a lab: which file, which line, and the mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CommandError
from autograder.safe_text import one_line


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong in a file. `line` counts from 1; None: the file as a whole, or a key that is not there.

    `script_line` is the line in the file's script where the flaw is, if it is in there.
    """

    path: Path
    line: int | None
    what: str
    mend: str = ""
    script_line: int | None = None

    def __str__(self) -> str:
        where = one_line(str(self.path))
        if self.script_line is not None:
            where += f", script line {self.script_line}"
            where += f" (line {self.line} of the file)" if self.line is not None else ""
        elif self.line is not None:
            where += f", line {self.line}"
        return f"{where}: {self.what}." + (f"\n  {self.mend}" if self.mend else "")


class LabError(CommandError):
    """A lab, scenario or mutant that cannot be used. `flaws` are all that were found."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("\n".join(map(str, flaws)))
        self.flaws = tuple(flaws)
