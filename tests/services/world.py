"""A world without processes: scripted services in simulated time, for the pure core.

It does what the manager wants done and tells it what happens, as the edge does with real processes, a fact in a few
milliseconds. What only a real process can show (descriptors, users, sessions) is not here. Unit files, conditions,
environment files and links are real ones, below a folder of its own.
"""

from __future__ import annotations

import grp
import heapq
import os
import pwd
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from actors import MOMENT, Actor, Unplayable, number_of

from forklab.services import life
from forklab.services.conditions import unmet
from forklab.services.environment import environment_of, resolve, told
from forklab.services.folder import Folders, full_name
from forklab.services.graph import Job, Kind
from forklab.services.manager import (
    Check,
    Checked,
    Deed,
    Event,
    Finished,
    GoOn,
    Happened,
    Manager,
    Request,
    Reread,
    step,
)
from forklab.services.memory import asked_for
from forklab.services.unit import Load, Service, Unit
from forklab.services.words import expand

GOOD = ("done", "already", "skipped")
_PATIENCE = 200.0  # seconds that a request is waited for
# What starts a line that is about a unit and has no "UNIT: " before it.
_ANNOUNCED = re.compile(
    r"(Starting|Started|Finished|Stopping|Stopped|Reached|Reloading|Reloaded|Failed to start|Dependency failed"
    r"|Assertion failed|Reload failed)\b|\S+ (- .* )?was skipped"
)


