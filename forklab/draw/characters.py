"""Strangers' text, made fit to be drawn: names, command lines, output."""

from __future__ import annotations


def visible(text: str, also: str = "") -> str:
    """`text` with a sign in the place of all that does not print, but for `also`: XML refuses most of it."""
    if text.isprintable():
        return text  # nearly always
    return "".join(c if c.isprintable() or c in also else "\N{REPLACEMENT CHARACTER}" for c in text)


def single_line(text: str) -> str:
    """`text` in one line, without control characters."""
    return visible(" ".join(text.split()))


def cut(line: str, longest: int) -> str:
    """At most so many characters; the last one says that there were more."""
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
