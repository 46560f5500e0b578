"""How a run went, in a few plain sentences: for the line below a film, and for those who cannot see it."""

from __future__ import annotations

from functools import singledispatch

from forklab.lens.chronicle import signal_name
from forklab.lens.record import Recording
from forklab.lens.snapshot import Snapshot


@singledispatch
def how_it_went(run: object) -> str:
    """How many processes, how they ended, and what the reader has to know before believing it."""
    raise TypeError(run)


@how_it_went.register
def _(run: Recording) -> str:
    count = sum(not process.reaper for process in run.history.processes)
    timed = run.seed is not None and run.seconds > 0
    sentences = [f"{_processes(count)}, {run.seconds:g} s." if timed else f"{_processes(count)}."]
    if run.status is not None:
        sentences.append(f"P {_ended(run.status)}.")
    if run.trouble is not None:
        sentences.append(f"{run.trouble} So we ended it.")
    if run.cut:
        sentences.append("It wrote too much: the rest of its output is missing.")
    if run.reasons:
        sentences.append(f"It may go differently next time: {' and '.join(run.reasons)}.")
    return " ".join(sentences)


@how_it_went.register
def _(run: Snapshot) -> str:
    if not len(run.tree):
        return run.trouble or (
            "Everybody had ended before we could look. Let the program wait at its end:"
            " getchar(); in C, sys.stdin.readline() in Python."
        )
    count = len(run.tree)
    sentences = [f"{_processes(count)}.", *([run.trouble] if run.trouble else [])]
    if len(run.statuses) == count and set(run.statuses.values()) == {0}:
        sentences.append("All of them exited with 0." if count > 1 else "It exited with 0.")
        return " ".join(sentences)
    for node in run.tree:
        if node.name in run.left:
            sentences.append(f"{node.name} did not end with its input, so we killed it.")
        elif (status := run.statuses.get(node.name)) is not None:
            sentences.append(f"{node.name} {_ended(status)}.")
    return " ".join(sentences)


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


def _ended(status: int) -> str:
    return f"exited with {status}" if status >= 0 else f"was killed by {signal_name(-status)}"
