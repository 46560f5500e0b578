"""Who is whose child at a moment, and how everybody stands; and what one event changes in that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from forklab.events import KERNEL, Event, Process

# What happens to a process without its doing.
_PASSIVE = frozenset({"start", "reaped", "reparented"})


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


def taken_by(reaper: str) -> str:
    """Who has taken a zombie away, in words: "reaped by init", "collected by the kernel"."""
    return "collected by the kernel" if reaper == KERNEL else f"reaped by {reaper}"


def apply(nodes: dict[str, Node], event: Event, process_named: Callable[[str], Process]) -> None:
    """Brings the nodes of a tree, in order of birth, to the moment right after one more event."""

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
