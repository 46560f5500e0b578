"""All units together: which jobs wait for which, and what the end of one service means to the others.

`step(manager, event, now)` answers the manager after an event, and what is to be done. A request becomes jobs
(`graph`); a job runs when those that come before it are done; it moves a service (`life`), and is finished by the
state in which the service arrives. Whatever happens by itself is treated alike: a service that is gone may take
others with it, wake one (OnFailure=), or come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from forklab.services import life
from forklab.services.graph import (
    Graph,
    Job,
    Kind,
    NoSuchUnitError,
    RefusedError,
    awaited,
    transaction,
)
from forklab.services.life import Life, Say
from forklab.services.unit import Relation, Unit

_DEAD: Final = Life()
_GONE: Final = ("dead", "failed", "auto-restart")


@dataclass(frozen=True)
class Task:
    """A job that is not done yet."""

    job: Job
    running: bool = False
    requests: frozenset[int] = frozenset()  # who waits for it


@dataclass(frozen=True)
class Manager:
    """All that is known at a moment."""

    graph: Graph
    lives: Mapping[str, Life] = field(default_factory=dict)  # those that have ever been started
    tasks: Mapping[str, Task] = field(default_factory=dict)
    starts: Mapping[str, tuple[float, ...]] = field(
        default_factory=dict
    )  # when, as far as limits go
    leaving: bool = False  # at the end of it all nobody comes back

    @classmethod
    def of(cls, units: Mapping[str, Unit]) -> Manager:
        return cls(Graph.of(units))

    def with_units(self, units: Mapping[str, Unit]) -> Manager:
        """The same with other files: what runs goes on as it was started."""
        return replace(self, graph=Graph.of(units))

    def about_to_leave(self) -> Manager:
        """From now on nothing is started, by nobody."""
        return replace(self, leaving=True)

    def forgiven(self, names: Sequence[str]) -> Manager:
        """Forgets failures and counts, of all units or of these (`systemctl reset-failed`)."""
        these = set(names) or set(self.lives)
        lives = {
            name: _DEAD if name in these and each.state == "failed" else each
            for name, each in self.lives.items()
        }
        starts = {name: times for name, times in self.starts.items() if name not in these}
        return replace(self, lives=lives, starts=starts)

    def life(self, name: str) -> Life:
        return self.lives.get(name, _DEAD)


@dataclass(frozen=True)
class Request:
    """Somebody asks for a job; `number` comes back with its end."""

    number: int
    job: Job


@dataclass(frozen=True)
class Happened:
    """Something happened to a service."""

    unit: str
    event: life.Event


@dataclass(frozen=True)
class Checked:
    """What a unit's conditions, asked for by `Check`, have answered."""

    unit: str
    unmet: str = ""  # the first that is not met
    failed: bool = False  # it was an assertion


@dataclass(frozen=True)
class Check:
    """The conditions of a unit have to be looked at now."""


@dataclass(frozen=True)
class Finished:
    """The job of a request has come to its end.

    Well: done, already (so), skipped. Else: failed, dependency, canceled, assert, refused, missing.
    """

    number: int
    result: str


Event: TypeAlias = Request | Happened | Checked
Effect: TypeAlias = life.Effect | Check | Finished


@dataclass(frozen=True)
class Deed:
    """What is to be done, and for which unit."""

    unit: str
    effect: Effect


def step(manager: Manager, event: Event, now: float) -> tuple[Manager, tuple[Deed, ...]]:
    """The manager after the event, and what is to be done, in order."""
    walk = _Walk(manager, now)
    match event:
        case Request():
            walk.request(event.job, event.number)
        case Happened():
            walk.happened(event.unit, event.event)
        case Checked():
            walk.checked(event)
    walk.run_what_can()
    return walk.manager, tuple(walk.deeds)


