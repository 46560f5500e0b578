"""Who plays: init, main and the actors that the script brings on, alone or in rows; and how pictures number them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

INIT = "init"  # the submission's name in every play
MAIN = "main"  # the command that init starts
OUTSIDE = "outside"  # who started init; in mode subreaper it also adopts whom init leaves behind

# Where init stands: PID 1 of a PID namespace of its own, or a child subreaper.
PIDNS = "pidns"
SUBREAPER = "subreaper"
MODES = (PIDNS, SUBREAPER)
VIRTUAL = "virtual"  # as PID 1 too, and in virtual time


def isolation_of(mode: str) -> str:
    """Where init stands in this mode."""
    return PIDNS if mode == VIRTUAL else mode


MOST_ACTORS = 200  # of a play

STREAMS = ("input", "output", "error")  # standard descriptors 0, 1 and 2
FOREGROUND, BACKGROUND = PLACES = ("foreground", "background")  # of a terminal, for a job

# The pids that pictures and messages show, whatever they really are.
INIT_PIDS = {PIDNS: 1, SUBREAPER: 999}
FIRST_PID = 1000  # main's; who is forked later has the next one


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
