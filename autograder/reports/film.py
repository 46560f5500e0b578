"""The film of a play, for a browser."""

from __future__ import annotations

from forklab.draw.film.page import film_html
from forklab.history import History


def film_of_play(history: History, title: str, script: str) -> str:
    """A whole page. A play has no clock: the time of an event is the line that led to it."""
    lines = ["at the beginning", *script.splitlines()]

    def clock(line: float) -> str:
        step = lines[min(int(line), len(lines) - 1)].partition("#")[0].strip()
        return f"line {line:.0f}: {step}" if line else step

    return film_html(history, title=title, clock=clock)
