"""How much of everything a program may use, what came of it, and why it had to be ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from forklab.lens.edge.callsite import CallSite


class EndOfRunError(Exception):
    """The program has to be ended; the text says why."""


class TooManyProcessesError(EndOfRunError):
    """It has more of them at the same time than it may."""


@dataclass
class Limits:
    """When to end a program that does not end by itself.

    `processor_seconds` are its own and those that the lens needs to follow it; `real_seconds` are on the wall,
    `waiting_seconds` those in which everybody waits for somebody outside of the program.
    """

    processor_seconds: float = 10.0
    virtual_seconds: float = 100_000.0
    processes: int = 500
    output: int = 1_000_000  # bytes; more is thrown away
    real_seconds: float | None = None
    waiting_seconds: float | None = None


@dataclass(eq=False)
class Findings:
    """What came of a run beyond its history.

    `ended_early`: why it had to be ended; `lost`: why its output could not be passed on; `reasons`: why it may come out
    otherwise, and where that call was made. `remarks`: what it would have found without a lens, and has not.
    """

    written: int = 0  # bytes
    output: list[str] = field(default_factory=list)
    cut: bool = False
    reasons: dict[str, CallSite | None] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    ended_early: str | None = None
    lost: str | None = None
    unreaped: list[str] | None = None  # who was a zombie when the first process ended

    def because(self, reason: str) -> None:
        """Why the same seed may not give the same history."""
        self.reasons.setdefault(reason, None)
