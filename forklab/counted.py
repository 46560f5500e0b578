"""A number and what it counts, in words that agree: "1 child", "2 children"."""

from __future__ import annotations


def counted(number: float, one: str, several: str = "") -> str:
    """The number before its noun; `several` is needed where more of them are not called `one` with an s.

    Whole numbers have their thousands set apart, others are as short as they can be: "1,024 lines", "0.5 seconds".
    """
    written = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{written} {one if number == 1 else several or f'{one}s'}"
