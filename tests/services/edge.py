"""The manager's edge in every order: the real rule, hands, loop and wards, above a kernel and keepers that are played.

Whatever the edge can see of the world it asks for in a few places: which descriptors have something, the next report of
a keeper, the next announcement, who has died. Before each of these the world may go on as far as it likes; in between
nobody can tell. So a schedule is the list of what happened there, and all of them are gone through: a run follows one
of them, from the beginning, until it comes where another one has been. Keepers report what keeper.c was proved to
report, in its order (test_every_schedule.py). Time passes where nothing else can happen, and where a service is about
to come back.
"""

from __future__ import annotations

import os
import selectors
import signal
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forklab.services import hands, loop, run, wards
from forklab.services.folder import Folders
from forklab.services.graph import DOWN, Job, Kind
from forklab.services.journal import Record
from forklab.services.manager import Request

_ANNOUNCEMENTS = {"ready": b"READY=1", "status": b"STATUS=busy"}
_SOON = 1.0  # seconds: an alarm that may ring while others still do something


class RestError(Exception):
    """Nothing can happen any more."""


class KnownError(Exception):
    """Another run has been in this state."""


@dataclass(eq=False)
class Channel:
    """One end of something; what has come is to be read."""

    number: int
    service: str = ""
    come: deque[Any] = field(default_factory=deque)
    closed: bool = False  # at our end
    gone: bool = False  # the other end

    def fileno(self) -> int:
        return self.number

    def close(self) -> None:
        self.closed = True

    def bind(self, address: str) -> None: ...
    def setblocking(self, flag: bool) -> None: ...

    def recv(self, size: int) -> bytes:
        """Of signals."""
        came = bytes(self.come)
        self.come.clear()
        return came


@dataclass(eq=False)
class Process:
    pid: int
    role: str
    script: deque[str]
    executed: bool = False
    doomed: int = 0
    status: int | None = None  # it has ended, and is to be reaped

    def get(self, number: int) -> None:
        deaf = self.executed and self.script[0] == "deaf"
        if number == signal.SIGKILL or not (deaf or self.doomed):
            self.doomed = number


@dataclass(eq=False)
class Below:
    """A keeper and its service."""

    pid: int
    service: str
    channel: Channel
    orders: deque[tuple[str, ...]] = field(default_factory=deque)
    processes: list[Process] = field(default_factory=list)
    runs: int = 0

    def actions(self, world: World) -> Iterator[Callable[[], None]]:
        if world.may_kill and not self.channel.gone:
            yield lambda: self._is_killed(world)
        if self.orders and not self.channel.gone:
            yield lambda: self._obey(world)
        for each in self.processes:
            if each.status is not None:
                yield lambda each=each: self._reap(each, world)  # type: ignore[misc]
            elif not each.executed or each.doomed or each.script[0] not in ("wait", "deaf"):
                yield lambda each=each: self._go_on(each, world)  # type: ignore[misc]
        if self.channel.closed and not self.channel.gone and not self.orders and not self.processes:
            yield lambda: self._ends(world)

    def _ends(self, world: World) -> None:
        self.channel.gone = True
        world.died(self.pid, 0)

    def _is_killed(self, world: World) -> None:
        """By somebody else: what it has told is told, and its children are the manager's."""
        world.may_kill = False
        self.channel.gone = True
        world.died(self.pid, signal.SIGKILL)

    def _report(self, *words: str) -> None:
        if not self.channel.gone:
            self.channel.come.append(list(words))

    def _obey(self, world: World) -> None:
        order = self.orders.popleft()
        if order[0] == "run":
            pid = world.next_pid()
            script = deque(world.scripts[self.service].pop(0).split())
            self.processes.append(Process(pid, order[1], script))
            self.runs += 1
            self._report("started", order[1], str(pid))
        elif order[0] == "kill" and int(order[1]) != signal.SIGCONT:
            for each in self.processes:
                each.get(int(order[1]))

    def _go_on(self, process: Process, world: World) -> None:
        if not process.executed:
            process.executed = True
            self._report("executed", process.role)
        elif process.doomed:
            process.status = process.doomed
        elif (word := process.script[0]) in _ANNOUNCEMENTS:
            process.script.popleft()
            announced = (_ANNOUNCEMENTS[word], process.pid, os.getuid())
            world.ears[self.service].come.append(announced)
        else:
            process.status = int(process.script[0].removeprefix("exit=")) << 8

    def _reap(self, process: Process, world: World) -> None:
        self.processes.remove(process)
        if self.channel.gone:
            world.died(process.pid, process.status or 0)
            return
        self._report("ended", process.role, str(process.status))
        if not self.processes:
            self._report("empty", str(self.runs))

    def key(self) -> Hashable:
        people = tuple(
            (p.pid, p.role, tuple(p.script), p.executed, p.doomed, p.status) for p in self.processes
        )
        ends = (self.channel.closed, self.channel.gone)
        return self.service, tuple(self.orders), people, self.runs, ends


