"""How a run went, in a few plain sentences: for the line below a film, and for those who cannot see it."""

from __future__ import annotations

from forklab.counted import counted
from forklab.kernel.statuses import how_it_ended
from forklab.lens.record import Recording
from forklab.lens.untraced.snapshot import Snapshot


def how_it_went(run: Recording | Snapshot) -> str:
    """How many processes, how they ended, and what the reader has to know before believing it."""
    sentences = _of_recording(run) if isinstance(run, Recording) else _of_snapshot(run)
    return " ".join(sentences)


def _of_recording(run: Recording) -> list[str]:
    count = sum(not process.reaper for process in run.history.processes)
    timed = run.seed is not None and run.seconds > 0
    sentences = [f"{_processes(count)}, {run.seconds:g} s." if timed else f"{_processes(count)}."]
    if run.status is not None:
        sentences.append(f"P {how_it_ended(run.status)}.")
    if run.ended_early is not None:
        sentences.append(f"{run.ended_early} So we ended it.")
    if run.cut:
        sentences.append("It wrote too much: the rest of its output is missing.")
    if run.reasons:
        sentences.append(f"It may go differently next time: {' and '.join(run.reasons)}.")
    return sentences


def _of_snapshot(run: Snapshot) -> list[str]:
    count = len(run.tree)
    if not count:
        return [
            run.ended_early
            or "Everybody had ended before we could look. Let the program wait at its end:"
            " getchar(); in C, sys.stdin.readline() in Python."
        ]
    sentences = [f"{_processes(count)}.", *([run.ended_early] if run.ended_early else [])]
    if len(run.statuses) == count and set(run.statuses.values()) == {0}:
        return [*sentences, "All of them exited with 0." if count > 1 else "It exited with 0."]
    for node in run.tree:
        if node.name in run.left:
            sentences.append(f"{node.name} did not end with its input, so we killed it.")
        elif (status := run.statuses.get(node.name)) is not None:
            sentences.append(f"{node.name} {how_it_ended(status)}.")
    return sentences


def _processes(count: int) -> str:
    return counted(count, "process", "processes")
