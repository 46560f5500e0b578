"""What the grader says when it cannot do what it was asked: what happened, where, and the mend."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CommandError(Exception):
    """Bad input, or a machine that does not play along; the text is for whoever typed the command."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to end a message with: the nearest of the `known` words, or all if none is near."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1, cutoff=0.5)
    if near:
        return f"Did you mean '{near[0]}'?"
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
    return f"There is: {shown}." if words else "There is none."
