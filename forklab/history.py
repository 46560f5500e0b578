"""What happened to a group of processes: the one type that the whole project speaks.

A `History` is facts in order: who was forked by whom, who exited how, who reaped whom. A `Tree` is what one would have
seen at a moment of it. The lens records histories of real programs, the model computes ideal ones, the judge observes
those of submissions; since all are the same type, one drawing code serves them all and "expected beside observed" is a
comparison of equals. Nothing here calls the operating system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Self, TypedDict, Unpack

from forklab.jsonform import JsonObject
from forklab.numbering import FIRST_PID

VERSION = 1  # of the JSON form
KERNEL = "kernel"  # by whom a process is "reaped" whose parent wants no zombies; no process has this name


class State(StrEnum):
    """What a process is at a moment, in the words of the legend."""

    RUNNING = "running"
    WAITING = "waiting"  # blocked in wait(2)
    STOPPED = "stopped"
    ZOMBIE = "zombie"
    REAPED = "reaped"


class NoProcessError(KeyError):
    """Somebody asks for a process that there is not, or not yet."""

    def __str__(self) -> str:
        return str(self.args[0])


class Process(NamedTuple):
    """Who took part. `parent` is who forked it, None for the first; `reaper`: PID 1 or a subreaper, who adopts
    orphans.
    """

    name: str
    pid: int
    parent: str | None
    reaper: bool = False


# What each kind of event tells besides n, t, kind and process: the keys that it must have, and
# those that it may have.
_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    kind: (frozenset(required.split()), frozenset(optional.split()))
    for kind, required, optional in (
        ("start", "", ""),
        ("fork", "child", ""),
        ("exec", "argv", ""),
        ("exit", "status", ""),
        ("killed", "signal", ""),
        ("reaped", "by status", ""),
        ("reparented", "old new", ""),
        ("waits", "", "child"),
        ("sends", "signal to", ""),
        ("signal", "signal", "sender"),
        ("stopped", "", "signal"),
        ("continued", "", ""),
        ("output", "text", ""),
    )
}
# What happens to a process without its doing.
_PASSIVE = frozenset({"start", "reaped", "reparented"})
_EXTRAS = tuple(sorted({key for needed, allowed in _KEYS.values() for key in needed | allowed}))


class Details(TypedDict, total=False):
    """What an event tells besides n, t, kind and process: see `Event`."""

    child: str | None
    argv: tuple[str, ...] | None
    status: int | None
    signal: str | None
    by: str | None
    old: str | None
    new: str | None
    sender: str | None
    to: str | None
    text: str | None


@dataclass(frozen=True)
class Event:
    """One fact. `n` counts from 0 in causal order; `t` is in seconds since the start of the history.

    `process` is whom it happened to or who did it: the one that forks, exits, is reaped, gets the signal, writes.
    `status` of an exit is 0 to 255; of a reaped it is what the parent was told, as os.waitstatus_to_exitcode() says
    it: 0 to 255, or minus the number of the signal that killed it. Signals are names ("SIGTERM"). A signal without a
    `sender` came from outside. A process is reaped `by` KERNEL, and nobody is told its status, if its parent ignores
    SIGCHLD or has set SA_NOCLDWAIT (wait(2), NOTES).

    "sends" is somebody who sends a signal `to` somebody, "signal" that it has an effect there: a handler runs, or the
    process is killed or stopped. "waits" is a process that blocks in wait(2), for any child if there is no `child`; it
    does so until it does something else. Only the lens knows of "sends" and "waits".

    Raises ValueError if the keys are not those of its kind.
    """

    n: int
    t: float
    kind: str
    process: str
    child: str | None = None
    argv: tuple[str, ...] | None = None
    status: int | None = None
    signal: str | None = None
    by: str | None = None
    old: str | None = None
    new: str | None = None
    sender: str | None = None
    to: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KEYS:
            raise ValueError(f"event {self.n}: no such kind of event: {self.kind!r}")
        required, optional = _KEYS[self.kind]
        given = set(self._extras())
        if missing := required - given:
            raise ValueError(f"event {self.n}: {self.kind} needs {', '.join(sorted(missing))}")
        if surplus := given - required - optional:
            raise ValueError(f"event {self.n}: {self.kind} has no {', '.join(sorted(surplus))}")

    def _extras(self) -> JsonObject:
        return {key: value for key in _EXTRAS if (value := getattr(self, key)) is not None}

    def to_json(self) -> JsonObject:
        extras = self._extras()
        if self.argv is not None:
            extras["argv"] = list(self.argv)
        return {"n": self.n, "t": self.t, "kind": self.kind, "process": self.process, **extras}

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        argv = form.get("argv")
        return cls(**{**form, **({"argv": tuple(argv)} if argv is not None else {})})


class Node(NamedTuple):
    """One process as it stands in a tree.

    `parent` is whose child it is now; `former` lists earlier parents, the one that forked it first. `waits_for` is the
    child that it waits for, None if any will do. `status` is set once it exited, `signal` if a signal killed or stopped
    it, `reaped_by` once it is gone.
    """

    name: str
    pid: int
    parent: str | None
    state: State
    reaper: bool = False
    former: tuple[str, ...] = ()
    waits_for: str | None = None
    status: int | None = None
    signal: str | None = None
    reaped_by: str | None = None

    @property
    def adopted(self) -> bool:
        return bool(self.former)


def taken_by(reaper: str) -> str:
    """Who has taken a zombie away, in words: "reaped by init", "collected by the kernel"."""
    return "collected by the kernel" if reaper == KERNEL else f"reaped by {reaper}"


@dataclass(frozen=True)
class Tree:
    """Every process that there was until a moment, in order of birth; also those that are gone by then."""

    nodes: tuple[Node, ...]

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise NoProcessError(f"no process {name!r} in this tree: it has {names or 'nobody'}")

    def __contains__(self, name: object) -> bool:
        return any(node.name == name for node in self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def children(self, name: str | None) -> tuple[Node, ...]:
        """Whose parent is `name` now, in order of birth; those that are gone stay with their last parent."""
        return tuple(node for node in self.nodes if node.parent == name)

    def roots(self) -> tuple[Node, ...]:
        """Those whose parent is not in the tree."""
        names = {node.name for node in self.nodes}
        return tuple(node for node in self.nodes if node.parent not in names)


@dataclass(frozen=True)
class Remark:
    """What somebody who looked knows about a process beyond its history; drawn with it.

    `state` overrides the state ("waiting"), `words` replaces the line below the name ("asleep in waitpid(1000)"),
    `unexpected` becomes the badge ("should be reaped by init").
    """

    state: State | None = None
    words: str | None = None
    unexpected: str | None = None


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
            _apply(nodes, event, self.process)
        return Tree(tuple(nodes.values()))

    def trees(self) -> Iterator[Tree]:
        """The tree right after each event in turn; a process that did not change is the same Node again."""
        nodes: dict[str, Node] = {}
        for event in self.events:
            _apply(nodes, event, self.process)
            yield Tree(tuple(nodes.values()))

    def states_of(self, name: str) -> list[State]:
        """The states that a process went through, each once per stretch: ["running", "zombie", "reaped"]."""
        states: list[State] = []
        nodes: dict[str, Node] = {}
        for event in self.events:
            _apply(nodes, event, self.process)
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


def _apply(nodes: dict[str, Node], event: Event, process_named: Callable[[str], Process]) -> None:
    def born(name: str) -> None:
        process = process_named(name)
        nodes[name] = Node(name, process.pid, process.parent, State.RUNNING, process.reaper)

    def wakes(name: str) -> None:
        """Whoever does something does not wait any more."""
        if name in nodes and nodes[name].state is State.WAITING:
            nodes[name] = nodes[name]._replace(state=State.RUNNING, waits_for=None)

    name = event.process
    if event.kind not in _PASSIVE:
        wakes(name)
    match event.kind:
        case "start":
            born(name)
        case "waits":
            nodes[name] = nodes[name]._replace(state=State.WAITING, waits_for=event.child)
        case "fork":
            assert event.child is not None
            born(event.child)
        case "exit":
            nodes[name] = nodes[name]._replace(state=State.ZOMBIE, status=event.status, signal=None)
        case "killed":
            nodes[name] = nodes[name]._replace(state=State.ZOMBIE, signal=event.signal)
        case "reaped":
            assert event.by is not None
            nodes[name] = nodes[name]._replace(state=State.REAPED, reaped_by=event.by)
            if event.by != KERNEL:
                wakes(event.by)
            elif (parent := nodes[name].parent) in nodes and not _has_whom_to_await(nodes, parent):
                wakes(parent)
        case "reparented":
            assert event.old is not None
            former = (*nodes[name].former, event.old)
            nodes[name] = nodes[name]._replace(parent=event.new, former=former)
        case "stopped":
            nodes[name] = nodes[name]._replace(state=State.STOPPED, signal=event.signal)
        case "continued":
            nodes[name] = nodes[name]._replace(state=State.RUNNING, signal=None)


def _has_whom_to_await(nodes: Mapping[str, Node], waiting: str) -> bool:
    """Whether the child, or one of those, is still there for whom it waits; else its wait(2) fails with ECHILD."""
    wanted = nodes[waiting].waits_for
    return any(
        node.parent == waiting and node.state is not State.REAPED and wanted in (None, node.name)
        for node in nodes.values()
    )


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
