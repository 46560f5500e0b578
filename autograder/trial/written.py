"""What has been written held against what should have been: line by line, with the words for what differs."""

from __future__ import annotations

import re
from itertools import zip_longest

from forklab.counted import counted

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
    lines = enumerate(zip_longest(_lines(wanted), _lines(written)), start=1)
    number, expected, found = next((n, *pair) for n, pair in lines if pair[0] != pair[1])
    if found is None:
        return f"The {what} has no line {number}, {_quoted(expected)}.{below}"
    if expected is None:
        return f"The {what} has a line too many, {_quoted(found)}.{below}"
    return f"Line {number} of the {what} is {_quoted(found)} instead of {_quoted(expected)}.{below}"


def _lines(text: str) -> list[str]:
    """Only a newline ends one: str.splitlines() knows more, which a program may write within a line."""
    lines = text.split("\n")
    return lines[:-1] if not lines[-1] else lines


def _quoted(line: str | None) -> str:
    return repr(_shortened(line or ""))


def _shown(text: str) -> str:
    lines = text.splitlines()
    shown = [f"    {_shortened(line)}" for line in lines[:_MOST_SHOWN]]
    if len(lines) > _MOST_SHOWN:
        shown.append(f"    ... and {counted(len(lines) - _MOST_SHOWN, 'line')} more")
    return "\n".join(shown) or "    (nothing)"


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..."
