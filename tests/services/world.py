"""A world without processes: scripted services in simulated time, for the pure core.

It interprets what `act NAME OP...` does (the scripted service of the recorded facts), so that the manager can be held
against what real systemd did, a fact in a few milliseconds. What only a real process can show (descriptors, users,
directories) is not here.
"""

from __future__ import annotations

import heapq
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from forklab.services import life
from forklab.services.folder import Folders, full_name
from forklab.services.graph import Graph, Job, Kind
from forklab.services.manager import (
    Check,
    Checked,
    Deed,
    Finished,
    Happened,
    Manager,
    Request,
    step,
)
from forklab.services.unit import Command, Condition
from forklab.services.words import expand

_ANNOUNCED = (
    "Starting",
    "Started",
    "Finished",
    "Stopping",
    "Stopped",
    "Reached",
    "Reloading",
    "Reloaded",
)
MOMENT = 0.001  # what a fork and an exec take


@dataclass
class Process:
    world: World
    unit: str
    role: str  # main, control, or "" for a child
    name: str
    ops: list[str]
    handlers: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    parent: Process | None = None
    alive: bool = True
    stopped: bool = False
    held: list[str] = field(default_factory=list)
    sleeping_until: float = 0.0
    generation: int = 0
    waits_for: Process | None = None

    def say(self, text: str) -> None:
        self.world.log.append(f"{self.name} {text}")

    def later(self, seconds: float) -> None:
        self.generation += 1
        generation = self.generation
        self.sleeping_until = self.world.now + seconds
        self.world.at(self.sleeping_until, lambda: self.go_on(generation))

    def go_on(self, generation: int) -> None:
        if self.alive and not self.stopped and generation == self.generation:
            self.run()

    def run(self) -> None:
        while self.alive and self.ops:
            op, _, argument = self.ops.pop(0).partition(":")
            match op:
                case "say":
                    self.say(argument)
                case "out" | "err" | "}" | "session" | "id" | "cwd" | "sigs" | "fds":
                    pass
                case "sleep":
                    self.later(int(argument) / 1000)
                    return
                case "exit":
                    self.say(f"exit {argument}")
                    self.end(int(argument) << 8)
                case "die":
                    self.say(f"die {argument}")
                    self.end(int(getattr(signal, "SIG" + argument)))
                case "ignore" | "catch" | "slow" | "note":
                    self.handlers[argument] = op
                case "hang":
                    self.ops = []
                    self.generation += 1
                    return
                case "{":
                    ops = self._block()
                    self.world.spawn(self.unit, "", ops.pop(0), ops, self)
                case "once":
                    if argument in self.world.files:
                        self._block()
                    else:
                        self.world.files[argument] = ""
                case "daemon":
                    daemon = self.world.spawn(self.unit, "", self.name, self.ops, None, MOMENT / 2)
                    daemon.handlers = dict(self.handlers)
                    self.ops = [f"sleep:{argument or 0}", "silent:0"]
                case "silent":
                    self.end(int(argument) << 8)
                case "pidfile":
                    self.world.files[argument] = str(id(self))
                    self.world.pid_file_written(self)
                case "notify" | "notifypid":
                    said = f"MAINPID={id(self)}" if op == "notifypid" else argument
                    self.world.notified(self, dict([said.split("=", 1)]))
                case "env":
                    self.say(f"{argument}={self.environment.get(argument, '(unset)')}")
                case "rest":
                    for number, each in enumerate(self.ops):
                        self.say(f"arg{number}=[{each}]")
                    self.ops = []
                case _:
                    raise AssertionError(f"what is {op}?")
        if self.alive:
            self.end(0)

    def _block(self) -> list[str]:
        depth, block = 1, []
        while self.ops:
            op = self.ops.pop(0)
            depth += (op == "{" or op.startswith("once:")) - (op == "}")
            if not depth:
                break
            block.append(op)
        return block

    def gets(self, number: int) -> None:
        name = signal.Signals(number).name.removeprefix("SIG")
        if not self.alive:
            return
        if name == "KILL":
            self.end(9)
        elif name == "STOP":
            self.stopped = True
        elif name == "CONT" and self.stopped:
            self.stopped = False
            if "CONT" in self.handlers:
                self._handle("CONT")
            held, self.held = self.held, []
            for each in held:
                self.gets(int(getattr(signal, "SIG" + each)))
        elif self.stopped:
            self.held.append(name)
        else:
            self._handle(name)

    def _handle(self, name: str) -> None:
        match self.handlers.get(name):
            case "ignore":
                pass
            case "note":
                self.say(f"got {name}")
            case "catch":
                self.say(f"got {name}")
                self.end(0)
            case "slow":
                self.say(f"got {name}")
                self.ops = ["say:done", "silent:0"]
                self.later(0.3)
            case None if name not in ("CONT", "CHLD", "WINCH"):
                self.end(int(getattr(signal, "SIG" + name)))

    def end(self, status: int) -> None:
        self.alive = False
        self.world.ended(self, status)


