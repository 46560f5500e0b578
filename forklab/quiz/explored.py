"""All that a program can do: where the quiz meets the explorer of the lens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

# What ends a search has to be the same on every machine: the seconds are for accidents.
STATES = 20_000
SECONDS = 600.0


class Outcome(Protocol):
    """One way in which a program can end."""

    @property
    def output(self) -> str: ...
    @property
    def signal(self) -> str | None: ...
    @property
    def deadlock(self) -> tuple[str, ...]: ...


class Exploration(Protocol):
    """`complete`: there are no other outcomes."""

    @property
    def complete(self) -> bool: ...
    @property
    def outcomes(self) -> Sequence[Outcome]: ...


class Explore(Protocol):
    """Try all schedules of a program; `program` is the file to execute where that is not argv[0]."""

    def __call__(
        self, argv: Sequence[str], *, program: str | None, limit: int, seconds: float
    ) -> Exploration: ...


def all_schedules(
    argv: Sequence[str], *, program: str | None, limit: int, seconds: float
) -> Exploration:
    """Those of `forklab.explore`, which is big: it is imported when somebody asks for outputs."""
    from forklab.explore import explore

    return explore(argv, program=program, limit=limit, seconds=seconds)
