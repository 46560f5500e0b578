"""What should have happened in a play, line by line: as the model says, as the reference solution did it, or unknown.

A lab says which of them it is (`expected` in lab.toml). The judge lays the expected tree beside the observed one, and
asks whether the subject should still live.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from autograder.ideal.ideal import Contradiction, Ideal
from forklab.history import History, Remark, State


class Expected(Protocol):
    """Of one scenario in one mode."""

    def objection(self, line: int) -> str:
        """Why the step at this line cannot be, whoever is judged; empty if it can."""

    @property
    def unknown(self) -> frozenset[str]:
        """Of whom nothing is known but that they are there."""

    def expected_until(self, line: int) -> History:
        """What should have happened once the step at script line `line` is over; empty if nobody knows."""

    def remarks(self, line: int) -> dict[str, Remark]:
        """What a drawing of that moment tells beyond the history."""

    def lives(self, line: int) -> bool:
        """Whether the subject certainly still lives then."""


@dataclass(frozen=True)
class Foreseen:
    """By the model of a perfect init."""

    ideal: Ideal
    subject: str

    def objection(self, line: int) -> str:
        found = (one for one in self.ideal.contradictions if one.line == line)
        return str(next(found, ""))

    @property
    def unknown(self) -> frozenset[str]:
        return self.ideal.opaque

    def expected_until(self, line: int) -> History:
        return self.ideal.expected_until(line)

    def remarks(self, line: int) -> dict[str, Remark]:
        return self.ideal.remarks(line)

    def lives(self, line: int) -> bool:
        """Of a command nobody knows when it ends, and so not of an init either that waits for it."""
        if self.ideal.opaque:
            return False
        return self.ideal.expected_until(line).tree()[self.subject].state is State.RUNNING


@dataclass(frozen=True)
class Recorded:
    """By the reference solution: its history, and how many processes and events it had once each line was over.

    `failure`: where it has failed itself, if it has. Nobody knows what should have come after that.
    """

    subject: str
    history: History
    moments: Mapping[int, tuple[int, int]]
    failure: Contradiction | None = None
    unknown: frozenset[str] = field(default=frozenset(), init=False)

    def objection(self, line: int) -> str:
        return str(self.failure) if self.failure and self.failure.line <= line else ""

    def expected_until(self, line: int) -> History:
        before = [moment for moment in self.moments if moment <= line]
        processes, events = self.moments[max(before)] if before else (0, 0)
        return History(self.history.processes[:processes], self.history.events[:events])

    def remarks(self, line: int) -> dict[str, Remark]:
        return {}

    def lives(self, line: int) -> bool:
        tree = self.expected_until(line).tree()
        return (
            not self.objection(line)
            and self.subject in tree
            and tree[self.subject].state is State.RUNNING
        )


@dataclass(frozen=True)
class Unknown:
    """Nobody knows; only what the script says counts."""

    unknown: frozenset[str] = field(default=frozenset(), init=False)

    def objection(self, line: int) -> str:
        return ""

    def expected_until(self, line: int) -> History:
        return History()

    def remarks(self, line: int) -> dict[str, Remark]:
        return {}

    def lives(self, line: int) -> bool:
        return False
