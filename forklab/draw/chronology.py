"""What every picture of a history in time asks: in which order its processes stand, and how a time is said."""

from __future__ import annotations

from forklab.history import Event, History, Process


def family_order(history: History) -> tuple[Process, ...]:
    """Who was born, each above its children; brothers and sisters in order of birth."""
    births = (event for event in history.events if event.kind in ("start", "fork"))
    born = {event.child if event.kind == "fork" else event.process for event in births}
    taking_part = {p.name: p for p in history.processes if p.name in born}
    children: dict[str | None, list[Process]] = {}
    for process in taking_part.values():
        parent = process.parent if process.parent in taking_part else None
        children.setdefault(parent, []).append(process)
    order: dict[str, Process] = {}
    todo = [*reversed(taking_part.values()), *reversed(children.get(None, []))]
    while todo:  # those of a circle hang from nobody: they come last
        process = todo.pop()
        if process.name not in order:
            order[process.name] = process
            todo += reversed(children.get(process.name, []))
    return tuple(order.values())


def followers(history: History) -> list[Event | None]:
    """For each event the next one of its process, None after its last."""
    following: dict[str, Event] = {}
    answer: list[Event | None] = []
    for event in reversed(history.events):
        answer.append(following.get(event.process))
        following[event.process] = event
    return answer[::-1]


def seconds(t: float) -> str:
    """A time as the axis says it: "0 s", "0.25 s", "100 s"; nothing finer than a millisecond."""
    number = f"{t:.3f}".rstrip("0").rstrip(".")
    return f"{'0' if number == '-0' else number} s"
