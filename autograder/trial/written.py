"""What has been written held against what should have been: line by line, with the words for what differs."""

from __future__ import annotations

import re
from itertools import zip_longest

PID_OF = re.compile(r"\{pid of ([\w-]+)\}")  # stands for a number in an expected text

_MOST_SHOWN = 8  # lines of a text
_LONGEST_LINE = 100


def whole_lines(text: str) -> str:
    """A text that a script expects: its last line has a newline at its end, also if the script does not say so."""
    return text if not text or text.endswith("\n") else f"{text}\n"


def differing(what: str, wanted: str, written: str, *, in_any_order: bool = False) -> str:
    """How two texts that differ do so, in a sentence, and both of them below. `what` they are: "output"."""
    below = f"\n  expected:\n{_shown(wanted)}\n  written:\n{_shown(written)}"
    if not written:
        return f"The {what} is empty.{below}"
    if in_any_order:
        return f"The {what} has other lines than it should, in whatever order.{below}"
    if wanted == f"{written}\n":
        return f"The {what} has no newline at its end.{below}"
    lines = zip_longest(wanted.splitlines(), written.splitlines())
    different = (n for n, (one, other) in enumerate(lines, start=1) if one != other)
    return f"The {what} differs in line {next(different, 1)}.{below}"


def _shown(text: str) -> str:
    lines = text.splitlines()
    shown = [
        f"    {line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + ' ...'}"
        for line in lines[:_MOST_SHOWN]
    ]
    if len(lines) > _MOST_SHOWN:
        shown.append(f"    ... and {len(lines) - _MOST_SHOWN} lines more")
    return "\n".join(shown) or "    (nothing)"