@dataclass
class _Walk:
    manager: Manager
    now: float
    deeds: list[Deed] = field(default_factory=list)

    @property
    def graph(self) -> Graph:
        return self.manager.graph

    def _say(self, name: str, text: str, priority: int = 6) -> None:
        self.deeds.append(Deed(name, Say(text, priority)))

    def _announce(self, words: str, name: str, end: str = ".", priority: int = 6) -> None:
        """What whoever follows the journal wants to read: "Started web.service - The web server."."""
        unit = self.graph.units.get(name)
        described = f"{name} - {unit.description}" if unit and unit.description else name
        target = "target " if name.endswith(".target") else ""
        self._say(name, f"{words} {target}{described}{end}", priority)

    # Requests become jobs

    def request(self, job: Job, number: int | None = None) -> None:
        if self.manager.leaving and job.kind is not Kind.STOP:
            if number is not None:
                self.deeds.append(Deed(job.unit, Finished(number, "refused")))
            return
        pending = {name: task.job for name, task in self.manager.tasks.items()}
        active = frozenset(
            name
            for name, each in self.manager.lives.items()
            if each.active not in ("inactive", "failed")
        )
        try:
            jobs, said = transaction(self.graph, active, pending, job)
        except RefusedError as error:
            self._say(job.unit, str(error), 4)
            if number is not None:
                result = "missing" if isinstance(error, NoSuchUnitError) else "refused"
                self.deeds.append(Deed(job.unit, Finished(number, result)))
            return
        for text in said:
            self._say(job.unit, text, 4)
        for each in jobs:
            self._install(each, number if each.unit == job.unit else None)

    def _install(self, job: Job, number: int | None) -> None:
        """A job of the same kind is joined; one of another kind gives way."""
        waiting = frozenset() if number is None else frozenset({number})
        old = self.manager.tasks.get(job.unit)
        if old and old.job == job:
            self._put(job.unit, replace(old, requests=old.requests | waiting))
            return
        if old:
            self._finish(job.unit, "canceled")
        self._put(job.unit, Task(job, requests=waiting))

    def _put(self, name: str, task: Task | None) -> None:
        tasks = {each: other for each, other in self.manager.tasks.items() if each != name}
        if task:
            tasks[name] = task
        self.manager = replace(self.manager, tasks=tasks)

    def _finish(self, name: str, result: str) -> None:
        task = self.manager.tasks[name]
        self._put(name, None)
        self._tell_of(name, task.job.kind, result)
        self.deeds += [Deed(name, Finished(number, result)) for number in sorted(task.requests)]
        if result in ("done", "already", "skipped", "canceled") or task.job.kind is not Kind.START:
            return
        for relation in (Relation.REQUIRES, Relation.BINDS_TO):
            for other in sorted(self.graph.of_whom(relation, name)):
                waiting = self.manager.tasks.get(other)
                if waiting and waiting.job.kind is Kind.START:
                    self._announce("Dependency failed for", other, priority=4)
                    self._finish(other, "dependency")

    def _tell_of(self, name: str, kind: Kind, result: str) -> None:
        service = self.graph.units[name].service if name in self.graph.units else None
        oneshot = service is not None and service.type == "oneshot"
        match kind, result:
            case Kind.START, "done":
                started = "Finished" if oneshot else "Started"
                self._announce("Reached" if name.endswith(".target") else started, name)
            case Kind.START, "failed":
                self._announce("Failed to start", name, priority=4)
            case Kind.STOP, "done":
                self._announce("Stopped", name)
            case Kind.RELOAD, "done":
                self._announce("Reloaded", name)
            case Kind.RELOAD, "failed":
                self._announce("Reload failed for", name, priority=4)

    # Jobs run

    def run_what_can(self) -> None:
        """Until nobody can go on, each that waits for nobody."""
        while ready := [name for name in sorted(self.manager.tasks) if self._is_ready(name)]:
            self._run(ready[0])

    def _is_ready(self, name: str) -> bool:
        task = self.manager.tasks[name]
        if task.running:
            return False
        if task.job.kind is Kind.START and self._is_on_its_way(name):
            return False
        jobs = {each: other.job for each, other in self.manager.tasks.items()}
        return not any(True for _ in awaited(self.graph, jobs, name))

    def _is_on_its_way(self, name: str) -> bool:
        """Who still stops cannot be started, and who will come back does so by itself."""
        each = self.manager.life(name)
        return each.active == "deactivating" or each.state == "auto-restart"

    def _run(self, name: str) -> None:
        task = self.manager.tasks[name]
        active = self.manager.life(name).active
        self._put(name, replace(task, running=True))
        match task.job.kind:
            case Kind.START if active in ("active", "reloading"):
                self._finish(name, "already")
            case Kind.START if active != "activating":
                self._begin(name)
            case Kind.STOP if active in ("inactive", "failed"):
                self._finish(name, "already")
            case Kind.RESTART if active in ("inactive", "failed"):
                self._put(name, replace(task, job=Job(name, Kind.START)))
            case Kind.STOP | Kind.RESTART:
                if active != "activating" or self.manager.life(name).state != "auto-restart":
                    self._announce("Stopping", name, "...")
                self._move(name, life.Stop(for_good=task.job.kind is Kind.STOP))
            case Kind.RELOAD if active == "active":
                self._announce("Reloading", name, "...")
                self._move(name, life.Reload())
            case Kind.RELOAD:
                self._finish(name, "failed")

    def _begin(self, name: str) -> None:
        """What has to be so before a unit may start."""
        for other in self.graph.whom(Relation.BINDS_TO, name) & self.graph.before(name):
            if self.manager.life(other).active not in ("active", "reloading"):
                self._say(name, f"Bound to unit {other}, but unit isn't active.", 4)
                self._announce("Dependency failed for", name, priority=4)
                self._finish(name, "dependency")
                return
        if self.graph.units[name].conditions:
            self.deeds.append(Deed(name, Check()))
        else:
            self._start(name)

    def checked(self, answer: Checked) -> None:
        if answer.unit not in self.manager.tasks:
            return
        if answer.failed:
            self._say(answer.unit, f"Starting was refused: assertion {answer.unmet} is not met.", 4)
            self._finish(answer.unit, "assert")
        elif answer.unmet:
            self._say(
                answer.unit, f"Was skipped because of an unmet condition check ({answer.unmet})."
            )
            self._finish(answer.unit, "skipped")
        else:
            self._start(answer.unit)

    def _start(self, name: str) -> None:
        burst, interval = self.graph.units[name].start_limit
        lately = tuple(at for at in self.manager.starts.get(name, ()) if self.now - at < interval)
        if interval > 0 and burst > 0 and len(lately) >= burst:
            self._say(name, "Start request repeated too quickly.", 4)
            self._live(
                name, replace(self.manager.life(name), state="failed", result="start-limit-hit")
            )
            if name in self.manager.tasks:  # it had failed before, in the same way
                self._finish(name, "failed")
            return
        self.manager = replace(
            self.manager, starts={**self.manager.starts, name: (*lately, self.now)}
        )
        self._move(name, life.Start(), starting=True)

    # Services move

    def happened(self, name: str, event: life.Event) -> None:
        if (
            self.manager.leaving
            and isinstance(event, life.TimeOver)
            and self.manager.life(name).state == "auto-restart"
        ):
            event = life.Stop()
        comes_back = self.manager.life(name).state == "auto-restart" and isinstance(
            event, life.TimeOver
        )
        self._move(name, event)
        if comes_back:
            self.request(Job(name, Kind.RESTART))

    def _move(self, name: str, event: life.Event, starting: bool = False) -> None:
        service = self.graph.units[name].service
        if service is None:
            up = isinstance(event, life.Start)
            self._live(name, replace(_DEAD, state="running" if up else "dead"))
            return
        after, effects = life.step(service, self.manager.life(name), event, self.now)
        if starting and after.active == "activating":
            self._announce("Starting", name, "...")
        self.deeds += [Deed(name, effect) for effect in effects]
        self._live(name, after)

    def _live(self, name: str, after: Life) -> None:
        before = self.manager.life(name)
        self.manager = replace(self.manager, lives={**self.manager.lives, name: after})
        if before == after:
            return
        expected = self._settle_task(name, after)
        if after.state in _GONE and before.state not in _GONE:
            if not expected:
                self._leave_alone(name)
            if after.state == "failed":
                for other in sorted(self.graph.whom(Relation.ON_FAILURE, name)):
                    self._say(name, f"Triggering OnFailure= dependencies: {other}.")
                    self.request(Job(other, Kind.START))

    def _settle_task(self, name: str, after: Life) -> bool:
        """Finishes the job that the new state fulfils or makes impossible. Whether there was one that explains it."""
        task = self.manager.tasks.get(name)
        if task is None or not task.running:
            return False
        gone = after.active in ("inactive", "failed")
        match task.job.kind:
            case Kind.START if after.active in ("active", "reloading"):
                self._finish(name, "done")
            case Kind.START if gone or after.state == "auto-restart":
                self._finish(name, "done" if after.result == "success" else "failed")
                return False
            case Kind.STOP if gone:
                self._finish(name, "done")
            case Kind.RESTART if gone:
                self._announce("Stopped", name)
                self._put(name, replace(task, job=Job(name, Kind.START), running=False))
            case Kind.RELOAD if after.active == "active":
                self._finish(name, "done" if after.reloaded == "success" else "failed")
            case Kind.RELOAD if gone:
                self._finish(name, "failed")
        return True

    def _leave_alone(self, name: str) -> None:
        """A service is gone that nobody stopped: those that are bound to it go too."""
        for other in sorted(self.graph.of_whom(Relation.BINDS_TO, name)):
            if self.manager.life(other).active in ("active", "activating", "reloading"):
                self.request(Job(other, Kind.STOP))
