"""An explorer for tests: not all schedules, but enough seeds to see several outputs of a small program."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from forklab.lens.record import record


@dataclass(frozen=True)
class FoundOutcome:
    output: str
    signal: str | None = None
    deadlock: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    outcomes: tuple[FoundOutcome, ...]
    complete: bool = True


def many_seeds(
    argv: Sequence[str], *, program: str | None = None, limit: int = 0, seconds: float = 0
) -> Found:
    """Complete as far as the tests are concerned: what no seed of these gave is impossible."""
    with ThreadPoolExecutor(2) as pool:
        runs = pool.map(lambda seed: record(argv, program=program, seed=seed), range(6))
    return Found(tuple(FoundOutcome(run.output) for run in runs))
