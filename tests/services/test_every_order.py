"""All orders of what can happen to two services: no schedule loses a death, a notification or a job.

A breadth-first search over the states of the pure manager together with a world that is as small as can be: which
processes are alive, and which of the keeper's reports are on their way. Time is not counted: whatever timer is set may
ring at any moment. So each state stands for all real situations that look like it to the manager.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf

import pytest
from watched import answered, check_rest, check_step

from forklab.services import life
from forklab.services.graph import Job, Kind
from forklab.services.keys import unit
from forklab.services.manager import Deed, Happened, Manager, Request, step
from forklab.services.unitfile import Setting, settings

A, B = "a.service", "b.service"


@dataclass(frozen=True)
class Place:
    """What is there of one service, in the world. Reports come in the order in which they were sent."""

    alive: frozenset[str] = frozenset()  # main, control, child
    doomed: bool = False  # SIGKILL: nobody is born here any more
    reports: tuple[life.Event | None, ...] = ()  # None: that it is ready
    timer: bool = False
    ready: bool = False  # it has announced that it is
    bad_ends: int = 0  # it may still end badly so often by itself


@dataclass(frozen=True)
class State:
    manager: Manager
    places: Mapping[str, Place]
    asked: tuple[Job, ...]  # what is still to be requested, in any order
    waiting: frozenset[int] = frozenset()

    def key(self) -> object:
        lives = {name: replace(each, restarts=0) for name, each in self.manager.lives.items()}
        parts = (lives, self.manager.tasks, self.places)
        sets = (frozenset(each.items()) for each in parts)
        return (*sets, self.asked, self.waiting, self.manager.leaving)


def moves(state: State) -> Iterator[tuple[str, State]]:
    """All that can happen next, in words."""
    for job in dict.fromkeys(state.asked):
        rest = list(state.asked)
        rest.remove(job)
        number = len(state.asked)
        asked = replace(state, asked=tuple(rest), waiting=state.waiting | {number})
        yield f"request {job}", after(asked, Request(number, job))
    for name, place in state.places.items():
        for who in sorted(place.alive):
            ends = [0] if who != "main" or not place.bad_ends else [0, 1 << 8]
            for status in ends:
                left = _without(place, who, status)
                yield f"{who} of {name} ends with {status}", _with(state, name, left)
        service = state.manager.graph.units[name].service
        assert service
        if service.type == "notify" and "main" in place.alive and not place.ready:
            told = (*place.reports, None)
            yield f"{name} is ready", _with(state, name, replace(place, ready=True, reports=told))
        if place.reports:
            heard = _with(state, name, replace(place, reports=place.reports[1:]))
            report = place.reports[0] or life.Notified({"READY": "1"})
            yield f"{name}: {report}", after(heard, Happened(name, report))
        # No death that is on its way takes longer than TimeoutStopSec=.
        told_in_time = state.manager.life(name).state.endswith("sigkill") and place.reports
        if place.timer and not told_in_time:
            rung = _with(state, name, replace(place, timer=False))
            yield f"the timer of {name} rings", after(rung, Happened(name, life.TimeOver()))


def _without(place: Place, who: str, status: int) -> Place:
    alive = place.alive - {who}
    reports = place.reports
    if who != "child":
        reports += (life.Ended(who, status),)
    if not alive:
        reports += (life.Emptied(),)
    bad_ends = place.bad_ends - (1 if status and not place.doomed else 0)
    return replace(place, alive=alive, reports=reports, bad_ends=bad_ends)


def _with(state: State, name: str, place: Place) -> State:
    return replace(state, places={**state.places, name: place})


def after(state: State, event: Request | Happened) -> State:
    manager, deeds = step(state.manager, event, 0.0)
    check_step(state.manager, manager, deeds)
    numbers = answered(deeds)
    assert len(numbers) == len(set(numbers)) and set(numbers) <= state.waiting
    state = replace(state, manager=manager, waiting=state.waiting - set(numbers))
    for deed in deeds:
        state = _with(state, deed.unit, _done(state.places[deed.unit], deed, manager))
    return state


def _done(place: Place, deed: Deed, manager: Manager) -> Place:
    match deed.effect:
        case life.Run(role):
            service = manager.graph.units[deed.unit].service
            child = (
                {"child"} if service and service.type == "forking" and role == "control" else set()
            )
            # A report that all are gone, which crosses this order on its way, is void: the edge drops it.
            reports = tuple(each for each in place.reports if not isinstance(each, life.Emptied))
            if role == "main":
                reports += (life.Executed(),)
            alive = place.alive | {role} | child
            return replace(place, alive=alive, reports=reports, doomed=False, ready=False)
        case life.Kill(9, everybody):
            gone = replace(place, doomed=True)
            for who in sorted(place.alive if everybody else place.alive - {"child"}):
                gone = _without(gone, who, 9)
            return gone
        case life.KillControl():
            return _without(place, "control", 9) if "control" in place.alive else place
        case life.FindMain():
            if "child" not in place.alive:
                return replace(place, reports=(*place.reports, life.MainFound(False)))
            alive = place.alive - {"child"} | {"main"}
            return replace(place, alive=alive, reports=(*place.reports, life.MainFound(True)))
        case life.Timer(at):
            return replace(place, timer=at < inf)
    return place


@dataclass
class Search:
    """All states that can be reached, and how."""

    came_from: dict[object, tuple[object, str]] = field(default_factory=dict)
    onward: dict[object, set[object]] = field(default_factory=dict)
    done: set[object] = field(default_factory=set)

    def explore(self, first: State) -> None:
        new = deque([first])
        self.came_from[first.key()] = (None, "")
        while new:
            state = new.popleft()
            key, word = state.key(), ""
            reached = self.onward[key] = set()
            try:
                for word, following in moves(state):
                    reached.add(their := following.key())
                    if their not in self.came_from:
                        self.came_from[their] = (key, word)
                        new.append(following)
                self._judge(state, key)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.story(key)}\n{word}") from error

    def _judge(self, state: State, key: object) -> None:
        if not state.manager.tasks:
            assert not state.waiting, f"requests {set(state.waiting)} are not answered"
            self.done.add(key)
        for name, place in state.places.items():
            each = state.manager.life(name)
            if not place.reports:
                assert each.main is ("main" in place.alive), f"a death in {name} is lost"
                assert each.control is ("control" in place.alive), f"a death in {name} is lost"
                assert each.empty is not bool(place.alive), f"the last death in {name} is lost"
                lost = place.ready and each.state == "start" and each.main
                assert not lost, f"what {name} has announced is lost"
        if not self.onward[key]:
            check_rest(state.manager)

    def stuck(self) -> list[object]:
        """States from which no schedule leads to the end of all jobs."""
        back: dict[object, list[object]] = {}
        for key, reached in self.onward.items():
            for each in reached:
                back.setdefault(each, []).append(key)
        good, new = set(self.done), list(self.done)
        while new:
            for key in back.get(new.pop(), ()):
                if key not in good:
                    good.add(key)
                    new.append(key)
        return [key for key in self.onward if key not in good]

    def story(self, key: object) -> str:
        words = []
        while key is not None:
            key, word = self.came_from[key]
            words.append(word)
        return "\n".join(reversed(words))


def explored(pair: str, bad_ends: int = 0) -> Search:
    """All requests are made, in all orders, whatever happens meanwhile."""
    first, second, asked = PAIRS[pair]
    units = {}
    for name, text in ((A, first), (B, second)):
        lines = [each for each in settings(text.encode(), name) if isinstance(each, Setting)]
        units[name], problems = unit(name, lines, {})
        assert not problems
    places = {name: Place(bad_ends=bad_ends) for name in units}
    search = Search()
    search.explore(State(Manager.of(units), places, asked))
    stuck = search.stuck()
    assert not stuck, f"nothing ends the jobs any more after\n{search.story(stuck[0])}"
    return search


def service(*lines: str, unit: str = "") -> str:
    limit = "StartLimitIntervalSec=0"
    return "\n".join(["[Unit]", limit, unit, "[Service]", "ExecStart=/x", *lines]) + "\n"


UP_AND_DOWN = (Job(B, Kind.START), Job(A, Kind.STOP))
PAIRS = {
    "a notifying one, and who requires it": (
        service("Type=notify", "Restart=on-failure"),
        service(unit="Requires=a.service\nAfter=a.service"),
        (*UP_AND_DOWN, Job(B, Kind.RESTART)),
    ),
    "a oneshot, and who is bound to it": (
        service("Type=oneshot", "RemainAfterExit=yes"),
        service("ExecStop=/x", unit="BindsTo=a.service\nAfter=a.service"),
        UP_AND_DOWN,
    ),
    "a daemon, and who is part of it": (
        service("Type=forking", "KillMode=mixed"),
        service("Restart=always", unit="PartOf=a.service\nAfter=a.service\nWants=a.service"),
        UP_AND_DOWN,
    ),
    "two that conflict": (
        service(),
        service(unit="Conflicts=a.service"),
        (Job(B, Kind.START), Job(A, Kind.START)),
    ),
    "two that come after each other": (
        service(unit="After=b.service"),
        service(unit="After=a.service"),
        (Job(B, Kind.START), Job(B, Kind.RESTART), Job(A, Kind.START)),
    ),
}


@pytest.mark.parametrize(
    "pair",
    ["a oneshot, and who is bound to it", "two that conflict", "two that come after each other"],
)
def test_no_schedule_loses_anything(pair: str) -> None:
    search = explored(pair)
    assert len(search.onward) > 100


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
def test_no_schedule_loses_anything_when_services_fail(pair: str) -> None:
    search = explored(pair, bad_ends=1)
    assert len(search.onward) > 100
