"""Moments as people type them: `--since "5 min ago"`, `12:30`, `yesterday` (systemd.time(7), "Parsing Timestamps")."""

from __future__ import annotations

import time
from typing import Final

from forklab.services.values import span

_FORMS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M")
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}


def moment(text: str, now: float) -> float:
    """Seconds since the epoch. A day begins at midnight, as clocks go here. Raises ValueError."""
    words = text.strip()
    if words == "now":
        return now
    if words.startswith("@"):
        return float(words[1:])
    if words in _DAYS:
        day = time.localtime(now)
        return time.mktime((day.tm_year, day.tm_mon, day.tm_mday + _DAYS[words], *_MIDNIGHT))
    if words.endswith(" ago"):
        return now - span(words.removesuffix(" ago"))
    if words.startswith(("-", "+")):
        return now + span(words[1:]) * (-1 if words[0] == "-" else 1)
    for form in _FORMS:
        try:
            read = time.strptime(words, form)
        except ValueError:
            continue
        day = read if "%Y" in form else time.localtime(now)
        clock = (read.tm_hour, read.tm_min, read.tm_sec, 0, 0, -1)
        return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, *clock))
    raise ValueError(f"'{text}' is no time: try '10:30', '2026-11-30 10:30', '5 min ago', 'today'")


_MIDNIGHT: Final = (0, 0, 0, 0, 0, -1)
