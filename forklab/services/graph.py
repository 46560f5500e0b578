"""From a request to jobs: whom else it concerns, and who comes first.

`transaction(graph, active, pending, job)` answers all jobs that a request needs, or refuses it. Who is started brings
those along that it needs; who is stopped, those who cannot do without it; and conflicts stop. Of jobs that contradict
each other, or wait for each other in a circle, one goes which the request can do without, and that is said; if there
is none, the request is refused and nothing is done (systemd.unit(5); where that leaves it open, as systemd does it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Final, Protocol

from forklab.services.unit import Load, Relation, Unit

_NEEDS: Final = (Relation.REQUIRES, Relation.BINDS_TO)
_TIES: Final = (Relation.REQUIRES, Relation.BINDS_TO, Relation.PART_OF)
UP: Final = ("active", "reloading")
DOWN: Final = ("inactive", "failed")


class Kind(StrEnum):
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RELOAD = "reload"


_STOPS: Final = (Kind.STOP, Kind.RESTART)


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


class HasKind(Protocol):
    """A job, or whatever holds one."""

    @property
    def kind(self) -> Kind: ...


@dataclass(frozen=True)
class Graph:
    """All units, and what they say of each other, in both directions."""

    units: Mapping[str, Unit]
    inverse: Mapping[Relation, Mapping[str, frozenset[str]]]

    @classmethod
    def of(cls, units: Mapping[str, Unit]) -> Graph:
        inverse: dict[Relation, dict[str, set[str]]] = {relation: {} for relation in Relation}
        for unit in units.values():
            for relation, others in unit.relations.items():
                for other in others:
                    inverse[relation].setdefault(other, set()).add(unit.name)
        frozen = {
            relation: {name: frozenset(others) for name, others in each.items()}
            for relation, each in inverse.items()
        }
        return cls(units, frozen)

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

    def order_of(self, names: Sequence[str]) -> str:
        """In words, that each comes after the next one and the last after the first; and where this is written."""
        pairs = list(zip(names, [*names[1:], names[0]], strict=True))
        where = [words for one, other in pairs if (words := self._where(one, other))]
        return " after ".join([*names, names[0]]) + (f" ({'; '.join(where)})" if where else "")

    def _where(self, later: str, earlier: str) -> str:
        """Nothing if no file says so: a target comes after those that it wants."""
        for name, relation, other in (
            (later, Relation.AFTER, earlier),
            (earlier, Relation.BEFORE, later),
        ):
            unit = self.units.get(name)
            if unit and (place := unit.written.get((relation, other))):
                return f"{place}: {relation}={other}"
        return ""

    def tied(self, name: str) -> frozenset[str]:
        """Who is stopped when the unit is stopped."""
        return frozenset().union(*(self.of_whom(tie, name) for tie in _TIES))


def merged(old: Job | None, new: Job, active: str) -> Job:
    """What becomes of the job that a unit has, and of a new one: the opposite takes its place, others become one."""
    if old is None or (old.kind is Kind.STOP) != (new.kind is Kind.STOP):
        return new
    if new.kind is Kind.RESTART or (old.kind is Kind.RELOAD and active not in UP):
        return new
    return old


def awaited(graph: Graph, jobs: Mapping[str, HasKind], name: str) -> Iterator[str]:
    """The units whose jobs come before the one of this unit.

    Of two that are ordered the earlier starts first, and the later stops first. Where one starts and the other stops,
    the stop is first; a restart is a stop, until it has stopped.
    """
    if jobs[name].kind not in _STOPS:
        for other in graph.before(name):
            if other in jobs and other != name:
                yield other
    for other in graph.after(name):
        if other in jobs and other != name and jobs[other].kind in _STOPS:
            yield other


def circle(graph: Graph, names: Collection[str], new: Iterable[str]) -> list[str]:
    """Of these units some of which each comes after the next one, and the last after the first; none if there are none.

    Only those are looked at that the `new` ones come after in the end: no other can be in a circle with them.
    """
    those = set(names)
    order: dict[str, list[str]] = {}
    following = [name for name in new if name in those and (graph.after(name) & those) - {name}]
    for name in following:  # it grows meanwhile
        if name not in order:
            order[name] = sorted((graph.before(name) & those) - {name})
            following += order[name]
    try:
        TopologicalSorter(order).prepare()
    except CycleError as error:
        return list(reversed(error.args[1][1:]))
    return []


@dataclass
class _Draft:
    """The jobs so far, each with those that brought it: True if they cannot do without it."""

    graph: Graph
    active: Mapping[str, str]
    pending: Mapping[str, Job]
    anchor: Job
    may_refuse: bool
    brought: dict[Job, dict[Job | None, bool]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def fill(self) -> None:
        """The anchor, and all that it brings along. Raises RefusedError where something needed cannot be had."""
        new: list[tuple[Job, Job | None, bool]] = [(self.anchor, None, True)]
        for job, by, needed in new:  # it grows meanwhile
            if by and by not in self.brought:
                continue
            if error := self._impossible(job):
                if by and needed:
                    self.drop([by])
                if self.anchor not in self.brought:
                    raise error
                continue
            if job not in self.brought:
                new += [(other, job, each) for other, each in self._brings(job)]
            self.brought.setdefault(job, {})[by] = needed

    def _impossible(self, job: Job) -> RefusedError | None:
        unit = self.graph.units.get(job.unit)
        if job.kind is Kind.STOP:
            return None
        if job.unit.partition("@")[2].startswith("."):
            return RefusedError(f"Unit name {job.unit} is missing the instance name.")
        if unit is None or unit.load is Load.NOT_FOUND:
            return NoSuchUnitError(f"Unit {job.unit} not found.")
        if unit.load is Load.LOADED:
            return None
        words = {
            Load.MASKED: "is masked",
            Load.BAD_SETTING: "has a bad unit file setting",
            Load.ERROR: "failed to load properly",
        }
        return RefusedError(f"Unit {job.unit} {words[unit.load]}.")

    def _brings(self, job: Job) -> Iterator[tuple[Job, bool]]:
        whom, name = self.graph.whom, job.unit
        if job.kind in (Kind.START, Kind.RESTART):
            for relation in _NEEDS:
                yield from ((Job(each, Kind.START), True) for each in sorted(whom(relation, name)))
            for each in sorted(whom(Relation.WANTS, name)):
                yield Job(each, Kind.START), False
            for each in sorted(whom(Relation.CONFLICTS, name)):
                yield Job(each, Kind.STOP), True
            for each in sorted(self.graph.of_whom(Relation.CONFLICTS, name)):
                yield Job(each, Kind.STOP), False
        if job.kind in _STOPS:
            for each in sorted(self.graph.tied(name)):
                # Nobody is restarted who is not there.
                if job.kind is Kind.STOP or self.active.get(each) in (*UP, "activating"):
                    yield Job(each, job.kind), True

    def drop(self, jobs: Iterable[Job], *, with_who_needs_them: bool = True) -> None:
        """Without these jobs, without those who need them, and without those whom nobody else has brought."""
        gone = list(jobs)
        for job in gone:  # it grows meanwhile
            by = self.brought.pop(job, {})
            if with_who_needs_them:
                gone += [each for each, needed in by.items() if needed and each in self.brought]
            for other, bringing in self.brought.items():
                if bringing.pop(job, None) is not None and not bringing:
                    gone.append(other)

    def settle(self) -> None:
        """One job a unit, and none that changes nothing."""
        self._drop_what_is_so_already()
        while contradiction := self._contradiction():
            stop, other = contradiction
            matters = self.matters()
            if stop in matters and other in matters:
                raise RefusedError(
                    "Transaction contains conflicting jobs "
                    f"'{stop.kind}' and '{other.kind}' for {stop.unit}."
                )
            # The stop goes, unless somebody who starts says that they conflict: then the other one stays away.
            stop_stays = stop in matters or (other not in matters and self._is_in_the_way(stop))
            stays, goes = (stop, other) if stop_stays else (other, stop)
            self.said.append(f"{goes} is left out: {stays} contradicts it")
            self.drop([goes])
        self._drop_what_is_so_already()

    def _drop_what_is_so_already(self) -> None:
        so = {Kind.START: UP, Kind.STOP: DOWN}
        jobs_of = Counter(job.unit for job in self.brought)
        redundant = [
            job
            for job in self.brought
            if self.active.get(job.unit, "inactive") in so.get(job.kind, ())
            and job != self.anchor
            and jobs_of[job.unit] == 1
            and not self._reverses(job)
        ]
        self.drop(redundant, with_who_needs_them=False)

    def _reverses(self, job: Job) -> bool:
        """Whether an earlier request wants the opposite."""
        pending = self.pending.get(job.unit)
        return pending is not None and (pending.kind is Kind.STOP) != (job.kind is Kind.STOP)

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

    def matters(self) -> set[Job]:
        """The jobs that the request cannot do without."""
        needs: dict[Job | None, list[Job]] = {}
        for job, by in self.brought.items():
            for each, needed in by.items():
                if needed:
                    needs.setdefault(each, []).append(job)
        found, new = set[Job](), [self.anchor]
        while new:
            if (job := new.pop()) not in found:
                found.add(job)
                new += needs.get(job, ())
        return found

    def one_each(self) -> dict[str, Job]:
        """What is left for each unit: a start and a restart of the same are a restart."""
        return {
            job.unit: job
            for job in sorted(self.brought, key=lambda each: each.kind is Kind.RESTART)
        }

    def break_circles(self) -> None:
        while found := self._circle():
            needed = self.matters() | set(self.pending.values())
            names = self.graph.order_of([job.unit for job in found])
            spare = [
                job for job in (*found[1:], found[0]) if job in self.brought and job not in needed
            ]
            if not spare:
                raise RefusedError(f"Transaction order is cyclic: {names}.")
            self.said.append(f"Ordering cycle: {names}. Job {spare[0]} deleted to break it.")
            self.drop(spare[:1])

    def _circle(self) -> list[Job]:
        """Jobs that would wait for each other for ever; those of earlier requests count, too.

        Who stops waits for others that stop alone, and who starts for all: so a circle closes among the ones, or among
        the others. A restart becomes a start. (systemd takes it for a stop; what it becomes may wait for ever there:
        docs/services.md.)
        """
        new = self.one_each()
        jobs = dict(self.pending)
        for name, job in new.items():
            jobs[name] = merged(jobs.get(name), job, self.active.get(name, "inactive"))
        start = {name for name, job in jobs.items() if job.kind is not Kind.STOP}
        stop = {name for name, job in jobs.items() if job.kind in _STOPS if self.may_refuse}
        names = circle(self.graph, start, new) or circle(self.graph, stop, new)
        found = [new.get(name, jobs[name]) for name in names]
        if not found:
            return []
        first = found.index(self.anchor if self.anchor in found else min(found, key=str))
        return found[first:] + found[:first]


def transaction(
    graph: Graph,
    active: Mapping[str, str],
    pending: Mapping[str, Job],
    anchor: Job,
    *,
    may_refuse: bool = True,
) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """All jobs that `anchor` needs, one for each unit, and what had to be left out, in words.

    `active`: the state of each unit that is not inactive, as the word of systemctl is-active. `pending`: the jobs of
    earlier requests, which count for the order. `may_refuse`: also a stop, because of the order; else those who stop
    have to find one (`Manager`). Raises RefusedError.
    """
    draft = _Draft(graph, active, pending, anchor, may_refuse)
    draft.fill()
    draft.settle()
    draft.break_circles()
    return tuple(draft.one_each().values()), tuple(draft.said)
