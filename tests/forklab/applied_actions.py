"""What the model makes of a few actions, in a form that tests can read."""

from __future__ import annotations

from forklab.history import Event
from forklab.model import (
    Action,
    Fork,
    Table,
    apply,
)


def after(*actions: Action, start: Table | None = None) -> Table:
    return applied(*actions, start=start)[0]


def applied(*actions: Action, start: Table | None = None) -> tuple[Table, list[Event]]:
    """The table in the end, and all that happened."""
    table = start or Table.starting_with("init")
    events: list[Event] = []
    for action in actions:
        table, happened = apply(table, action)
        events += happened
    return table, events


def lines(events: list[Event]) -> list[str]:
    """Events as short lines: "reaped child by=init status=3"."""
    form = [event.to_json() for event in events]
    return [
        " ".join(
            [event.pop("kind"), event.pop("process")]
            + [f"{key}={event[key]}" for key in sorted(event.keys() - {"n", "t"})]
        )
        for event in form
    ]


def family(*names: str) -> list[Action]:
    """init's child, its child, and so on."""
    parents = ["init", *names]
    return [Fork(parent, child) for parent, child in zip(parents, names, strict=False)]
