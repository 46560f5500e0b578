"""Strangers' text, made fit to be drawn."""

from __future__ import annotations


def single_line(text: str) -> str:
    """`text` in one line, without control characters: XML refuses most of them."""
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split())
    )
