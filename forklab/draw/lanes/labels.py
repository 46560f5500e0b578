"""What a picture of lanes says of an event: a short label beside the bar, and a sentence read aloud."""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from forklab.counted import counted
from forklab.draw.characters import cut, single_line
from forklab.draw.chronology import seconds
from forklab.history import Event, History, Process, taken_by

_LONGEST = 22  # characters of a name or of output before they are cut


def label(event: Event, following: Event | None, drawn: Collection[str]) -> str:
    """The words at an event, in the lane of its process; "" where lines and bars say it all.

    `following` is the next event of the same process, `drawn` are those who have a lane.
    """
    match event.kind:
        case "exec":
            return f"exec {program(event)}"
        case "exit":
            return f"exited {event.status}"
        case "killed":
            return f"killed by {short(event.signal)}"
        case "reaped" if event.by not in drawn:
            return taken_by(short(event.by))
        case "reparented":
            return f"adopted by {short(event.new)}"
        case "waits":
            return f"waits for {short(event.child)}" if event.child is not None else "waits"
        case "sends":
            whom = "" if event.to in drawn else f" to {short(event.to)}"
            return f"sends {short(event.signal)}{whom}"
        case "signal" if not _is_told_by(following, event):
            return f"gets {short(event.signal)}"
        case "stopped":
            return f"stopped by {short(event.signal)}" if event.signal is not None else "stopped"
        case "continued":
            return "continued"
        case "output":
            return f"“{short(event.text)}”"
    return ""


def read_aloud(history: History, order: tuple[Process, ...]) -> str:
    """The story lane by lane, a sentence a process; a time is said where it changes."""
    if not order:
        return "No process."
    count = counted(len(order), "process", "processes")
    deeds: dict[str, list[tuple[str, str]]] = {process.name: [] for process in order}
    for event in history.events:
        if event.kind == "fork" and event.child is not None:
            deeds[event.child].append((seconds(event.t), "starts"))
        deeds[event.process].append((seconds(event.t), sentence(event)))
        if event.kind == "reaped" and event.by in deeds:
            deeds[event.by].append((seconds(event.t), f"reaps {short(event.process)}"))
    return " ".join(
        [
            f"Lanes of {count}; time runs to the right, not to scale.",
            *(_lane_aloud(process, deeds[process.name]) for process in order),
        ]
    )


def _lane_aloud(process: Process, deeds: list[tuple[str, str]]) -> str:
    parts = []
    before = None
    for when, what in deeds:
        parts.append(what if when == before else f"at {when} {what}")
        before = when
    kin = f", child of {single_line(process.parent)}" if process.parent is not None else ""
    return f"{single_line(process.name)}, pid {process.pid}{kin}: {', '.join(parts)}."


def sentence(event: Event) -> str:
    """What happened, to be said after the name of the process: "is reaped by init"."""
    match event.kind:
        case "start":
            return "starts"
        case "fork":
            return f"forks {short(event.child)}"
        case "exec":
            return f"executes {program(event)}"
        case "exit":
            return f"exits {event.status} and is a zombie"
        case "killed":
            return f"is killed by {short(event.signal)} and is a zombie"
        case "reaped":
            return f"is {taken_by(short(event.by))}"
        case "reparented":
            return f"is adopted by {short(event.new)}"
        case "waits":
            return f"waits for {'a child' if event.child is None else short(event.child)}"
        case "sends":
            return f"sends {short(event.signal)} to {short(event.to)}"
        case "signal":
            sender = f" from {short(event.sender)}" if event.sender is not None else ""
            return f"gets {short(event.signal)}{sender}"
        case "stopped":
            return f"is stopped by {short(event.signal)}" if event.signal else "is stopped"
        case "continued":
            return "continues"
    return f"writes “{short(event.text)}”"


def program(event: Event) -> str:
    """The name of the program that an exec starts, without its folders."""
    name = event.argv[0] if event.argv else ""
    return short(posixpath.basename(name) or name or "?")


def short(text: str | None) -> str:
    """`text` in one printable line, cut to a label's length."""
    return cut(single_line(text or ""), _LONGEST)


def _is_told_by(following: Event | None, event: Event) -> bool:
    """Whether the next label names the signal already: it killed or stopped the process."""
    return (
        following is not None
        and following.kind in ("killed", "stopped")
        and following.signal == event.signal
    )
