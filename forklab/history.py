"""What happened to a group of processes: the one type that the whole project speaks.

A `History` is facts in order: who was forked by whom, who exited how, who reaped whom. A `Tree` is what one would have
seen at a moment of it. The lens records histories of real programs, the model computes ideal ones, the judge observes
those of submissions; since all are the same type, one drawing code serves them all and "expected beside observed" is a
comparison of equals. Nothing here calls the operating system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self, Unpack

from forklab.events import KERNEL, Details, Event, Process
from forklab.jsonform import JsonObject
from forklab.numbering import FIRST_PID
from forklab.tree import Node, NoProcessError, Remark, State, Tree, apply, taken_by

# Whoever speaks of histories finds all words for them here.
__all__ = [
    "KERNEL",
    "VERSION",
    "Details",
    "Event",
    "History",
    "HistoryBuilder",
    "NoProcessError",
    "Node",
    "Process",
    "Remark",
    "State",
    "Tree",
    "pids_from_1000",
    "taken_by",
]

VERSION = 1  # of the JSON form


@dataclass(frozen=True)
class History:
    """The processes in order of birth and the events in causal order. To JSON and back without loss."""

    processes: tuple[Process, ...] = ()
    events: tuple[Event, ...] = ()

    def process(self, name: str) -> Process:
        if name not in self._named:
            raise NoProcessError(f"no process {name!r} in this history")
        return self._named[name]

    @cached_property
    def _named(self) -> Mapping[str, Process]:
        return {process.name: process for process in self.processes}

    def tree(self, after: int | None = None) -> Tree:
        """The tree right after event number `after`; None: at the end; -1: before anything happened, empty."""
        nodes: dict[str, Node] = {}
        for event in self.events if after is None else self.events[: after + 1]:
            apply(nodes, event, self.process)
        return Tree(tuple(nodes.values()))

    def trees(self) -> Iterator[Tree]:
        """The tree right after each event in turn; a process that did not change is the same Node again."""
        nodes: dict[str, Node] = {}
        for event in self.events:
            apply(nodes, event, self.process)
            yield Tree(tuple(nodes.values()))

    def states_of(self, name: str) -> list[State]:
        """The states that a process went through, each once per stretch: ["running", "zombie", "reaped"]."""
        states: list[State] = []
        nodes: dict[str, Node] = {}
        for event in self.events:
            apply(nodes, event, self.process)
            if name in nodes and (not states or states[-1] is not nodes[name].state):
                states.append(nodes[name].state)
        return states

    def state_of(self, name: str, at: float | None = None) -> State:
        """What the process is `at` seconds, once all of that moment has happened; None: at the end.

        Raises NoProcessError if it is not born by then.
        """
        return self.tree(None if at is None else self.moment(at))[name].state

    def moment(self, seconds: float) -> int:
        """The number of the last event until then; -1 if there is none."""
        return sum(event.t <= seconds for event in self.events) - 1

    def busiest(self) -> int:
        """The number of the last event at which as many processes live as ever; -1 of an empty history."""
        alive = most = 0
        found = -1
        for event in self.events:
            alive += (event.kind in ("start", "fork")) - (event.kind in ("exit", "killed"))
            if alive >= most:
                most, found = alive, event.n
        return found

    def family(self) -> dict[str, list[str]]:
        """Who forked whom: the children of each in order of birth, whoever adopted them later.

        Everybody is in it who was forked or started; an init that only adopts is not.
        """
        children: dict[str, list[str]] = {}
        for event in self.events:
            if event.kind == "start" and not self.process(event.process).reaper:
                children[event.process] = []
            elif event.kind == "fork" and event.child is not None:
                children.setdefault(event.process, []).append(event.child)
                children[event.child] = []
        return children

    def to_json(self) -> JsonObject:
        return {
            "version": VERSION,
            "processes": [
                {
                    "name": p.name,
                    "pid": p.pid,
                    "parent": p.parent,
                    **({"reaper": True} if p.reaper else {}),
                }
                for p in self.processes
            ],
            "events": [event.to_json() for event in self.events],
        }

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        """Raises ValueError if `form` is of another version or not a history."""
        if form.get("version") != VERSION:
            version = form.get("version")
            raise ValueError(f"a history of version {version!r}; this program reads {VERSION}")
        try:
            return cls(
                tuple(Process(**process) for process in form["processes"]),
                tuple(Event.from_json(event) for event in form["events"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a history: {error}") from error


@dataclass
class HistoryBuilder:
    """Collects processes and events as they become known; `history` answers what there is so far."""

    _processes: list[Process] = field(default_factory=list)
    _events: list[Event] = field(default_factory=list)

    def start(self, process: Process, t: float) -> None:
        """The first process, or one that was there before anybody looked."""
        self._processes.append(process)
        self.add("start", process.name, t)

    def fork(self, child: Process, t: float) -> None:
        assert child.parent is not None
        self._processes.append(child)
        self.add("fork", child.parent, t, child=child.name)

    def add(self, kind: str, process: str, t: float, **details: Unpack[Details]) -> None:
        self._events.append(Event(len(self._events), t, kind, process, **details))

    def append(self, event: Event, t: float) -> None:
        """An event of another story; it gets its number and its time in this one. Not for births."""
        self._events.append(replace(event, n=len(self._events), t=t))

    @property
    def history(self) -> History:
        return History(tuple(self._processes), tuple(self._events))


def pids_from_1000(names: Sequence[str]) -> dict[str, int]:
    """The lecture's numbers: the first process is 1000, later ones 1001, 1002 ... in the order given."""
    return {name: FIRST_PID + number for number, name in enumerate(names)}
