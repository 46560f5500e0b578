"""The scripted service `act NAME OP...` of the recorded facts, as an actor in simulated time.

It does what tests/services/oracle/act.c does for real, as far as that can be seen without a kernel: descriptors, users
and sessions are not here (`Unplayable`).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

MOMENT = 0.001  # what a fork and an exec take, in seconds
_UNASKED = ("CONT", "CHLD", "WINCH")  # harmless by default (signal(7))


class Unplayable(Exception):  # noqa: N818 - it is no error: the fact asks for a kernel
    """What only a real process can do or see."""


class Stage(Protocol):
    """Where actors live."""

    now: float

    def at(self, when: float, act: object) -> None: ...
    def write_down(self, line: str) -> None: ...
    def spawn(self, actor: Actor, after: float = MOMENT) -> None: ...
    def ended(self, actor: Actor, status: int) -> None: ...
    def pid_file_written(self, actor: Actor) -> None: ...
    def notified(self, actor: Actor, text: str) -> None: ...


@dataclass(eq=False)
class Actor:
    """A process that does `ops`, one after another, and then exits 0."""

    stage: Stage
    unit: str
    role: str  # main, control, or "" for whoever they have forked
    command: str  # as `pgrep -f` sees it; a child's is its parent's
    name: str
    ops: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    parent: Actor | None = None
    handlers: dict[str, str] = field(default_factory=lambda: {"PIPE": "ignore"})
    pid: int = 0
    alive: bool = True
    stopped: bool = False
    held: list[str] = field(default_factory=list)
    turn: int = 0  # a wake-up that was planned before it is void

    def say(self, text: str) -> None:
        self.stage.write_down(f"{self.name} {text}".replace("\n", "|"))

    def child(self, name: str, ops: list[str], parent: Actor | None) -> Actor:
        return Actor(
            self.stage,
            self.unit,
            "",
            self.command,
            name,
            ops,
            self.environment,
            parent,
            dict(self.handlers),
        )

    def later(self, seconds: float) -> None:
        self.turn += 1
        turn = self.turn
        self.stage.at(self.stage.now + seconds, lambda: self._goes_on(turn))

    def _goes_on(self, turn: int) -> None:
        if self.alive and not self.stopped and turn == self.turn:
            self.run()

    def run(self) -> None:
        while self.alive and self.ops:
            op, _, argument = self.ops.pop(0).partition(":")
            if op == "sleep":
                self.later(int(argument) / 1000)
                return
            if op == "hang":
                self.ops = ["hang"]
                self.turn += 1
                return
            self._do(op, argument)
        if self.alive:
            self.end(0)

    def _do(self, op: str, argument: str) -> None:
        match op:
            case "say":
                self.say(argument)
            case "out" | "err" | "}" | "session":
                pass
            case "exit":
                self.say(f"exit {argument}")
                self.end(int(argument) << 8)
            case "die":
                self.say(f"die {argument}")
                self.end(number_of(argument))
            case "leave":
                self.end(0)
            case "ignore" | "catch" | "slow" | "note":
                self.handlers[argument] = op
            case "{":
                name, *ops = self._block()
                self.stage.spawn(self.child(name, ops, self))
            case "once":
                if Path(argument).exists():
                    list(self._block())
                else:
                    Path(argument).touch()
            case "touch":
                Path(argument).touch()
            case "daemon":
                self.stage.spawn(self.child(self.name, self.ops, None), MOMENT / 2)
                self.ops = [f"sleep:{argument or 0}", "leave"]
            case "pidfile":
                try:
                    Path(argument).write_text(f"{self.pid}\n")
                except OSError as error:
                    self.say(f"pidfile: {error.strerror}")
                    return
                self.stage.pid_file_written(self)
            case "notify" | "notifypid":
                if "NOTIFY_SOCKET" in self.environment:
                    self.stage.notified(self, argument if op == "notify" else f"MAINPID={self.pid}")
                else:
                    self.say("no NOTIFY_SOCKET")
            case "env":
                self.say(f"{argument}={self.environment.get(argument, '(unset)')}")
            case "rest":
                for number, each in enumerate(self.ops):
                    self.say(f"arg{number}=[{each}]")
                self.ops = []
            case _:
                raise Unplayable(f"the op {op}")

    def _block(self) -> Iterator[str]:
        """The ops up to the brace that closes the block, which are taken out."""
        depth = 1
        while self.ops:
            op = self.ops.pop(0)
            depth += (op == "{" or op.startswith("once:")) - (op == "}")
            if not depth:
                return
            yield op

    def gets(self, number: int) -> None:
        name = signal.Signals(number).name.removeprefix("SIG")
        if not self.alive:
            return
        if name == "KILL":
            self.end(number)
        elif name == "STOP":
            self.stopped = True
        elif self.stopped and name != "CONT":
            self.held.append(name)
        else:
            woken, self.stopped = self.stopped, False
            self._handle(name)
            held, self.held = self.held, []
            for each in held:
                self.gets(number_of(each))
            if woken and self.alive:
                self.later(0)

    def _handle(self, name: str) -> None:
        handler = self.handlers.get(name)
        if handler in ("note", "catch", "slow"):
            self.say(f"got {name}")
        if handler == "catch":
            self.end(0)
        elif handler == "slow":
            self.ops = ["say:done", "leave"]
            self.later(0.3)
        elif handler is None and name not in _UNASKED:
            self.end(number_of(name))

    def end(self, status: int) -> None:
        if self.alive:
            self.alive = False
            self.stage.ended(self, status)


def number_of(name: str) -> int:
    return int(signal.Signals[f"SIG{name.removeprefix('SIG')}"])