@dataclass
class World:
    folder: Path
    now: float = 0.0
    log: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)
    numbers: int = 0

    def __post_init__(self) -> None:
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._timers: dict[str, int] = {}
        self._count = 0
        self._mains: dict[str, Process] = {}
        self._queue: list[object] = []
        units, self.problems = Folders([self.folder]).everything()
        self.manager = Manager.of(units)

    # Time

    def at(self, when: float, deed: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, deed))

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self._next()
        self.now = end

    def _next(self) -> None:
        self.now, _, deed = heapq.heappop(self._events)
        deed()

    # Requests

    def request(self, kind: Kind, *names: str, block: bool = True) -> int:
        """The exit status of systemctl."""
        numbers = []
        worst = 0
        for name in map(full_name, names):
            unit = self.manager.graph.units.get(name)
            if unit is None:
                unit, _ = Folders([self.folder]).read(name)
                if unit.load.value == "loaded":
                    units, _ = Folders([self.folder]).load([name])
                    self.manager = replace(
                        self.manager, graph=Graph.of({**self.manager.graph.units, **units})
                    )
                else:
                    worst = 5
                    continue
            self.numbers += 1
            numbers.append(self.numbers)
            self.event(Request(self.numbers, Job(name, kind)))
        if not block:
            return max([worst, *(1 for number in numbers if self.answers.get(number) == "refused")])
        end = self.now + 200
        while (
            any(number not in self.answers for number in numbers)
            and self._events
            and self.now < end
        ):
            self._next()
        results = [self.answers.get(number, "timeout") for number in numbers]
        return max(
            [
                worst,
                *(
                    0
                    if result in ("done", "already", "skipped")
                    else 5
                    if result == "missing"
                    else 1
                    for result in results
                ),
            ]
        )

    def event(self, event: object) -> None:
        self.manager, deeds = step(self.manager, event, self.now)  # type: ignore[arg-type]
        for deed in deeds:
            self._do(deed)

    def _do(self, deed: Deed) -> None:
        name = deed.unit
        match deed.effect:
            case life.Run() as run:
                self._run(name, run)
            case life.Kill(number, everybody):
                for process in list(self.processes):
                    if process.unit == name and process.alive and (everybody or process.role):
                        self.at(self.now + MOMENT / 10, lambda p=process, n=number: p.gets(n))
                if everybody:
                    self.at(self.now + MOMENT / 10, lambda: self._empty(name))
            case life.FindMain():
                self.at(self.now, lambda: self._find_main(name))
            case life.Timer(at):
                self._timers[name] = self._timers.get(name, 0) + 1
                mine = self._timers[name]
                if at < inf:
                    self.at(at, lambda: self._ring(name, mine))
            case life.Say(text):
                own = text.split()[0] in _ANNOUNCED or text.startswith(
                    ("Dependency failed", "Failed to start", "Reload failed")
                )
                self.said.append(text if own else f"{name}: {text}")
            case Check():
                self.event(self._check(name))
            case Finished(number, result):
                self.answers[number] = result

    def _ring(self, name: str, mine: int) -> None:
        if self._timers[name] == mine:
            self.event(Happened(name, life.TimeOver()))

    def _check(self, name: str) -> Checked:
        def met(condition: Condition) -> bool:
            return Path(condition.path).exists() != condition.negated

        conditions = self.manager.graph.units[name].conditions
        for each in (each for each in conditions if not each.triggering):
            if not met(each):
                return Checked(name, f"{each.test}={each.path}", each.asserted)
        triggering = [each for each in conditions if each.triggering]
        if triggering and not any(met(each) for each in triggering):
            return Checked(
                name, f"{triggering[0].test}={triggering[0].path}", triggering[0].asserted
            )
        return Checked(name)

    # Processes

    def _run(self, name: str, run: life.Run) -> None:
        command: Command = run.command
        service = self.manager.graph.units[name].service
        environment = dict(each.split("=", 1) for each in service.environment)
        each = self.manager.life(name)
        arguments = list(command.arguments)
        if not command.verbatim:
            arguments = expand(arguments, environment)
        process = Process(
            self, name, run.role, arguments[1] if len(arguments) > 1 else "", arguments[2:]
        )
        if run.key == "ExecStopPost":
            environment["SERVICE_RESULT"] = each.result
        process.environment = environment
        self.processes.append(process)
        if run.role == "main":
            self._mains[name] = process
        if command.path.endswith("/act"):
            self.at(
                self.now + MOMENT,
                lambda: (self.event(Happened(name, life.Executed())), process.run()),
            )
        elif command.path == "/bin/kill":
            self.at(self.now + MOMENT, lambda: self._kill_by_command(name, process))
        else:
            known = command.path.startswith("/bin") or command.path in ("/usr/bin/env", "sleep")
            self.at(self.now + MOMENT, lambda: process.end(0 if known else 203 << 8))

    def _kill_by_command(self, name: str, process: Process) -> None:
        self._mains[name].gets(signal.SIGHUP)
        process.end(0)

    def spawn(
        self,
        unit: str,
        role: str,
        name: str,
        ops: list[str],
        parent: Process | None,
        after: float = MOMENT,
    ) -> Process:
        process = Process(self, unit, role, name, ops, parent=parent)
        self.processes.append(process)
        self.at(self.now + after, process.run)
        return process

    def ended(self, process: Process, status: int) -> None:
        self.processes.remove(process)
        for child in self.processes:
            if child.parent is process:
                child.parent = None
        if process.role:
            self.event(Happened(process.unit, life.Ended(process.role, status)))
        self._empty(process.unit)

    def _empty(self, unit: str) -> None:
        if not any(process.unit == unit for process in self.processes):
            self.event(Happened(unit, life.Emptied()))

    def _find_main(self, name: str) -> None:
        service = self.manager.graph.units[name].service
        mine = [process for process in self.processes if process.unit == name and not process.role]
        if service.pid_file:
            mine = [
                process for process in mine if str(id(process)) == self.files.get(service.pid_file)
            ]
        if mine:
            mine[0].role = "main"
            self._mains[name] = mine[0]
        self.event(Happened(name, life.MainFound(bool(mine))))

    def pid_file_written(self, process: Process) -> None:
        each = self.manager.life(process.unit)
        if each.state == "start" and not each.control:
            self._find_main(process.unit)

    def notified(self, process: Process, said: dict[str, str]) -> None:
        service = self.manager.graph.units[process.unit].service
        if service.notify_access == "all" or (
            service.notify_access == "main" and process.role == "main"
        ):
            if "MAINPID" in said:
                self._mains[process.unit].role = ""
                process.role = "main"
                self._mains[process.unit] = process
            self.event(Happened(process.unit, life.Notified(said)))

    def show(self, name: str) -> str:
        """As the records have it: load/active/sub/result/restarts."""
        unit = self.manager.graph.units.get(name)
        each = self.manager.life(name)
        load = unit.load if unit else "not-found"
        if name.endswith(".target"):
            return f"{load}/{each.active}/{'active' if each.active == 'active' else 'dead'}/-/-"
        return f"{load}/{each.active}/{each.state}/{each.result}/{each.restarts}"
