"""What can be wrong with a script, told by line, with the mend."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.safe_text import one_line


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a script. `line` counts from 1 in the script; 0: the script as a whole.

    `text` is the line as it stands there, `what` a sentence without its full stop, `mend` another one, or empty.
    """

    line: int
    text: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"script line {self.line}: " if self.line else ""
        return f"{where}{self.what}." + (f"\n  {self.mend}" if self.mend else "")


class ScriptError(ValueError):
    """A script that cannot be read. `problems` are all that were found, in the order of the lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def quoted(line: str) -> str:
    """A line, or a word of it, as messages show it: in quotes, without control characters, not too long."""
    shown = one_line(line.strip())
    return f"'{shown}'" if len(shown) <= 120 else f"'{shown[:119]}…'"
