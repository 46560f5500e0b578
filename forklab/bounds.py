"""How far a search through all schedules goes if nobody says otherwise, and how far it has come.

Apart from the search itself, so that a command can explain these without loading that.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_STATES = 200_000
SECONDS = 60.0


class Progress(NamedTuple):
    """How far an exploration has come."""

    states: int
    runs: int
    seconds: float
