"""What a film shows, frame by frame, without a place or a pixel: one frame an event, and only what is new in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forklab.draw.chronology import family_order
from forklab.draw.film.captions import captions, clocks
from forklab.draw.trees.cards import Kinship, Line
from forklab.history import Event, History, Node, State

MOST = 60  # processes in a picture; later ones are told of, but not drawn
ABSENT = "absent"  # the class of what is not there yet

Kin = tuple[str, str]  # a parent, at some time, and a child


@dataclass(frozen=True)
class Frame:
    """The moment right after one event.

    `nodes` are the drawn processes that the event changed, `lines` the SVG classes of the lines
    that it changed. `actors` are the drawn processes that it is about, changed or not.
    """

    caption: str
    clock: str
    actors: tuple[str, ...]
    nodes: Mapping[str, Node]
    lines: Mapping[Kin, str]


@dataclass(frozen=True)
class Cast:
    """Who is drawn, parents before their children, and every line that there ever is between them.

    `births` join those who forked to whom they forked and decide the places; `adoptions` come later.
    `left_out` counts the processes that are too many for a picture.
    """

    names: tuple[str, ...]
    births: tuple[Kin, ...]
    adoptions: tuple[Kin, ...]
    left_out: int = 0

    @property
    def lines(self) -> tuple[Kin, ...]:
        return self.births + self.adoptions


def cast(history: History) -> Cast:
    """Those who are born first take part, MOST of them at most."""
    born = dict.fromkeys(
        event.child if event.kind == "fork" and event.child is not None else event.process
        for event in history.events
        if event.kind in ("start", "fork")
    )
    first = set(list(born)[:MOST])
    processes = [process for process in family_order(history) if process.name in first]
    place = {process.name: number for number, process in enumerate(processes)}
    births = {
        process.name: process.parent
        for process in processes
        if process.parent is not None and place.get(process.parent, MOST) < place[process.name]
    }
    later = dict.fromkeys(
        (event.new, event.process)
        for event in history.events
        if event.kind == "reparented" and event.new in first and event.process in first
    )
    return Cast(
        names=tuple(place),
        births=tuple((parent, child) for child, parent in births.items()),
        adoptions=tuple(
            (new, child)
            for new, child in later
            if new is not None and new != child and births.get(child) != new
        ),
        left_out=len(born) - len(place),
    )


def frames(history: History, clock: Callable[[float], str] | None = None) -> tuple[Frame, ...]:
    """A frame for each event. Raises KeyError if something happens to a process that is not there.

    `clock` words the time of an event; without it, times are seconds.
    """
    taking_part = cast(history)
    drawn = frozenset(taking_part.names)
    nodes: dict[str, Node] = {}
    lines = dict.fromkeys(taking_part.lines, ABSENT)
    made = []
    times = clocks(history) if clock is None else [clock(event.t) for event in history.events]
    story = zip(history.events, history.trees(), captions(history), times, strict=True)
    for event, tree, caption, time in story:
        changed = {
            node.name: node
            for node in tree.nodes[: len(drawn)]
            if nodes.get(node.name) is not node and node.name in drawn
        }
        nodes |= changed
        now = {kin: _classes(kin, nodes) for kin in lines} if changed else lines
        redrawn = {kin: classes for kin, classes in now.items() if lines[kin] != classes}
        lines = now
        actors = tuple(name for name in _actors(event) if name in nodes)
        made.append(Frame(caption, time, actors, changed, redrawn))
    return tuple(made)


def _classes(kin: Kin, nodes: Mapping[str, Node]) -> str:
    """The SVG classes of a line at a moment."""
    parent, child = kin
    node = nodes.get(child)
    if node is None or parent not in nodes:
        return ABSENT
    if node.parent == parent:
        kind = Kinship.ADOPTED if node.adopted else Kinship.FORK
        return Line(0, 0, kind, node.state is State.REAPED).classes
    return Line(0, 0, Kinship.FORMER).classes if parent in node.former else ABSENT


def _actors(event: Event) -> tuple[str, ...]:
    """Whom an event is about."""
    named = (event.process, event.child, event.by, event.new, event.to)
    return tuple(dict.fromkeys(name for name in named if name is not None))
