"""One schedule of each kind: dynamic partial-order reduction with sleep sets.

Two schedules that differ only in the order of steps that have nothing to do with each other come to the same. So it is
enough to run one of them, to look for steps that do have to do with each other and could have come the other way round,
and to try that as well. Every run is real, and nothing is learned; what two steps have to do with each other says
`forklab.steps.footprint`. See Flanagan and Godefroid, "Dynamic partial-order reduction for model checking software"
(POPL 2005), Godefroid's sleep sets, and, on how the two go together, the source sets of Abdulla, Aronis, Jonsson and
Sagonas, "Optimal dynamic partial order reduction" (POPL 2014).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from forklab.explore.every import Found, outcome_of
from forklab.explore.replays import Replays
from forklab.lens.replay import Played
from forklab.steps import state as facts
from forklab.steps.footprint import footprint
from forklab.steps.moves import CALL, TIME, Move
from forklab.steps.state import Fact, State

Footprint = frozenset[Fact]
_OUTPUT: Fact = ("output", "")


@dataclass
class Point:
    """A state on the schedule of the moment, and what was and will be tried from there.

    `asleep` are steps that were tried before from a state like this: only after a step that has to do with them are
    they worth another try.
    """

    offered: dict[Move, Footprint]
    alive: frozenset[str]
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
    if move.kind == CALL:
        place = facts.place_of(state, move.process)
        if place.writes_output:
            touched |= {_OUTPUT}
    return touched


def _held_up(state: State, offered: Iterable[Move]) -> dict[Move, Footprint]:
    """The calls that would have to wait now: another's step may be why, and they might have come before it."""
    busy = {move.process for move in offered}
    idle = [name for name in facts.alive(state) if name not in busy]
    waiting = [name for name in idle if facts.place_of(state, name).stage == facts.BEFORE]
    return {move: _touched(state, move) for name in waiting for move in [Move(name, CALL)]}


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
        facts.apply(taken.changes.items(), state)
        if place < known:
            continue
        offered = {move: _touched(state, move) for move in taken.offered}
        asleep = _still_asleep(points[-1]) if points else set()
        if points:
            _note_the_prevented(points[-1], offered)
        _note_races(points, offered | _held_up(state, offered))
        if taken.move is None:
            break
        alive = frozenset(facts.alive(state))
        if taken.move in asleep:
            # The run goes on by the first step that is offered. One that is not asleep would have to be chosen; the
            # rest of this run was seen in others, but whoever is awake has still to be tried.
            seen_before = True
            awake = sorted(set(offered) - asleep)
            if awake:
                points.append(_point(offered, alive, asleep, awake[0]))
                points[-1].before = _before(points, place)
                points[-1].tried.discard(awake[0])
            break
        points.append(_point(offered, alive, asleep, taken.move))
        points[-1].before = _before(points, place)
    return not seen_before


def _point(
    offered: dict[Move, Footprint], alive: frozenset[str], asleep: set[Move], chosen: Move
) -> Point:
    own = _choices(offered, chosen.process)
    return Point(offered, alive, asleep, chosen, wanted=own, tried={chosen})


def _choices(offered: Iterable[Move], process: str) -> set[Move]:
    """What one process can do is its own choice: if one of these is tried, all are."""
    return {move for move in offered if move.process == process}


def _still_asleep(point: Point) -> set[Move]:
    """After its chosen step: those that have nothing to do with it."""
    sleepers = point.asleep | (point.tried - {point.chosen})
    return {
        move
        for move in sleepers
        if move in point.offered and not _led_to(point, move, point.offered[move])
    }


def _meet(move: Move, footprint_: Footprint, other: Move, others: Footprint) -> bool:
    """Whether two steps have to do with each other."""
    if TIME in (move.kind, other.kind) or move.process == other.process:
        return True
    return not (footprint_ & others).issubset(_STILL)


# The clock does not move but by a step of its own, which has to do with everything.
_STILL: Footprint = frozenset({facts.CLOCK})


def _led_to(point: Point, move: Move, its: Footprint) -> bool:
    """Whether the step taken at a point has to do with one that comes after it."""
    return _is_birth(point, move) or _meet(point.chosen, point.offered[point.chosen], move, its)


def _is_birth(point: Point, move: Move) -> bool:
    """Whether the step taken there is the fork that made the process of this one, or its parent's before that."""
    parent = move.process.rpartition(".")[0]
    return point.chosen.process == parent and move.process not in point.alive


def _before(points: list[Point], place: int) -> frozenset[int]:
    """The places of all steps that had to come before the one that is chosen there."""
    point = points[place]
    return _all_before(points[:place], point.chosen, point.offered[point.chosen])


def _all_before(points: list[Point], move: Move, its: Footprint) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for place in reversed(range(len(points))):
        if place not in found and _led_to(points[place], move, its):
            found |= points[place].before | {place}
    return found


def _note_the_prevented(point: Point, after: dict[Move, Footprint]) -> None:
    """Whoever cannot take a step any more, because of another's step, might have taken it before."""
    for move in point.offered:
        if move.process != point.chosen.process and move not in after:
            point.wanted.add(move)


def _note_races(points: list[Point], offered: dict[Move, Footprint]) -> None:
    """For each step that is possible now: those before it that it has to do with, but did not have to wait for.

    It could have come before each of them, with all that led to it. So whoever begins on that way has to be tried
    there. It is not enough to try this very step there, as it may be asleep: it was tried before, but not after the
    others on the way.
    """
    for move, its in offered.items():
        before = _all_before(points, move, its)
        led: frozenset[int] = frozenset()
        for place in sorted(before, reverse=True):
            if place in led:
                continue
            point = points[place]
            had_to_wait = point.chosen.process == move.process or _is_birth(point, move)
            if not had_to_wait:
                way = [
                    later
                    for later in range(place + 1, len(points))
                    if place not in points[later].before
                ]
                _want_one(point, _beginnings(points, way, move, before))
            # Who could do nothing there may have waited for just this step, and competes with earlier ones.
            if had_to_wait or _choices(point.offered, move.process):
                led |= point.before | {place}


def _beginnings(
    points: list[Point], way: list[int], move: Move, before: frozenset[int]
) -> set[str]:
    """The processes that can begin a way to a step: `way` are the places of the steps on it."""
    found = {points[place].chosen.process for place in way if points[place].before.isdisjoint(way)}
    return found if before.intersection(way) else found | {move.process}


def _want_one(point: Point, processes: set[str]) -> None:
    possible = [choices for name in sorted(processes) if (choices := _choices(point.offered, name))]
    if not possible:  # whoever begins there has waited for the step that was taken here
        point.wanted |= set(point.offered)
    elif not any(choices <= point.wanted | point.asleep for choices in possible):
        point.wanted |= possible[0]
