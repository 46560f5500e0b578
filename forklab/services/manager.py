"""All units together: which jobs wait for which, and what the end of one service means to the others.

`step(manager, event, now)` answers the manager after an event, and what is to be done. A request becomes jobs
(`graph`); a job runs when those that come before it are done; it moves a service (`life`), and is finished by the
state in which the service arrives. Whatever happens by itself is treated alike: a service that is gone may take
others with it, wake one (OnFailure=), or come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, TypeAlias

from forklab.services import life
from forklab.services.graph import (
    DOWN,
    UP,
    Graph,
    Job,
    Kind,
    NoSuchUnitError,
    RefusedError,
    awaited,
    circle,
    merged,
    transaction,
)
from forklab.services.life import Life, Say
from forklab.services.unit import Load, Relation, Service, Unit

_DEAD: Final = Life()
_GOOD: Final = ("done", "already", "skipped")
# Who is here, and what has become of it when it is not here to stay.
_HERE: Final = (*UP, "activating")
_GONE: Final = ("dead", "failed", "auto-restart")
# A failure can bring itself about, at once, through those whom it wakes.
_MOST_WAKES, _WAKES_WITHIN = 20, 10.0  # seconds
_JOBS_IN_ONE_STEP: Final = 25


@dataclass(frozen=True)
class Task:
    """A job that is not done yet."""

    job: Job
    running: bool = False
    requests: frozenset[int] = frozenset()  # who waits for it
    # Which job it is: within one step it may end, and be asked for once more.
    identity: object = field(default_factory=object, compare=False, repr=False)

    @property
    def kind(self) -> Kind:
        return self.job.kind

    @property
    def will_start(self) -> bool:
        """Whether others may still come before it, when it starts. A restart that has stopped starts."""
        return self.kind is Kind.RESTART or (self.kind is not Kind.STOP and not self.running)

    @property
    def will_stop(self) -> bool:
        """Whether others may still come before it, when it stops."""
        return self.kind in (Kind.STOP, Kind.RESTART) and not self.running


@dataclass(frozen=True)
class Manager:
    """All that is known at a moment."""

    graph: Graph
    lives: Mapping[str, Life] = field(default_factory=dict)  # those that have ever been started
    tasks: Mapping[str, Task] = field(default_factory=dict)
    starts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # when, for the limits
    woken: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # when, by whose failure
    skipped: frozenset[str] = frozenset()  # whose conditions were not met when they were last asked
    leaving: bool = False  # at the end of it all nobody comes back
    # What a step has left to the next one.
    touched: frozenset[str] = frozenset()  # whose life or job has changed
    freed: frozenset[str] = frozenset()  # whose job holds up others no more
    due: frozenset[str] = frozenset()  # whose job may run now
    failed: tuple[str, ...] = ()  # for want of others; OnFailure= comes once all such are known

    @classmethod
    def of(cls, units: Mapping[str, Unit]) -> Manager:
        return cls(Graph.of(units))

    def with_units(self, units: Mapping[str, Unit]) -> Manager:
        """The same with other files. Whoever lives goes on, also if its file is gone or masked; it can be stopped then,
        but all that the file has said is gone with it.
        """
        kept = dict(units)
        for name, old in self.graph.units.items():
            if name in self.tasks or self.life(name).active not in DOWN:
                new = units.get(name, Unit(name, Load.NOT_FOUND))
                kept[name] = (
                    new if new.service or not old.service else replace(new, service=Service())
                )
        touched = self.touched | self.tasks.keys() | self.lives.keys()
        return replace(self, graph=Graph.of(kept), touched=touched)

    def forgiven(self, names: Sequence[str]) -> Manager:
        """Forgets failures and counts, of all units or of these (`systemctl reset-failed`)."""
        these = set(names) or set(self.lives)
        lives = {
            name: each
            if name not in these
            else replace(_DEAD, empty=each.empty)
            if each.state == "failed"
            else replace(each, result="success", restarts=0)
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
    unmet: str = ""  # the first that is not met, in words
    failed: bool = False  # it was an assertion


@dataclass(frozen=True)
class Leave:
    """The end of it all: everything stops, whoever is about to start as well, and nobody starts or comes back."""


@dataclass(frozen=True)
class Reread:
    """Unit files have been read again (`Manager.with_units`): who is bound to whom, and in which order, may be new."""


@dataclass(frozen=True)
class GoOn:
    """There is more to do than one step does: whoever asks a question is answered in between. It is to be done, and to
    happen, before anything else.
    """


@dataclass(frozen=True)
class Check:
    """The conditions of a unit have to be looked at now."""


@dataclass(frozen=True)
class State:
    """Nothing is to be done: the unit has come into this state."""

    state: str
    active: str
    result: str


@dataclass(frozen=True)
class Finished:
    """The job of a request has come to its end.

    Well: done, already (so), skipped. Else: failed, dependency, canceled, assert, invalid, refused, missing.
    """

    number: int
    result: str
    why: str = ""  # it was refused, in words


Event: TypeAlias = Request | Happened | Checked | Reread | Leave | GoOn
Effect: TypeAlias = life.Effect | Check | State | Finished | GoOn


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
        case Leave():
            walk.leave()
        case Reread():
            walk.reread()  # and whoever may go on now does
        case GoOn():
            pass
    walk.run_what_can()
    return walk.done(), tuple(walk.deeds)


class _Walk:
    """One step: what changes is in its own copies until it is `done`."""

    def __init__(self, manager: Manager, now: float) -> None:
        self.manager = manager
        self.now = now
        self.deeds: list[Deed] = []
        self.lives = dict(manager.lives)
        self.tasks = dict(manager.tasks)
        self.touched = set(manager.touched)
        self.freed = set(manager.freed)
        self.due = set(manager.due)
        self.failed = list(manager.failed)

    def done(self) -> Manager:
        return replace(
            self.manager,
            lives=self.lives,
            tasks=self.tasks,
            touched=frozenset(self.touched),
            freed=frozenset(self.freed),
            due=frozenset(self.due),
            failed=tuple(self.failed),
        )

    def life_of(self, name: str) -> Life:
        return self.lives.get(name, _DEAD)

    @property
    def graph(self) -> Graph:
        return self.manager.graph

    def _say(self, name: str, text: str, priority: int = 6) -> None:
        self.deeds.append(Deed(name, Say(text, priority)))

    def _announce(self, words: str, name: str, end: str = ".", priority: int = 6) -> None:
        """What whoever follows the journal wants to read: "Started web.service - The web server."."""
        unit = self.graph.units.get(name)
        described = f"{name} - {unit.description}" if unit and unit.description else name
        self._say(name, f"{words} {described}{end}".lstrip(), priority)

    # Requests become jobs

    def request(self, job: Job, number: int | None = None) -> bool:
        """Whether there is a job now."""
        pending = {name: task.job for name, task in self.tasks.items()}
        active = {name: each.active for name, each in self.lives.items()}
        try:
            if self.manager.leaving and job.kind is not Kind.STOP:
                raise RefusedError("The manager is about to leave: nothing is started.")
            jobs, said = transaction(
                self.graph, active, pending, job, may_refuse=number is not None
            )
        except RefusedError as error:
            self._say(job.unit, str(error), 4)
            if number is not None:
                result = "missing" if isinstance(error, NoSuchUnitError) else "refused"
                self.deeds.append(Deed(job.unit, Finished(number, result, str(error))))
            return False
        for text in said:
            self._say(job.unit, text, 4)
        for each in jobs:
            self._install(each, number if each == job else None)
        return True

    def reread(self) -> None:
        """Who waits for its restart and has no file any more waits for nothing."""
        for name, each in self.lives.items():
            unit = self.graph.units.get(name)
            if each.state == "auto-restart" and (unit is None or unit.load is not Load.LOADED):
                self._move(name, life.Refused("resources"))

    def leave(self) -> None:
        """All jobs are there before the first runs: so whoever is ordered after another stops before it."""
        for name, each in self.lives.items():
            self.lives[name] = replace(each, stopped=True)
        self.manager = replace(self.manager, leaving=True)
        up = {name for name, each in self.lives.items() if each.active not in DOWN}
        for name in sorted(up | self.tasks.keys()):
            self._install(Job(name, Kind.STOP), None)

    def _break_circles(self, new: Iterable[str]) -> None:
        """Where these jobs and others would wait for each other for ever, lets one of them go, or run.

        Starts do so only when other files have been read (else `graph` refuses them), and one of them fails. Whoever is
        to stop does: there it is only the order that is lost.
        """
        while names := self._circle(new, lambda task: task.will_start):
            self._say_circle(names, names[0])
            self._finish(names[0], "dependency")
            if self._is_overdue(names[0]):
                self._move(names[0], life.Refused("resources"))
        while names := self._circle(new, lambda task: task.will_stop):
            first = next(name for name in names if self.tasks[name].kind is Kind.STOP)
            self._say_circle(names, first)
            self._run(first)

    def _circle(self, new: Iterable[str], waits: Callable[[Task], bool]) -> list[str]:
        tasks = self.tasks
        those = sorted(name for name in new if name in tasks and waits(tasks[name]))
        return those and circle(self.graph, [n for n, task in tasks.items() if waits(task)], those)

    def _say_circle(self, names: Sequence[str], name: str) -> None:
        words, job = self.graph.order_of(names), self.tasks[name].job
        self._say(name, f"Ordering cycle: {words}. {job} does not wait.", 4)

    def _is_overdue(self, name: str) -> bool:
        """Whether it comes back by the job that its timer has asked for, so that nothing wakes it without one."""
        each = self.life_of(name)
        return each.state == "auto-restart" and each.deadline == inf

    def _install(self, new: Job, number: int | None) -> None:
        name, old = new.unit, self.tasks.get(new.unit)
        requests = frozenset() if number is None else frozenset({number})
        if new.kind is not Kind.STOP and self._is_overdue(name):
            new = Job(name, Kind.RESTART)
        # The opposite takes the place of an earlier job; others become one with it.
        job = merged(old.job if old else None, new, self.life_of(name).active)
        if old and job == old.job:
            # A reload that runs may have read what has been changed since: it is done again.
            running = old.running and job.kind is not Kind.RELOAD
            self._put(name, replace(old, running=running, requests=old.requests | requests))
            return
        if old and (old.kind is Kind.STOP) != (job.kind is Kind.STOP):
            self._finish(name, "canceled")
        elif old:
            requests |= old.requests
        self._put(name, Task(job, requests=requests))

    def _put(self, name: str, task: Task | None) -> None:
        old = self.tasks.get(name)
        self.touched.add(name)
        if old and (task is None or task.kind is not old.kind):
            self.freed.add(name)
        if task:
            self.tasks[name] = task
        else:
            self.tasks.pop(name, None)

    def _finish(self, name: str, result: str) -> None:
        task = self.tasks[name]
        self._put(name, None)
        self._tell_of(name, task.kind, result)
        self.deeds += [Deed(name, Finished(number, result)) for number in sorted(task.requests)]
        if result == "dependency":
            self._say(name, f"Job {task.job} failed with result 'dependency'.", 5)
            self.failed.append(name)
        if result in (*_GOOD, "canceled") or task.kind is not Kind.START:
            return
        for relation in (Relation.REQUIRES, Relation.BINDS_TO):
            for other in sorted(self.graph.of_whom(relation, name)):
                waiting = self.tasks.get(other)
                if waiting and waiting.kind is Kind.START:
                    self._finish(other, "dependency")

    def _tell_of(self, name: str, kind: Kind, result: str) -> None:
        service = self.graph.units[name].service if name in self.graph.units else None
        target = " target" * name.endswith(".target")
        match kind, result:
            case Kind.START, "done":
                oneshot = service is not None and service.type == "oneshot"
                started = "Finished" if oneshot else "Started"
                self._announce("Reached target" if target else started, name)
            case Kind.START, "failed":
                self._announce("Failed to start", name, priority=3)
            case Kind.START, "dependency":
                self._announce("Dependency failed for", name, priority=4)
            case Kind.START, "assert":
                self._announce("Assertion failed for", name, priority=4)
            case Kind.STOP | Kind.RESTART, "done":
                self._announce(f"Stopped{target}", name)
            case Kind.RELOAD, "done":
                self._announce("Reloaded", name)
            case Kind.RELOAD, "failed":
                self._announce("Reload failed for", name, priority=3)

    # Jobs run

    def run_what_can(self) -> None:
        """Until nobody can go on, each that waits for nobody. Only those are looked at whom a change concerns."""
        runs = 0
        while self.touched or self.due or self.failed:
            touched = set[str]()
            if not self.due:
                touched, self.touched = self.touched, set()
                self._break_circles(touched)
                self.due = self._concerned_by(touched)
            for name in sorted(self.due)[: _JOBS_IN_ONE_STEP - runs]:
                self.due.discard(name)
                if name in self.tasks and self._is_ready(name):
                    self._run(name)
                    runs += 1
            self._stop_the_bereft(touched | self.touched)
            if runs == _JOBS_IN_ONE_STEP:
                self.deeds.append(Deed("", GoOn()))
                return
            if self.due:
                continue
            failed, self.failed = self.failed, []
            for name in failed:
                self._wake(name)

    def _concerned_by(self, touched: set[str]) -> set[str]:
        """Those with jobs, and all whose jobs may have waited for one that has changed or gone."""
        freed, self.freed = self.freed, set()
        before, after = self.graph.before, self.graph.after
        concerned = touched.union(*(before(name) | after(name) for name in freed))
        return concerned & self.tasks.keys()

    def _stop_the_bereft(self, touched: set[str]) -> None:
        bound = (self.graph.of_whom(Relation.BINDS_TO, name) for name in touched)
        for name in list(filter(self._is_bereft, sorted(touched.union(*bound)))):
            self._say(name, "Unit is bound to an inactive unit. Stopping, too.")
            self.request(Job(name, Kind.STOP))

    def _is_ready(self, name: str) -> bool:
        task, each = self.tasks[name], self.life_of(name)
        if task.running:
            return False
        match task.kind:
            # Who still stops cannot be started, and who will come back does so by itself.
            case Kind.START if each.active == "deactivating" or each.state == "auto-restart":
                return False
            case Kind.RELOAD if each.active == "reloading":
                return False
        return not any(True for _ in awaited(self.graph, self.tasks, name))

    def _is_bereft(self, name: str) -> bool:
        """Whether it is up, bound to somebody who is down, and nothing is about to change that."""
        if self.life_of(name).active != "active" or name in self.tasks:
            return False
        return any(
            other not in self.tasks and self.life_of(other).active in DOWN
            for other in self.graph.whom(Relation.BINDS_TO, name)
        )

    def _run(self, name: str) -> None:
        task, each = self.tasks[name], self.life_of(name)
        self._put(name, replace(task, running=True))
        match task.kind:
            case Kind.START if each.active in UP:
                self._finish(name, "already")
            case Kind.START if self.manager.leaving:
                self._finish(name, "canceled")
            case Kind.START if each.active in DOWN:
                self._begin(name)
            case Kind.STOP if each.active in DOWN:
                self._finish(name, "already")
            case Kind.RESTART if each.active in DOWN:
                self._put(name, replace(task, job=Job(name, Kind.START)))
            case Kind.STOP | Kind.RESTART:
                if each.active == "active" and (
                    self.graph.units[name].service or task.kind is Kind.RESTART
                ):
                    self._announce("Stopping", name, "...")
                self._move(name, life.Stop())
            case Kind.RELOAD if each.active == "active" and self._can_reload(name):
                self._announce("Reloading", name, "...")
                self._move(name, life.Reload())
            case Kind.RELOAD:
                self._say(
                    name, "Unit cannot be reloaded: it is inactive, or has no ExecReload=.", 4
                )
                self._finish(name, "invalid")

    def _can_reload(self, name: str) -> bool:
        service = self.graph.units[name].service
        return service is not None and "ExecReload" in service.commands

    def _begin(self, name: str) -> None:
        """What has to be so before a unit may start."""
        if self.graph.units[name].load is not Load.LOADED:
            self._finish(name, "failed")  # its file has gone, or been masked, meanwhile
            return
        if self.graph.units[name].conditions:
            self.deeds.append(Deed(name, Check()))
        else:
            self._start(name)

    def _is_at_its_limit(self, name: str) -> bool:
        """Whether StartLimitBurst= forbids one more start now. Only services have limits."""
        unit = self.graph.units.get(name)
        if unit is None or unit.service is None or not all(unit.start_limit):
            return False
        return len(self._lately(name)) >= unit.start_limit[0]

    def _lately(self, name: str) -> tuple[float, ...]:
        """When it was started, as far as that counts."""
        interval = self.graph.units[name].start_limit[1]
        return tuple(at for at in self.manager.starts.get(name, ()) if self.now - at < interval)

    def checked(self, answer: Checked) -> None:
        name, task = answer.unit, self.tasks.get(answer.unit)
        down = self.life_of(name).active in DOWN
        if not task or not task.running or task.kind is not Kind.START or not down:
            return  # it is not to be started any more, or has been already
        unmet = {name} if answer.unmet and not answer.failed else set()
        self.manager = replace(self.manager, skipped=self.manager.skipped - {name} | unmet)
        if answer.failed:
            self._say(name, "Starting requested but asserts failed.", 5)
            self._finish(name, "assert")
        elif answer.unmet:
            words = f"was skipped because of an unmet condition check ({answer.unmet})."
            self._announce("", name, f" {words}")
            self._finish(name, "skipped")
        else:
            self._start(name)

    def _start(self, name: str) -> None:
        for other in sorted(self.graph.whom(Relation.BINDS_TO, name) & self.graph.before(name)):
            if self.life_of(other).active not in UP:
                self._say(name, f"Bound to unit {other}, but unit isn't active.", 4)
                self._finish(name, "dependency")
                return
        if self._is_at_its_limit(name):
            self._say(name, "Start request repeated too quickly.", 4)
            self._move(name, life.Refused("start-limit-hit"))
            if name in self.tasks:  # it had failed before, in the same way
                self._finish(name, "failed")
            return
        starts = {**self.manager.starts, name: (*self._lately(name), self.now)}
        self.manager = replace(self.manager, starts=starts)
        self._move(name, life.Start())

    # Services move

    def happened(self, name: str, event: life.Event) -> None:
        task, before = self.tasks.get(name), self.life_of(name)
        if task and task.kind is Kind.STOP and not before.stopped and name in self.lives:
            # Somebody wants it to end: it does not come back, even if it ends before it is asked to.
            self.lives[name] = replace(before, stopped=True)
        if before.state != "auto-restart" or not isinstance(event, life.TimeOver):
            self._move(name, event)
        elif self.life_of(name).stopped:
            self._move(name, life.Stop())
        elif self.request(Job(name, Kind.RESTART)):
            self._move(name, event)
        else:
            self._move(name, life.Refused("resources"))

    def _move(self, name: str, event: life.Event) -> None:
        unit = self.graph.units.get(name)
        if unit is None:
            return
        if unit.service is None:
            up = isinstance(event, life.Start)
            self._live(name, replace(_DEAD, state="running" if up else "dead"))
            return
        after, effects = life.step(unit.service, self.life_of(name), event, self.now)
        takes_time = after.active == "activating" and not life.is_forked(unit.service, after)
        if isinstance(event, life.Start) and takes_time:
            self._announce("Starting", name, "...")
        self.deeds += [Deed(name, effect) for effect in effects]
        self._live(name, after)

    def _live(self, name: str, after: Life) -> None:
        before = self.life_of(name)
        self.lives[name] = after
        self.touched.add(name)
        if before.state == after.state:
            return
        self.deeds.append(Deed(name, State(after.state, after.active, after.result)))
        expected = self._settle_task(name, after)
        goes = after.active not in _HERE or after.state in _GONE
        if not expected and before.active in _HERE and goes:
            self._take_along(name)
        if after.state == "failed":
            self._wake(name)

    def _settle_task(self, name: str, after: Life) -> bool:
        """Finishes the job that the new state fulfils or makes impossible. Whether a job explains the new state."""
        task = self.tasks.get(name)
        if task is None:
            return False
        gone = after.state in _GONE
        fine = "done" if after.result == "success" else "failed"
        match task.kind:
            case Kind.START if after.active in UP:
                self._finish(name, "done")
            case Kind.START if task.running:
                if gone:
                    self._finish(name, fine)
                return after.active == "activating" and not gone
            case Kind.STOP if gone:
                self._finish(name, "done")
            case Kind.RESTART if gone:
                self._tell_of(name, Kind.RESTART, "done")
                self._put(name, replace(task, job=Job(name, Kind.START), running=False))
            case Kind.RELOAD if task.running:
                if after.active == "active":
                    self._finish(name, "done" if after.reloaded == "success" else "failed")
                elif gone:
                    self._finish(name, fine)
                return after.active in _HERE
        return True

    def _take_along(self, name: str) -> None:
        """A service goes that nobody stopped: those that are bound to it go too."""
        for other in sorted(self.graph.of_whom(Relation.BINDS_TO, name)):
            if self.life_of(other).active in _HERE:
                self.request(Job(other, Kind.STOP))

    def _wake(self, name: str) -> None:
        """Whoever is there for the case that it fails (OnFailure=)."""
        wakes = sorted(self.graph.whom(Relation.ON_FAILURE, name))
        lately = [at for at in self.manager.woken.get(name, ()) if self.now - at < _WAKES_WITHIN]
        if wakes and len(lately) >= _MOST_WAKES:
            # Who is woken needs somebody that fails at once, which makes this one fail, which wakes it.
            self._say(name, "OnFailure= is not triggered: it has failed too often.", 4)
            return
        self.manager = replace(
            self.manager, woken={**self.manager.woken, name: (*lately, self.now)}
        )
        woken = []
        for other in wakes:
            if self._is_at_its_limit(other):
                # It could fail at once, take along whoever needs it, and be woken by that for ever.
                self._say(name, f"OnFailure= is not triggered: {other} was started too often.", 4)
            else:
                woken.append(other)
        if woken:
            self._say(name, "Triggering OnFailure= dependencies.")
        for other in woken:
            self.request(Job(other, Kind.START))
