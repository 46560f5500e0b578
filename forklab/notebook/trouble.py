"""What is to be told of a run before anything else: it could not go on, or it crashed."""

from __future__ import annotations

import re

from forklab.lens.record import Recording
from forklab.lens.untraced.snapshot import Snapshot

# They come of a mistake in the program itself; nobody sends them to teach something.
_CRASHES = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS")
# Not those of the operating system: that a call was refused is a consequence, of which the exercise knows more.
_MISTAKES = "Name|Type|Attribute|UnboundLocal|Index|Key|Value|Import|ModuleNotFound|Recursion"
_TRACEBACK = re.compile(
    rf"^Traceback \(most recent call last\):\n(?:[ \t].*\n)+((?:{_MISTAKES})Error\b.*)$",
    re.MULTILINE,
)


def trouble_of(run: Recording | Snapshot | None, hint: str = "") -> str | None:
    """In a sentence or two, the `hint` last; None if there is none."""
    trouble = _trouble(run) if run is not None else None
    return " ".join(filter(None, (trouble, hint))) if trouble else None


def _trouble(run: Recording | Snapshot) -> str | None:
    if run.ended_early:
        return run.ended_early
    for event in run.history.events:
        if event.kind == "killed" and event.signal in _CRASHES:
            return f"{event.process} has crashed: {event.signal} killed it."
    found = _TRACEBACK.search(run.output.replace("\r\n", "\n"))
    return f"Python has stopped the program: {found[1].rstrip('.')}." if found else None
