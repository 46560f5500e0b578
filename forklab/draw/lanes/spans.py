"""What lanes show of a history, counted in events, not yet in pixels: whose lane is where, who is what how long."""

from __future__ import annotations

from dataclasses import dataclass

from forklab.history import Event, History, State

# What a process is after an event of it.
_STATES = {
    "start": State.RUNNING,
    "waits": State.WAITING,
    "exit": State.ZOMBIE,
    "killed": State.ZOMBIE,
    "reaped": State.REAPED,
    "stopped": State.STOPPED,
    "continued": State.RUNNING,
}
_PASSIVE = frozenset({"start", "reaped", "reparented"})  # happen to a process without its doing


@dataclass(frozen=True)
class Span:
    """A process in one state, from event `first` to event `last`, where the next begins; None: to the end."""

    name: str
    state: State
    first: int
    last: int | None


def spans(history: History) -> list[Span]:
    """What each process was, as History.tree() has it, until it is reaped. Takes time linear in the events."""
    state_of: dict[str, State] = {}
    since: dict[str, int] = {}
    done: list[Span] = []

    def close(name: str, last: int | None) -> None:
        if state_of[name] is not State.REAPED:
            done.append(Span(name, state_of[name], since[name], last))

    for number, event in enumerate(history.events):
        for name, state in _changes(event, state_of).items():
            if state_of.get(name) is state:
                continue
            if name in state_of:
                close(name, number)
            state_of[name], since[name] = state, number
    for name in state_of:
        close(name, None)
    return done


def _changes(event: Event, state_of: dict[str, State]) -> dict[str, State]:
    """Whose state the event settles, as History.tree() has it."""
    changes = {}
    actor = event.by if event.kind == "reaped" else event.process
    wakes = event.kind == "reaped" or event.kind not in _PASSIVE
    if wakes and actor is not None and state_of.get(actor) is State.WAITING:
        changes[actor] = State.RUNNING
    if event.kind in _STATES:
        changes[event.process] = _STATES[event.kind]
    if event.kind == "fork" and event.child is not None:
        changes[event.child] = State.RUNNING
    return changes
