"""From the journal to a History: services are drawn as processes are, and to a table of who was in which state when.

What the manager knows is in it: itself, the keepers, and each main and control process. Whom those fork in their turn
only the lens sees. A daemon that put itself into the background was there before anybody looked for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from forklab.history import History, HistoryBuilder, Process
from forklab.kernel.signals import signal_name
from forklab.services.journal import Record

MANAGER = "manager"


class Stay(NamedTuple):
    """A unit in one state, in seconds since the manager began; `end` None: it still is."""

    state: str  # active, activating ...
    start: float
    end: float | None


def since_last_start(records: Sequence[Record]) -> Sequence[Record]:
    """What a journal that is kept over several managers tells of the last one."""
    starts = [place for place, each in enumerate(records) if each.event.get("is") == "Manager"]
    return records[starts[-1] :] if starts else records


def history(records: Sequence[Record]) -> History:
    """What happened to processes, as far as the manager knew."""
    ours = since_last_start(records)
    story = _Story(ours[0].time if ours else 0.0)
    for record in ours:
        story.take(record)
    return story.builder.history


def stays(records: Sequence[Record]) -> dict[str, list[Stay]]:
    """Of each unit that ever left its first state, how it stood, in order."""
    found: dict[str, list[Stay]] = {}
    ours = since_last_start(records)
    for record in ours:
        if record.event.get("is") == "State":
            before = found.setdefault(record.unit, [])
            at = record.time - ours[0].time
            state = str(record.event["active"])
            if before and before[-1].state == state:
                continue
            if before:
                before[-1] = before[-1]._replace(end=at)
            before.append(Stay(state, at, None))
    return found


_CYCLE: Final = re.compile(r"Ordering cycle: (.+)\. Job ([^ /]+)/\w+ deleted")


def cuts(records: Sequence[Record]) -> set[tuple[str, str]]:
    """Of each circle that had to be opened, the edge that was given up: who comes after whom no longer."""
    found = set()
    for record in since_last_start(records):
        if match := _CYCLE.search(record.text):
            circle = match[1].split(" after ")
            found |= {pair for pair in pairwise(circle) if pair[1] == match[2]}
    return found


@dataclass
class _Story:
    begin: float
    builder: HistoryBuilder = field(default_factory=HistoryBuilder)
    _names: dict[int, str] = field(default_factory=dict)  # of those who live, by their pids
    _parents: dict[str, str] = field(default_factory=dict)  # of the same
    _count: dict[str, int] = field(default_factory=dict)
    _keepers: dict[str, str] = field(default_factory=dict)  # by their units

    def take(self, record: Record) -> None:
        event, at = record.event, max(0.0, record.time - self.begin)
        unit = record.unit.removesuffix(".service")
        match event.get("is"):
            case "Manager":
                self._names[event["pid"]] = MANAGER
                self.builder.start(Process(MANAGER, event["pid"], None, reaper=True), at)
            case "Keeper":
                keeper = self._birth(f"{unit}'s keeper", event["pid"], MANAGER, at, reaper=True)
                self._keepers[record.unit] = keeper
            case "Started":
                main = event["role"] == "main" or event["key"] == "ExecStart"
                name = unit if main else f"{unit} {event['key']}"
                name = self._birth(name, event["pid"], self._keepers[record.unit], at)
                self.builder.add("exec", name, at, argv=tuple(event["arguments"]))
            case "Main" if event["pid"] not in self._names:
                name, keeper = self._unique(f"{unit} daemon"), self._keepers[record.unit]
                self._names[event["pid"]] = name
                self._parents[name] = keeper
                self.builder.start(Process(name, event["pid"], keeper), at)
            case "Kill" if record.unit in self._keepers:
                self._sends(record.unit, event["signal"], at)
            case "Reaped" if event["pid"] in self._names:
                self._end(event["pid"], event["status"], at)
            case None if record.pid in self._names and record.text:
                self.builder.add("output", self._names[record.pid], at, text=record.text + "\n")

    def _unique(self, name: str) -> str:
        self._count[name] = self._count.get(name, 0) + 1
        return name if self._count[name] == 1 else f"{name}#{self._count[name]}"

    def _birth(self, name: str, pid: int, parent: str, at: float, *, reaper: bool = False) -> str:
        name = self._unique(name)
        self._names[pid] = name
        self._parents[name] = parent
        self.builder.fork(Process(name, pid, parent, reaper), at)
        return name

    def _children(self, name: str) -> Iterable[str]:
        return [child for child, parent in self._parents.items() if parent == name]

    def _sends(self, unit: str, number: int, at: float) -> None:
        keeper = self._keepers[unit]
        for child in self._children(keeper):
            self.builder.add("sends", keeper, at, signal=signal_name(number), to=child)

    def _end(self, pid: int, status: int, at: float) -> None:
        name = self._names.pop(pid)
        parent = self._parents.pop(name)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            self.builder.add("killed", name, at, signal=signal_name(-code))
        else:
            self.builder.add("exit", name, at, status=code)
        for child in self._children(name):  # of a keeper that was killed
            self._parents[child] = parent
            self.builder.add("reparented", child, at, old=name, new=parent)
        self.builder.add("reaped", name, at, by=parent, status=code)
