"""What lanes show of a history, counted in events, not yet in pixels: whose lane is where, who is what how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forklab.history import KERNEL, Event, History, State

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
    """What each process was, as History.tree() has it, until it is reaped. Takes time linear in the events, mostly."""
    state_of: dict[str, State] = {}
    kin = _Kin(history)
    since: dict[str, int] = {}
    done: list[Span] = []

    def close(name: str, last: int | None) -> None:
        if state_of[name] is not State.REAPED:
            done.append(Span(name, state_of[name], since[name], last))

    for number, event in enumerate(history.events):
        kin.note(event)
        for name, state in _changes(event, state_of, kin).items():
            if state_of.get(name) is state:
                continue
            if name in state_of:
                close(name, number)
            state_of[name], since[name] = state, number
    for name in state_of:
        close(name, None)
    return done


class _Kin:
    """Whose child everybody is, and for whom everybody waits that waits: None for any child."""

    def __init__(self, history: History) -> None:
        self.parents = {process.name: process.parent for process in history.processes}
        self.awaited: dict[str, str | None] = {}

    def note(self, event: Event) -> None:
        if event.kind == "reparented":
            self.parents[event.process] = event.new
        elif event.kind == "waits":
            self.awaited[event.process] = event.child

    def freed_by(self, gone: str, state_of: Mapping[str, State]) -> str | None:
        """Its parent, if there is nobody left for whom that waits now that the kernel has collected this one."""
        parent = self.parents.get(gone)
        wanted = self.awaited.get(parent) if parent is not None else None
        left = (
            name
            for name, state in state_of.items()
            if self.parents[name] == parent and state is not State.REAPED and name != gone
        )
        return None if any(wanted in (None, name) for name in left) else parent


def _changes(event: Event, state_of: dict[str, State], kin: _Kin) -> dict[str, State]:
    """Whose state the event settles, as History.tree() has it."""
    changes = {}
    actor: str | None = event.process
    if event.kind == "reaped":
        by_kernel = event.by == KERNEL
        actor = kin.freed_by(event.process, state_of) if by_kernel else event.by
    elif event.kind in _PASSIVE:
        actor = None
    if actor is not None and state_of.get(actor) is State.WAITING:
        changes[actor] = State.RUNNING
    if event.kind in _STATES:
        changes[event.process] = _STATES[event.kind]
    if event.kind == "fork" and event.child is not None:
        changes[event.child] = State.RUNNING
    return changes
