"""Plays a fact on a manager, whichever it is, and records what came of it."""

from __future__ import annotations

import re
import shlex
import time
from dataclasses import dataclass
from typing import Protocol

from facts import Fact, Record


@dataclass(frozen=True)
class Answer:
    """Of a command."""

    status: int
    out: str
    err: str


class Manager(Protocol):
    """What can be asked of one."""

    def begin(self, files: dict[str, str]) -> None: ...
    def control(self, *arguments: str) -> Answer: ...
    def shell(self, command: str) -> Answer: ...
    def show(self, unit: str) -> str: ...
    def sleep(self, seconds: float) -> None: ...
    def log(self) -> list[str]: ...
    def journal(self) -> list[tuple[str, str]]: ...
    def end(self, units: list[str], files: dict[str, str]) -> None: ...


A_COMMAND = (
    0.05  # seconds that systemctl itself takes, at least; where facts were recorded it was more
)
# Steps of which also counts what they print. Others report what they have done, or print times and pids.
_ANSWERS = {
    "sh",
    "show",
    "cat",
    "is-active",
    "is-failed",
    "is-enabled",
    "list-dependencies",
    "list-units",
}


def play(fact: Fact, manager: Manager) -> Record:
    files = {**fact.units, **fact.files}
    manager.begin(files)
    began = time.monotonic()
    statuses, words, shows = [], [], []
    for step in fact.steps:
        verb, _, rest = step.partition(" ")
        if verb == "wait":
            manager.sleep(float(rest))
        elif verb == "show" and " -p " not in step:
            shows.append({unit: manager.show(unit) for unit in rest.split()})
        else:
            answer = manager.shell(rest) if verb == "sh" else manager.control(*shlex.split(step))
            statuses.append(answer.status)
            counts = fact.answers and verb in _ANSWERS
            words.append(_lasting(answer.out.strip()) if counts else "")
    end = {unit: manager.show(unit) for unit in fact.looked_at}
    lines = [line.split(" ", 1) for line in manager.log()]
    about = {*fact.looked_at, *(f"{name}.service" for name in fact.looked_at)}
    stems = {name.partition(".")[0].partition("@")[0] for name in about}
    said = [
        text.removeprefix(f"{unit}: ")
        for unit, text in manager.journal()
        if unit in about or unit.partition(".")[0].partition("@")[0] in stems
    ]
    manager.end(fact.looked_at, files)
    return Record(
        statuses,
        words,
        shows,
        end,
        [_lasting(text) for _, text in lines],
        [round((int(at) / 1000 - began) * 100) * 10 for at, _ in lines],
        [_lasting(text) for text in said],
    )


_PIDS = re.compile(r"(?<=PID=)\d+|(?<=PID )\d+|(?<=process )\d+")
_SOCKET = re.compile(r"(?<=NOTIFY_SOCKET=)/\S+")


def _lasting(text: str) -> str:
    """Without what differs from run to run, pids, and from manager to manager: where it listens to announcements."""
    return _SOCKET.sub("PATH", _PIDS.sub("N", text))
