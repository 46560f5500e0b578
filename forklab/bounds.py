"""How far a search through all schedules goes if nobody says otherwise, and how far it has come.

Apart from the search itself, so that a command can explain these without loading that.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

MOST_STATES = 200_000
SECONDS = 60.0


class TimeIsUpError(Exception):
    """The moment has come at which something was to be over."""


def be_in_time(until: float) -> None:
    """`until` is a moment of time.monotonic(). Raises TimeIsUpError if it has passed."""
    if time.monotonic() > until:
        raise TimeIsUpError


class Stop:
    """Somebody may want a search to come to its end before its time, as by Ctrl-C; `why` is said then."""

    def __init__(self, why: str = "it was stopped") -> None:
        self.why = why
        self.since = math.inf

    def ask(self) -> None:
        self.since = min(self.since, time.monotonic())

    @property
    def is_asked(self) -> bool:
        return self.since < math.inf


class Progress(NamedTuple):
    """How far an exploration has come."""

    states: int
    runs: int
    seconds: float
