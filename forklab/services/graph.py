"""From a request to jobs: whom else it concerns, and who comes first.

`transaction(graph, active, pending, job)` answers all jobs that a request needs, or refuses it. Who is started brings
those along that it needs; who is stopped, those who cannot do without it; and conflicts stop. Of jobs that contradict
each other, or wait for each other in a circle, one goes which the request can do without, and that is said; if there
is none, the request is refused and nothing is done (systemd.unit(5); where that leaves it open, as systemd does it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from forklab.services.unit import Load, Relation, Unit

_NEEDS = (Relation.REQUIRES, Relation.BINDS_TO)
_TIES = (Relation.REQUIRES, Relation.BINDS_TO, Relation.PART_OF)


class Kind(StrEnum):
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RELOAD = "reload"


_STOPS = (Kind.STOP, Kind.RESTART)


@dataclass(frozen=True)
class Job:
    unit: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.unit}/{self.kind}"


class RefusedError(Exception):
    """A request that cannot be fulfilled as a whole."""


class NoSuchUnitError(RefusedError):
    """Somebody who is needed has no unit file."""


@dataclass(frozen=True)
class Graph:
    """All units, and each relation in both directions."""

    units: Mapping[str, Unit]
    inverse: Mapping[Relation, Mapping[str, frozenset[str]]]

    @classmethod
    def of(cls, units: Mapping[str, Unit]) -> Graph:
        inverse: dict[Relation, dict[str, frozenset[str]]] = {relation: {} for relation in Relation}
        for unit in units.values():
            for relation, others in unit.relations.items():
                for other in others:
                    known = inverse[relation].get(other, frozenset())
                    inverse[relation][other] = known | {unit.name}
        return cls(units, inverse)

    def of_whom(self, relation: Relation, name: str) -> frozenset[str]:
        """Who says this of the unit."""
        return self.inverse[relation].get(name, frozenset())

    def whom(self, relation: Relation, name: str) -> frozenset[str]:
        """Of whom the unit says this."""
        return self.units[name][relation] if name in self.units else frozenset()

    def before(self, name: str) -> frozenset[str]:
        return self.whom(Relation.AFTER, name) | self.of_whom(Relation.BEFORE, name)

    def after(self, name: str) -> frozenset[str]:
        return self.whom(Relation.BEFORE, name) | self.of_whom(Relation.AFTER, name)


def awaited(graph: Graph, jobs: Mapping[str, Job], name: str) -> Iterator[str]:
    """The units whose jobs come before the one of this unit.

    Of two that are ordered the earlier starts first, and the later stops first. Where one starts and the other stops,
    the stop is first; a restart is a stop, until it has stopped.
    """
    stops = jobs[name].kind in _STOPS
    for other in sorted(graph.before(name) & jobs.keys() - {name}):
        if not stops:
            yield other
    for other in sorted(graph.after(name) & jobs.keys() - {name}):
        if jobs[other].kind in _STOPS:
            yield other


@dataclass
class _Draft:
    """The jobs so far, each with those that brought it: True if they cannot do without it."""

    graph: Graph
    active: frozenset[str]
    anchor: Job
    brought: dict[Job, dict[Job | None, bool]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def add(self, job: Job, by: Job | None, needed: bool) -> None:
        """The job, and all that it brings along. Raises RefusedError where something needed cannot be had."""
        known = job in self.brought
        if not known and job.kind is not Kind.STOP:
            self._check(job.unit)
        self.brought.setdefault(job, {})[by] = needed
        if not known:
            for other, other_needed in self._brings(job):
                try:
                    self.add(other, job, other_needed)
                except RefusedError:
                    if other_needed:
                        self._drop(job)
                        raise

    def _check(self, name: str) -> None:
        unit = self.graph.units.get(name)
        if unit is None or unit.load is Load.NOT_FOUND:
            raise NoSuchUnitError(f"Unit {name} not found.")
        if unit.load is not Load.LOADED:
            words = {Load.MASKED: "is masked", Load.BAD_SETTING: "has a bad unit file setting"}
            raise RefusedError(f"Unit {name} {words[unit.load]}.")

    def _brings(self, job: Job) -> Iterator[tuple[Job, bool]]:
        unit = self.graph.units.get(job.unit)
        if unit and job.kind in (Kind.START, Kind.RESTART):
            for relation in _NEEDS:
                yield from ((Job(other, Kind.START), True) for other in sorted(unit[relation]))
            yield from ((Job(other, Kind.START), False) for other in sorted(unit[Relation.WANTS]))
            yield from ((Job(other, Kind.STOP), True) for other in sorted(unit[Relation.CONFLICTS]))
            against = self.graph.of_whom(Relation.CONFLICTS, job.unit)
            yield from ((Job(other, Kind.STOP), False) for other in sorted(against))
        if job.kind in (Kind.STOP, Kind.RESTART):
            tied = frozenset().union(*(self.graph.of_whom(tie, job.unit) for tie in _TIES))
            yield from ((Job(other, job.kind), True) for other in sorted(tied & self.active))

    def matters(self) -> frozenset[Job]:
        """The jobs that the request cannot do without."""
        found, new = set[Job](), [self.anchor]
        while new:
            found.add(job := new.pop())
            new += [
                other for other, by in self.brought.items() if by.get(job) and other not in found
            ]
        return frozenset(found)

    def drop(self, job: Job, why: str) -> None:
        self.said.append(why)
        self._drop(job)

    def _drop(self, job: Job) -> None:
        """Without the job, without those who need it, and without those whom nobody else has brought."""
        needing = [by for by, needed in self.brought.pop(job, {}).items() if needed and by]
        for other in needing:
            if other in self.brought:
                self._drop(other)
        for other, by in list(self.brought.items()):
            if by.pop(job, None) is not None and not by and other in self.brought:
                self._drop(other)

    def settle(self) -> None:
        """One job a unit."""
        while contradiction := self._contradiction():
            stop, other = contradiction
            matters = self.matters()
            if stop in matters and other in matters:
                raise RefusedError(
                    f"Transaction contains conflicting jobs '{stop.kind}' and '{other.kind}' for {stop.unit}."
                )
            # A stop goes, unless somebody who starts says that they conflict: then the other one stays away.
            loser = stop if other in matters or not self._is_in_the_way(stop) else other
            if stop in matters:
                loser = other
            self.drop(
                loser, f"{loser} is left out: {stop if loser is other else other} contradicts it"
            )

    def _is_in_the_way(self, stop: Job) -> bool:
        return any(
            needed and by and by.kind is not Kind.STOP for by, needed in self.brought[stop].items()
        )

    def _contradiction(self) -> tuple[Job, Job] | None:
        for job in sorted(self.brought, key=str):
            if job.kind is Kind.STOP:
                for kind in (Kind.START, Kind.RESTART, Kind.RELOAD):
                    if (other := Job(job.unit, kind)) in self.brought:
                        return job, other
        return None


def transaction(
    graph: Graph, active: frozenset[str], pending: Mapping[str, Job], anchor: Job
) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """All jobs that `anchor` needs, one for each unit, and what had to be left out, in words.

    `active`: the units that are not inactive. `pending`: the jobs of earlier requests, which count for the order.
    Raises RefusedError.
    """
    draft = _Draft(graph, active, anchor)
    draft.add(anchor, None, True)
    draft.settle()
    while circle := _circle(graph, {job.unit: job for job in _one_each(draft)}, pending):
        _break(draft, circle)
    return tuple(_one_each(draft)), tuple(draft.said)


def _one_each(draft: _Draft) -> Iterator[Job]:
    """What is left for each unit: a start and a restart of the same are a restart."""
    for job in draft.brought:
        stronger = Job(job.unit, Kind.RESTART)
        if job == stronger or stronger not in draft.brought:
            yield job


def _circle(graph: Graph, jobs: Mapping[str, Job], pending: Mapping[str, Job]) -> list[Job] | None:
    """Jobs that wait for each other, in the order in which they do."""
    everybody = {**pending, **jobs}
    done, path = set[str](), list[str]()

    def walk(name: str) -> list[Job] | None:
        if name in path:
            return [everybody[each] for each in path[path.index(name) :]]
        if name in done:
            return None
        path.append(name)
        for other in awaited(graph, everybody, name):
            if found := walk(other):
                return found
        done.add(path.pop())
        return None

    for name in jobs:
        if found := walk(name):
            return found
    return None


def _break(draft: _Draft, circle: list[Job]) -> None:
    matters = draft.matters()
    names = " after ".join(job.unit for job in [*circle, circle[0]])
    for job in circle:
        if job in draft.brought and job not in matters:
            draft.drop(job, f"Ordering cycle: {names}. Job {job} deleted to break it.")
            return
    raise RefusedError(f"Transaction order is cyclic: {names}.")
