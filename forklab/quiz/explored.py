"""All that a program can do: where the quiz meets the explorer of the lens."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

# What ends a search has to be the same on every machine: the seconds are for accidents.
SCHEDULES = 5_000
SECONDS = 600.0


class CannotExploreError(Exception):
    """There is nobody to try all schedules."""


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
    """Try the schedules of a program; `program` is the file to execute where that is not argv[0]."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        program: str | None = None,
        limit: int = ...,
        seconds: float = ...,
    ) -> Exploration: ...


def explorer() -> Explore:
    """The lens's own. Raises CannotExploreError."""
    try:
        module = import_module("forklab.explore")
    except ModuleNotFoundError:
        raise CannotExploreError(
            "Questions about outputs need forklab.explore, which is not installed here."
            " Ask for another kind: --kind count, tree or actions."
        ) from None
    explore: Explore = module.explore
    return explore