class World:
    """One run. `prefix`: what is chosen at its first choices; `told`: what the manager has said."""

    def __init__(
        self, scripts: dict[str, list[str]], prefix: list[int], known: set[Hashable], may: str
    ) -> None:
        self.scripts = {name: list(each) for name, each in scripts.items()}
        self.taken: list[tuple[int, int]] = []  # what was chosen, of how many
        self.told: list[str] = []
        self.now = 0.0
        self.keepers: list[Below] = []
        self.ears: dict[str, Channel] = {}
        self.dead: list[tuple[int, int]] = []  # children that are to be reaped
        self.may_kill = may == "kill"
        self.rule: Any = None
        self.signals = Channel(3)
        self._prefix = prefix
        self._known = known
        self._may_leave = may == "leave"
        self._numbers = 10
        self._keys: dict[int, selectors.SelectorKey] = {}

    def next_pid(self) -> int:
        self._numbers += 1
        return self._numbers

    def died(self, pid: int, status: int) -> None:
        """A child of the manager."""
        self.dead.append((pid, status))
        self.signals.come.append(int(signal.SIGCHLD))

    def hear(self, record: Record) -> None:
        self.told.append(f"{record.unit}: {record.text}")

    def orphans(self) -> list[Process]:
        return [each for keeper in self.keepers if keeper.channel.gone for each in keeper.processes]

    def children(self, pid: int) -> list[int]:
        here = [keeper.pid for keeper in self.keepers if not keeper.channel.gone]
        dead = [each for each, _ in self.dead]
        return [*here, *dead, *(each.pid for each in self.orphans())] if pid == 1 else []

    def kill(self, pid: int, number: int) -> None:
        for each in self.orphans():
            if each.pid == pid:
                each.get(number)

    # Choices

    def _choose(self, count: int) -> int:
        place = len(self.taken)
        chosen = self._prefix[place] if place < len(self._prefix) else 0
        self.taken.append((chosen, count))
        return chosen

    def happens_before(self, concerns: Callable[[Below], bool]) -> None:
        """Whatever of those whom it concerns may happen before somebody looks."""
        while actions := [a for k in filter(concerns, self.keepers) for a in k.actions(self)]:
            chosen = self._choose(len(actions) + 1)
            if chosen == 0:
                return
            actions[chosen - 1]()

    def _leave(self) -> None:
        self._may_leave = False
        self.signals.come.append(int(signal.SIGTERM))

    # The selector

    def register(self, of: Any, events: int, data: Any) -> None:
        self._keys[of.fileno()] = selectors.SelectorKey(of, of.fileno(), events, data)

    def unregister(self, of: Any) -> None:
        del self._keys[of.fileno()]

    def get_map(self) -> dict[int, selectors.SelectorKey]:
        return self._keys

    def close(self) -> None: ...

    def select(self, limit: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        while True:
            ready = [(k, 1) for k in self._keys.values() if k.fileobj.come or k.fileobj.gone]  # type: ignore[union-attr]
            acts = [action for keeper in self.keepers for action in keeper.actions(self)]
            acts += [self._leave] * self._may_leave
            rings = limit is not None and (limit <= _SOON or not (ready or acts))
            if rings:
                acts.append(lambda: None)
            if not ready and not acts:
                raise RestError
            if len(self.taken) >= len(self._prefix):
                if (key := self._key()) in self._known:
                    raise KnownError
                self._known.add(key)
            chosen = self._choose(len(acts) + bool(ready))
            if chosen == len(acts):
                return ready
            if rings and chosen == len(acts) - 1:
                assert limit is not None
                self.now += limit
                return ready
            acts[chosen]()

    def _key(self) -> Hashable:
        """All that what comes can depend on."""
        mine = self.rule._hands
        of_wards = tuple(
            (
                name,
                ward.keeper.pid,
                tuple(run.key for run, _ in ward._ordered),
                ward._held is None,
                ward._adopting,
                ward._main_end,
                tuple(sorted(ward.keeper.pids.items())),
                ward.keeper.runs,
                len(ward._answers),
            )
            for name, ward in sorted(mine._wards.items())
        )
        channels = tuple((n, repr(key.fileobj.come)) for n, key in sorted(self._keys.items()))  # type: ignore[union-attr]
        return (
            tuple(sorted(mine.manager.lives.items())).__repr__(),
            tuple((n, t.job, t.running, t.requests) for n, t in sorted(mine.manager.tasks.items())),
            (mine.manager.leaving, len(mine._to_do), tuple(mine._keepers.items())),
            (repr(mine._bereaved), repr(mine._ends), self.rule._control.leaving),
            tuple(sorted((key, at) for key, (at, _) in mine.loop._alarms.items())),
            (of_wards, channels, tuple(keeper.key() for keeper in self.keepers)),
            (
                tuple(self.dead),
                self._may_leave,
                self.may_kill,
                self.now,
                tuple(self.told),
                repr(self.scripts),
            ),
        )


class FakeKeeper:
    """As `keepers.Keeper`."""

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self.channel = Channel(world.next_pid(), service)
        self.pid = world.next_pid()
        self.pids: dict[str, int] = {}
        self.runs = 0
        self._below = Below(self.pid, service, self.channel)
        world.keepers.append(self._below)

    def tell(self, *fields: str, streams: object = ()) -> None:
        if self.channel.gone:
            raise BrokenPipeError(32, "Broken pipe")
        self._below.orders.append(fields)
        self.runs += fields[0] == "run"

    def report(self) -> list[str] | None:
        self._world.happens_before(lambda each: each is self._below)
        if self.channel.come:
            return self.channel.come.popleft()  # type: ignore[no-any-return]
        return None if self.channel.gone else []


class Quiet:
    """In the place of the journal."""

    def add(self, *records: Record) -> None: ...
    def flush(self) -> None: ...


class Nobody:
    """In the place of `Control`."""

    def __init__(self, its_hands: hands.Hands, folders: Folders, runtime: Path) -> None:
        self.leaving = False
        self._hands = its_hands

    def start(self, name: str) -> None:
        self._hands.happens(Request(0, Job(name, Kind.START)))


@dataclass
class Found:
    """`ends`: what the manager has told where all was over, or at rest; what was wrong there, and who was up."""

    ends: set[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=set)
    states: int = 0
    runs: int = 0


class Edge:
    """Plays the world to the real modules, as long as `patch` is in force."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self._world: World
        self._folder = folder
        clock = SimpleNamespace(monotonic=lambda: self._world.now, time=lambda: self._world.now)
        for module in (loop, hands, wards, run):
            patch.setattr(module, "time", clock)
        poll = {**vars(selectors), "DefaultSelector": lambda: self._world}
        patch.setattr(loop, "selectors", SimpleNamespace(**poll))
        patch.setattr(wards, "Keeper", SimpleNamespace(start=self._keeper))
        patch.setattr(wards, "_remove", lambda address: None)
        sockets = {"socket": lambda *kind: Channel(self._world.next_pid())}
        patch.setattr(wards, "socket", SimpleNamespace(**{**vars(wards.socket), **sockets}))
        streams = {
            "receive": self._receive,
            "accept_credentials": lambda ear: None,
            "streams": lambda service, hear: [],
        }
        patch.setattr(wards, "streams_of", SimpleNamespace(**{**vars(wards.streams_of), **streams}))
        system = {
            "waitpid": self._waitpid,
            "getpid": lambda: 1,
            "kill": lambda pid, number: self._world.kill(pid, number),
        }
        patch.setattr(hands, "os", SimpleNamespace(**{**vars(os), **system}))
        patch.setattr(hands, "children", lambda pid: self._world.children(pid))
        signals = {"signal": lambda *words: None, "set_wakeup_fd": lambda *words, **more: None}
        patch.setattr(run, "signal", SimpleNamespace(**{**vars(signal), **signals}))
        pair = {"socketpair": lambda: (self._world.signals, Channel(4))}
        patch.setattr(run, "socket", SimpleNamespace(**{**vars(run.socket), **pair}))
        patch.setattr(run, "Control", Nobody)
        init = wards.Ward.__init__

        def begin(ward: wards.Ward, name: str, *words: Any) -> None:
            self._hired = name
            init(ward, name, *words)
            self._world.ears[name] = ward._ear  # type: ignore[assignment]
            self._world.ears[name].service = name

        patch.setattr(wards.Ward, "__init__", begin)

    def _keeper(self, program: Path) -> FakeKeeper:
        return FakeKeeper(self._world, self._hired)

    def _receive(self, ear: Channel, most: int) -> tuple[bytes, int, int]:
        self._world.happens_before(lambda each: each.service == ear.service)
        if not ear.come:
            raise BlockingIOError
        return ear.come.popleft()  # type: ignore[no-any-return]

    def _waitpid(self, pid: int, flags: int) -> tuple[int, int]:
        self._world.happens_before(lambda each: each.channel.closed or each.channel.gone)
        return self._world.dead.pop(0) if self._world.dead else (0, 0)

    def explore(
        self, units: dict[str, str], wanted: list[str], scripts: dict[str, list[str]], may: str = ""
    ) -> Found:
        """`scripts`: what each process of a service does, one after the other. What `may` come once, at any moment:
        "leave" is SIGTERM for the manager, "kill" SIGKILL for a keeper.
        """
        for name, text in units.items():
            (self._folder / name).write_text(text)
        found, prefix, known = Found(), [], set[Hashable]()
        folders = Folders([self._folder])
        loaded = folders.ours()
        fixed = SimpleNamespace(ours=lambda: loaded, paths=folders.paths)
        while True:
            world = self._world = World(scripts, prefix, known, may)
            rule = run._Rule(
                fixed,  # type: ignore[arg-type]
                self._folder,
                Path("keeper"),
                Quiet(),  # type: ignore[arg-type]
                world.hear,
            )
            world.rule = rule
            found.runs += 1
            try:
                rule.rule(list(wanted))
                self._judge(found)
            except RestError:
                self._judge(found)
            except KnownError:
                pass
            while world.taken and world.taken[-1][0] + 1 == world.taken[-1][1]:
                world.taken.pop()
            if not world.taken:
                found.states = len(known)
                return found
            prefix = [chosen for chosen, _ in world.taken]
            prefix[-1] += 1

    def _judge(self, found: Found) -> None:
        """Whatever is so of the world has been told to the manager."""
        world, manager = self._world, self._world.rule._hands.manager
        left = [f"a child {pid} is not reaped" for pid, _ in world.dead]
        left += [f"{each.pid} is left to the manager" for each in world.orphans()]
        left += [f"{task.job} is not done" for task in manager.tasks.values()]
        for name, each in sorted(manager.lives.items()):
            alive = [p for k in world.keepers if k.service == name for p in k.processes]
            if each.main is not any(p.role == "main" for p in alive):
                left.append(f"{name}: a death is lost")
            if each.empty is bool(alive):
                left.append(f"{name}: that all have gone is lost")
            kept = any(k.service == name and not k.channel.gone for k in world.keepers)
            if kept and not alive and each.active in DOWN:
                left.append(f"{name}: its keeper is kept")
        left += [name for name, each in sorted(manager.lives.items()) if each.active == "active"]
        found.ends.add((tuple(world.told), tuple(left)))