@dataclass
class World:
    """`folder` has the unit files, or, with `places`, several such folders below it."""

    folder: Path
    places: tuple[str, ...] = ("",)
    now: float = 0.0
    log: list[tuple[float, str]] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)
    numbers: int = 0

    def __post_init__(self) -> None:
        self._events: deque[Event] = deque()
        self._plans: list[tuple[float, int, Callable[[], object]]] = []
        self._timers: dict[str, int] = {}
        self._mains: dict[str, Actor] = {}
        self._zombies: list[tuple[Actor, int]] = []
        self._count = 0
        self._pids = 999
        self.folders = Folders([self.folder / place for place in self.places])
        units, self.problems = self.folders.everything()
        self.manager = Manager.of(units)

    # Time

    def at(self, when: float, act: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._plans, (when, self._count, act))

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self._plans and self._plans[0][0] <= end:
            self._next()
        self.now = end

    def _next(self) -> None:
        self.now, _, act = heapq.heappop(self._plans)
        act()

    # Requests

    def unit(self, name: str) -> Unit:
        """The unit as it is known; its files are read where they have to be."""
        self.manager, problems = asked_for(self.manager, self.folders, [name])
        self.problems += problems
        return self.manager.graph.units.get(name, Unit(name, Load.NOT_FOUND))

    def reload(self) -> None:
        units, self.problems = self.folders.everything()
        self.manager = self.manager.with_units(units)
        self.event(Reread())

    def request(self, kind: Kind, name: str) -> int:
        """The number of a request; `answers` has its answer in the end."""
        self.unit(name)
        self.numbers += 1
        self.event(Request(self.numbers, Job(name, kind)))
        return self.numbers

    def wait_for(self, numbers: list[int]) -> list[str]:
        end = self.now + _PATIENCE
        while any(number not in self.answers for number in numbers) and self._plans:
            self._next()
            if self.now > end:
                break
        return [self.answers.get(number, "timeout") for number in numbers]

    def start(self, name: str) -> str:
        return self.wait_for([self.request(Kind.START, full_name(name))])[0]

    def event(self, event: Event) -> None:
        """What a deed brings about comes after all deeds of the same step."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            self._take(self._events[0])
            self._events.popleft()

    def _take(self, event: Event) -> None:
        before = self.manager
        self.manager, deeds = step(before, event, self.now)
        self.stepped(before, deeds)
        for deed in deeds:
            self._do(deed)

    def stepped(self, before: Manager, deeds: tuple[Deed, ...]) -> None:
        """For who watches."""

    def happens(self, name: str, event: life.Event) -> None:
        self.event(Happened(name, event))

    def _do(self, deed: Deed) -> None:
        name = deed.unit
        match deed.effect:
            case life.Run() as run:
                self._run(name, run)
            case life.Kill(number, everybody):
                self.signal(number, [a for a in self._of(name) if everybody or a.role])
                if everybody:
                    self.at(self.now + MOMENT / 10, lambda: self._look_whether_empty(name))
            case life.KillControl():
                self.signal(number_of("KILL"), [a for a in self._of(name) if a.role == "control"])
            case life.FindMain():
                self.at(self.now, lambda: self._find_main(name))
            case life.RemovePidFile():
                self._pid_file(name).unlink(missing_ok=True)
            case life.Timer(at):
                mine = self._timers[name] = self._timers.get(name, 0) + 1
                if at < inf:
                    self.at(at, lambda: self._rings(name, mine))
            case life.Say(text):
                self.said.append((name, text if _ANNOUNCED.match(text) else f"{name}: {text}"))
            case Check():
                failed = unmet(self.manager.graph.units[name].conditions)
                self.event(Checked(name, str(failed or ""), bool(failed and failed.asserted)))
            case GoOn() as event:
                self._take(event)
            case Finished(number, result, _):
                self.answers[number] = result

    def _rings(self, name: str, mine: int) -> None:
        if self._timers[name] == mine:
            self.happens(name, life.TimeOver())

    def signal(self, number: int, actors: list[Actor]) -> None:
        for actor in actors:
            self.at(self.now + MOMENT / 10, lambda a=actor: a.gets(number))  # type: ignore[misc]

    # Processes

    def _service(self, name: str) -> Service:
        service = self.manager.graph.units[name].service
        assert service
        return service

    def _of(self, name: str) -> list[Actor]:
        return [actor for actor in self.actors if actor.unit == name]

    def main_pid(self, name: str) -> int:
        main = self._mains.get(name)
        return main.pid if main and main.alive else 0

    def _run(self, name: str, run: life.Run) -> None:
        service, command = self._service(name), run.command
        if ":" in service.stdout + service.stderr:
            raise Unplayable("what is written to files")
        try:
            environment = environment_of(service)
        except OSError:
            self.happens(name, life.NotStarted(run.role))
            return
        except KeyError:
            environment = {}
        environment |= told(
            service, self.manager.life(name), run, self.main_pid(name), "/run/systemd/notify"
        )
        arguments = list(command.arguments)
        if not command.verbatim:
            arguments = [arguments[0], *expand(arguments[1:], environment)]
        for actor in self._of(name):  # whoever had the name until now
            if actor.role == run.role:
                actor.role = ""
        actor = Actor(
            self,
            name,
            run.role,
            " ".join([command.path, *arguments[1:]]),
            arguments[1] if len(arguments) > 1 else "",
            arguments[2:],
            environment,
        )
        if run.role == "main":
            self._mains[name] = actor
        self.spawn(actor)
        failure = _why_not(service, command.path)
        self.at(self.now + MOMENT, lambda: self._executes(actor, command.path, failure))

    def _executes(self, actor: Actor, path: str, failure: int) -> None:
        if not actor.alive:
            return
        if failure:
            actor.end(failure << 8)
            return
        if actor.role == "main":
            self.happens(actor.unit, life.Executed())
        program = Path(path).name
        if program == "act":
            actor.run()
        elif program == "kill":  # -HUP $MAINPID
            option, pid = actor.name, actor.ops[0]
            self.signal(number_of(option[1:]), [a for a in self.actors if str(a.pid) == pid])
            self.at(self.now + MOMENT, lambda: actor.end(0))
        elif program == "sleep":
            self.at(self.now + float(actor.name), lambda: actor.end(0))
        elif program in ("true", "echo"):
            actor.end(0)
        else:
            raise Unplayable(f"the program {program}")

    def spawn(self, actor: Actor, after: float = MOMENT) -> None:
        self._pids += 1
        actor.pid = self._pids
        self.actors.append(actor)
        if not actor.role:
            self.at(self.now + after, actor.run)

    def ended(self, actor: Actor, status: int) -> None:
        self.actors.remove(actor)
        for other in self.actors:
            if other.parent is actor:
                other.parent = None
        unread = [child for child in self._zombies if child[0].parent is actor]
        self._zombies = [child for child in self._zombies if child not in unread]
        for child, its_status in unread:
            child.parent = None
            self._told(child, its_status)
        if actor.parent in self.actors:
            self._zombies.append(
                (actor, status)
            )  # its parent never asks: it is told of when that has gone
        else:
            self._told(actor, status)

    def _told(self, actor: Actor, status: int) -> None:
        if actor.role and not (actor.role == "main" and self._has_moved(actor)):
            self.happens(actor.unit, life.Ended(actor.role, status))
        self._look_whether_empty(actor.unit)

    def _look_whether_empty(self, name: str) -> None:
        if not self._of(name):
            self.happens(name, life.Emptied())

    def _find_main(self, name: str) -> None:
        """By its pid file; or the only one that has no parent any more."""
        service = self._service(name)
        if service.pid_file:
            found = self._by_pid_file(name)
        else:
            found = [a for a in self._of(name) if not a.role and a.parent is None]
        if len(found) == 1:
            found[0].role = "main"
            self._mains[name] = found[0]
        self.happens(name, life.MainFound(len(found) == 1))

    def _has_moved(self, actor: Actor) -> bool:
        """Its pid file names another one by now."""
        found = self._by_pid_file(actor.unit) if self._service(actor.unit).pid_file else []
        for other in found:
            other.role = "main"
            self._mains[actor.unit] = other
        return bool(found)

    def _pid_file(self, name: str) -> Path:
        path = Path(self._service(name).pid_file)
        return path if path.is_relative_to(self.folder) else Path(f"{self.folder}{path}")

    def _by_pid_file(self, name: str) -> list[Actor]:
        try:
            pid = int(self._pid_file(name).read_text())
        except (OSError, ValueError):
            return []
        return [a for a in self._of(name) if a.pid == pid]

    def pid_file_written(self, actor: Actor) -> None:
        each = self.manager.life(actor.unit)
        if each.state in ("start", "start-post") and not each.control and not each.main:
            self._find_main(actor.unit)

    def notified(self, actor: Actor, text: str) -> None:
        access = self._service(actor.unit).notify_access
        heard = {"all": True, "exec": actor.role, "main": actor.role == "main"}.get(access, False)
        if heard:
            said = dict(line.split("=", 1) for line in reversed(text.splitlines()) if "=" in line)
            if "MAINPID" in said:
                if old := self._mains.get(actor.unit):
                    old.role = ""
                self._mains[actor.unit] = actor
                actor.role = "main"
            self.happens(actor.unit, life.Notified(said))

    def write_down(self, line: str) -> None:
        self.log.append((self.now, line))

    def show(self, name: str) -> str:
        """As the records have it: load/active/sub/result/restarts."""
        name = self.folders.canonical(name)
        unit, each = self.unit(name), self.manager.life(name)
        if not name.endswith(".service"):
            sub = {"running": "active"}.get(each.state, each.state)
            return f"{unit.load}/{each.active}/{sub}/-/-"
        return f"{unit.load}/{each.active}/{each.state}/{each.result}/{each.restarts}"


def _why_not(service: Service, path: str) -> int:
    """The exit status of a process that cannot even get as far as its program."""
    try:
        if service.user:
            pwd.getpwnam(service.user)
    except KeyError:
        return 217
    try:
        if service.group:
            grp.getgrnam(service.group)
    except KeyError:
        return 216
    folder = service.working_directory
    if folder.startswith("/") and not Path(folder).is_dir():
        return 200
    try:
        return 0 if os.access(resolve(path), os.X_OK) else 203
    except OSError:
        return 203
