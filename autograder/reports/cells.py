"""What fits into a cell of a table: points, and the first sentence of a message."""

from __future__ import annotations

import re

from autograder.safe_text import one_line


def number(points: float) -> str:
    """Points as people write them: 5, 2.5, 0.33."""
    return f"{points:.2f}".rstrip("0").rstrip(".") or "0"


def first_sentence(message: str, limit: int = 160) -> str:
    """What fits in one row of a table."""
    sentence = re.split(r"(?<=[.!?:]) ", one_line(message.strip().split("\n", 1)[0]), maxsplit=1)[0]
    return _cut(sentence.rstrip(":"), limit)


def first_line(message: str, limit: int = 160) -> str:
    """The same, where what stands after a colon is needed too."""
    return _cut(one_line(message.strip().split("\n", 1)[0]), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
