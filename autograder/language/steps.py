"""What a script is made of: verbs, actors, steps, and what can be wrong with one of its lines.

Pure facts. autograder/language/script.py reads and writes them as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from autograder.safe_text import one_line

INIT = "init"  # the submission's name in every play
MAIN = "main"  # the command that init starts

MODES = ("pidns", "subreaper")  # where init stands: PID 1 of a PID namespace, or a child subreaper


class Verb(StrEnum):
    """What a step does, or what it expects."""

    FORKS = "forks"
    EXITS = "exits"
    DIES = "dies by"
    REAPS = "reaps"
    IGNORES = "ignores"
    CATCHES = "catches"
    BLOCKS = "blocks"
    STARTS_SESSION = "starts a session"
    STARTS_GROUP = "starts a group"
    STOPS = "stops"
    CONTINUES = "continues"
    SAYS = "says"
    SEND = "send"
    FREEZE = "freeze"
    THAW = "thaw"
    EXPECT_ALIVE = "is alive"
    EXPECT_ZOMBIE = "is a zombie"
    EXPECT_REAPED = "is reaped"
    EXPECT_CHILD = "is a child of"
    EXPECT_STOPPED = "is stopped"
    EXPECT_GETS = "gets"
    EXPECT_GETS_NOTHING = "gets nothing"
    EXPECT_EXITS = "expect exits"
    EXPECT_DIES = "expect dies by"
    EXPECT_IDLE = "is idle"
    EXPECT_CLEAN = "starts clean"
    EXPECT_OUTPUT = "output"
    EXPECT_NOBODY_LEFT = "nobody is left"

    @property
    def is_expectation(self) -> bool:
        return self.name.startswith("EXPECT_")


@dataclass(frozen=True)
class Actors:
    """One process of the play, or a row of them: `main`, `w1..w20`."""

    stem: str
    first: int | None = None
    last: int | None = None

    def __iter__(self) -> Iterator[str]:
        if self.first is None or self.last is None:
            yield self.stem
        else:
            yield from (f"{self.stem}{number}" for number in range(self.first, self.last + 1))

    def __str__(self) -> str:
        if not self.is_row:
            return self.stem
        return f"{self.stem}{self.first}..{self.stem}{self.last}"

    @property
    def is_row(self) -> bool:
        return self.first is not None

    @property
    def count(self) -> int:
        """How many they are; 0 or less if the row runs backwards. Cheap also for absurd rows."""
        return 1 if self.first is None or self.last is None else self.last - self.first + 1


@dataclass(frozen=True)
class Step:
    """One line of a script. Which fields are set depends on the verb; `line` counts from 1 in the script.

    `actors` act, or are those that an expectation is about (None for output and nobody is left); `others` are whom they
    fork or reap, or whose children they should be; `number` is an exit status or how often a signal is to come.
    """

    verb: Verb
    actors: Actors | None = None
    others: Actors | None = None
    signal: str | None = None
    number: int | None = None
    text: str | None = None
    line: int = field(default=0, compare=False)

    def pairs(self) -> list[tuple[str, str]]:
        """Each actor with its other: a row with a single one is each with that one, two rows go pairwise.

        Raises ValueError if the step has no others, or if two rows differ in length.
        """
        if self.actors is None or self.others is None:
            raise ValueError(f"'{self.verb}' has no pairs")
        ones, others = list(self.actors), list(self.others)
        if not self.actors.is_row:
            ones *= len(others)
        elif not self.others.is_row:
            others *= len(ones)
        return list(zip(ones, others, strict=True))


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
        return f"{where}{self.explanation}"

    @property
    def explanation(self) -> str:
        """What is wrong and the mend, without the place."""
        return f"{self.what}." + (f"\n  {self.mend}" if self.mend else "")


class ScriptError(ValueError):
    """A script that cannot be read. `problems` are all that were found, in the order of the lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def quoted(line: str) -> str:
    """A line, or a word of it, as messages show it: in quotes, without control characters, not too long."""
    shown = one_line(line.strip())
    return f"'{shown}'" if len(shown) <= 120 else f"'{shown[:119]}…'"
