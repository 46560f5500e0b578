"""One schedule of each kind: dynamic partial-order reduction with sleep sets.

Two schedules that differ only in the order of steps that have nothing to do with each other come to the same. So it is
enough to run one of them, to look for steps that do have to do with each other and could have come the other way round,
and to try that as well. Every run is real, and nothing is learned; what two steps have to do with each other says
`forklab.lens.footprint`. See Flanagan and Godefroid, "Dynamic partial-order reduction for model checking software"
(POPL 2005), and Godefroid's sleep sets.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from forklab.explore.every import Found, outcome_of
from forklab.explore.replays import Replays
from forklab.lens import state as facts
from forklab.lens.footprint import footprint
from forklab.lens.replay import Played
from forklab.lens.state import Fact, Move, State

Footprint = frozenset[Fact]
_OUTPUT: Fact = ("output", "")


@dataclass
class Point:
    """A state on the schedule of the moment, and what was and will be tried from there.

    `asleep` are steps that were tried before from a state like this: only after a step that has to do with them are
    they worth another try.
    """

    offered: dict[Move, Footprint]
    asleep: set[Move]
    chosen: Move
    wanted: set[Move] = field(default_factory=set)
    tried: set[Move] = field(default_factory=set)
    before: frozenset[int] = frozenset()  # the steps that led to `chosen`, by their places


def one_of_each_kind(replays: Replays, *, most: int = 100_000) -> Found:
    """The outcomes of all schedules, from as few of them as can be. `most` is how many to run."""
    found = Found()
    points: list[Point] = []
    while found.schedules < most:
        played = replays.play([point.chosen for point in points])
        found.schedules += 1
        if _follow(points, played):
            found.outcomes.add(outcome_of(played))
        while points and not _another(points):
            points.pop()
        if not points:
            found.complete = True
            return found
    return found


def _touched(state: State, move: Move) -> Footprint:
    """Its footprint, and the output: who writes first is to be seen."""
    touched = footprint(state, move)
    if move.kind == facts.CALL:
        place = facts.place_of(state, move.process)
        if place.call in ("write", "writev") and place.detail[0] == "output":
            touched |= {_OUTPUT}
    return touched


def _another(points: list[Point]) -> bool:
    """Choose what else is to be tried at the last point, if anything is."""
    last = points[-1]
    left = sorted(last.wanted - last.tried - last.asleep)
    if not left:
        return False
    last.chosen = left[0]
    last.tried.add(last.chosen)
    last.before = _before(points, len(points) - 1)
    return True


def _follow(points: list[Point], played: Played) -> bool:
    """Look at a run from where it is new. False: all that it could have shown was seen in others."""
    state: dict[Fact, Hashable] = {}
    known = len(points)
    seen_before = False
    for place, taken in enumerate(played.taken):
        for fact, value in taken.changes.items():
            if value is None:
                state.pop(fact, None)
            else:
                state[fact] = value
        if place < known:
            continue
        offered = {move: _touched(state, move) for move in taken.offered}
        asleep = _still_asleep(points[-1]) if points else set()
        if points:
            _note_the_prevented(points[-1], offered)
        _note_races(points, offered)
        if taken.move is None:
            break
        if taken.move in asleep:
            # The run goes on by the first step that is offered. One that is not asleep would have to be chosen; the
            # rest of this run was seen in others, but whoever is awake has still to be tried.
            awake = sorted(set(offered) - asleep)
            if not awake:
                seen_before = True
                break
            points.append(_point(offered, asleep, awake[0]))
            points[-1].before = _before(points, place)
            points[-1].tried.discard(awake[0])
            seen_before = True
            break
        points.append(_point(offered, asleep, taken.move))
        points[-1].before = _before(points, place)
    return not seen_before


def _point(offered: dict[Move, Footprint], asleep: set[Move], chosen: Move) -> Point:
    """What one process can do is its own choice, and has to be tried in any case."""
    own = {move for move in offered if move.process == chosen.process}
    return Point(offered, asleep, chosen, wanted=own, tried={chosen})


def _still_asleep(point: Point) -> set[Move]:
    """After its chosen step: those that have nothing to do with it."""
    sleepers = point.asleep | (point.tried - {point.chosen})
    chosen = point.offered[point.chosen]
    return {
        move
        for move in sleepers
        if move in point.offered and not _depend(point, move, point.chosen, chosen)
    }


def _depend(point: Point, move: Move, other: Move, its_footprint: Footprint) -> bool:
    return _meet(move, point.offered[move], other, its_footprint)


def _meet(move: Move, footprint_: Footprint, other: Move, others: Footprint) -> bool:
    """Whether two steps have to do with each other."""
    if facts.TIME in (move.kind, other.kind) or move.process == other.process:
        return True
    return not (footprint_ & others).issubset(_STILL)


# The clock does not move but by a step of its own, which has to do with everything.
_STILL: Footprint = frozenset({facts.CLOCK})


def _before(points: list[Point], place: int) -> frozenset[int]:
    """The places of all steps that had to come before the one that is chosen there."""
    chosen = points[place].chosen
    its = points[place].offered[chosen]
    found: set[int] = set()
    for earlier in range(place - 1, -1, -1):
        if earlier in found:
            continue
        point = points[earlier]
        parent = chosen.process.rpartition(".")[0]
        is_parent = point.chosen.process == parent and f"{chosen.process}" not in _alive_at(point)
        if is_parent or _meet(point.chosen, point.offered[point.chosen], chosen, its):
            found |= points[earlier].before | {earlier}
    return frozenset(found)


def _alive_at(point: Point) -> set[str]:
    return {name for footprint_ in point.offered.values() for _, name in footprint_}


def _note_the_prevented(point: Point, after: dict[Move, Footprint]) -> None:
    """Whoever cannot take a step any more, because of another's step, might have taken it before."""
    for move in point.offered:
        if move.process != point.chosen.process and move not in after:
            point.wanted.add(move)


def _note_races(points: list[Point], offered: dict[Move, Footprint]) -> None:
    """For each step that is possible now: the last one before it that it has to do with, but did not have to wait for.

    There it should be tried first as well. If nothing of its process was possible there, then whatever was: that step
    may have made this one possible, and the one that it competes with is further back.
    """
    for move, its in offered.items():
        led: frozenset[int] = frozenset()
        for place in range(len(points) - 1, -1, -1):
            point = points[place]
            if point.chosen.process == move.process:
                led = led | point.before | {place}
                break
        for place in range(len(points) - 1, -1, -1):
            point = points[place]
            if place in led or point.chosen.process == move.process:
                continue
            if _meet(point.chosen, point.offered[point.chosen], move, its):
                there = {other for other in point.offered if other.process == move.process}
                point.wanted |= there or set(point.offered)
                if there:
                    break
