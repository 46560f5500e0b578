"""The hands of the manager: they do what it decides, and tell it what happens.

One loop over descriptors: the keepers (one for each service that has processes), what services write and what they
announce, and whoever else registers. The manager itself stays pure; here are the clock, the processes, and all that can
go wrong with them.
"""

from __future__ import annotations

import array
import grp
import os
import selectors
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Final

from forklab.services import life
from forklab.services.conditions import unmet
from forklab.services.environment import entry_of, environment_of, resolve
from forklab.services.journal import Journal, Record
from forklab.services.manager import Check, Checked, Deed, Event, Finished, Happened, Manager, step
from forklab.services.unit import Service
from forklab.services.words import expand

_LONGEST_LINE: Final = 48 * 1024  # longer ones come in pieces
_PID_FILE_SECONDS: Final = 0.05  # between two looks for a pid file
_LONGEST_MESSAGE: Final = 1 << 16
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid: unix(7)


@dataclass
class _Ward:
    """A service that has had processes, and its keeper."""

    keeper: subprocess.Popen[bytes]
    channel: socket.socket
    notify: socket.socket
    pids: dict[str, int] = field(default_factory=dict)
    runs: int = 0  # commands that it was told to run


class Hands:
    """Runs services. `finished(number, result)` hears how requests have ended; `selector` is for others, too."""

    def __init__(
        self,
        manager: Manager,
        journal: Journal,
        runtime: Path,
        keeper: Path,
    ) -> None:
        """`runtime`: a folder of ours, for sockets; `keeper`: the program."""
        self.manager = manager
        self.selector = selectors.DefaultSelector()
        self._journal = journal
        self._runtime = runtime
        self._keeper = keeper
        self.finished: Callable[[int, str], None] = lambda number, result: None
        self._changed: dict[
            str, tuple[str, float]
        ] = {}  # the last state of each unit, and when it came
        self._wards: dict[str, _Ward] = {}
        self._timers: dict[str, float] = {}
        self._looks: dict[str, float] = {}  # for pid files: when next

    # The loop

    def tend(self) -> None:
        """Waits for the next thing to happen, and sees to it."""
        self.selector_wait(min([*self._timers.values(), *self._looks.values()], default=inf))
        now = time.monotonic()
        for name in [name for name, at in self._timers.items() if at <= now]:
            del self._timers[name]
            self.happens(Happened(name, life.TimeOver()))
        for name in [name for name, at in self._looks.items() if at <= now]:
            self._find_main(name)

    def selector_wait(self, until: float) -> None:
        limit = None if until == inf else max(0.0, until - time.monotonic())
        ready = self.selector.select(limit)
        # What a service has announced counts before its end (they may have come together).
        for key, _ in sorted(ready, key=lambda each: each[0].data[0]):
            if key.fileobj in self.selector.get_map():
                key.data[1]()

    def listen(self, to: socket.socket, rank: int, act: Callable[[], None]) -> None:
        """`act` is called whenever something can be read; those of a lower rank come first."""
        self.selector.register(to, selectors.EVENT_READ, (rank, act))

    def happens(self, event: Event) -> None:
        self.manager, deeds = step(self.manager, event, time.monotonic())
        for name, each in self.manager.lives.items():
            if self._changed.get(name, ("", 0.0))[0] != each.state:
                self._changed[name] = (each.state, time.time())
        for deed in deeds:
            self._do(deed)

    def since(self, name: str) -> float:
        """When the unit came into its state, in seconds since the epoch; 0: it has never left the first one."""
        return self._changed.get(name, ("", 0.0))[1]

    def pids(self, name: str) -> dict[str, int]:
        """Of its main and control process, as far as they run; the keeper's, above all of them."""
        ward = self._wards.get(name)
        return {**ward.pids, "keeper": ward.keeper.pid} if ward else {}

    def keepers(self) -> set[int]:
        return {ward.keeper.pid for ward in self._wards.values()}

    def _do(self, deed: Deed) -> None:
        name = deed.unit
        match deed.effect:
            case life.Run():
                self._run(name, deed.effect)
            case life.Kill(number, everybody):
                if name in self._wards:
                    self._order(name, "kill", str(number), "everybody" if everybody else "named")
            case life.FindMain():
                self._find_main(name)
            case life.Timer(at):
                self._timers.pop(name, None)
                if at < inf:
                    self._timers[name] = at
            case life.Say(text, priority):
                self.say(name, text, priority)
            case Check():
                failed = unmet(self.manager.graph.units[name].conditions)
                words = f"{failed.test}={failed.path}" if failed else ""
                self.happens(Checked(name, words, bool(failed and failed.asserted)))
            case Finished(number, result):
                self.finished(number, result)

    def say(self, name: str, text: str, priority: int = 6, pid: int = 0) -> None:
        self._journal.write(Record(time.time(), name, text, pid, priority))

    # Commands

    def _run(self, name: str, run: life.Run) -> None:
        service = self.manager.graph.units[name].service
        assert service
        streams: list[int] = []
        try:
            self._timers_forget(name)
            ward = self._wards.get(name) or self._hire(name)
            environment = environment_of(service) | self._about(name, service, run)
            command = run.command
            arguments = [*command.arguments[:1]]
            rest = list(command.arguments[1:])
            arguments += rest if command.verbatim else expand(rest, environment)
            user = "" if command.as_root else service.user
            uid, gid, groups = _identity(user, service.group)
            path = resolve(command.path)
            streams = self._streams(name, service)
            order = [
                "run",
                run.role,
                _directory(service, user),
                uid,
                gid,
                groups,
                path,
                str(len(arguments)),
                *arguments,
                *(f"{key}={value}" for key, value in environment.items()),
            ]
            ward.runs += 1
            self._order(name, *order, streams=streams)
            ward.pids.pop(run.role, None)
        except (OSError, KeyError, ValueError) as error:
            self.say(name, f"Failed to run {run.key}= {run.command.path}: {error}", 3)
            self.happens(Happened(name, life.NotStarted(run.role)))
        finally:
            for stream in streams:
                os.close(stream)

    def _timers_forget(self, name: str) -> None:
        self._looks.pop(name, None)

    def _about(self, name: str, service: Service, run: life.Run) -> dict[str, str]:
        """What a command may want to know of the others."""
        found = {}
        ward = self._wards.get(name)
        if ward and run.role == "control" and "main" in ward.pids:
            found["MAINPID"] = str(ward.pids["main"])
        if service.notify_access != "none":
            found["NOTIFY_SOCKET"] = str(self._runtime / f"{name}.notify")
        if run.key in ("ExecStop", "ExecStopPost"):
            each = self.manager.life(name)
            found["SERVICE_RESULT"] = each.result
            if each.main_end is not None:
                code = os.waitstatus_to_exitcode(each.main_end)
                found["EXIT_CODE"] = "exited" if code >= 0 else "killed"
                found["EXIT_STATUS"] = (
                    str(code) if code >= 0 else signal.Signals(-code).name.removeprefix("SIG")
                )
        return found

    def _streams(self, name: str, service: Service) -> list[int]:
        """New descriptors for stdin, stdout and stderr."""
        streams = [os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)]
        for form, priority in ((service.stdout, 6), (service.stderr, 6)):
            kind, _, path = form.partition(":")
            if kind == "inherit" and len(streams) == 2:
                streams.append(os.dup(streams[1]))
            elif kind == "null":
                streams.append(os.dup(streams[0]))
            elif path:
                flags = {"append": os.O_APPEND, "truncate": os.O_TRUNC}.get(kind, 0)
                opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o644)
                streams.append(opened)
            else:
                ours, theirs = socket.socketpair()
                ours.setblocking(False)
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                lines = _Lines(lambda text, level, pid: self.say(name, text, level, pid), priority)
                self.listen(ours, 2, partial(self._hear, ours, lines))
                streams.append(theirs.detach())
        return streams

    def _hear(self, stream: socket.socket, lines: _Lines) -> None:
        try:
            text, control, _, _ = stream.recvmsg(
                _LONGEST_LINE, socket.CMSG_SPACE(_CREDENTIALS.size)
            )
        except BlockingIOError:
            return
        except OSError:
            text, control = b"", []
        if text:
            lines.take(text, _sender(control))
        else:
            lines.end()
            self.selector.unregister(stream)
            stream.close()

    # Keepers

    def _hire(self, name: str) -> _Ward:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        with theirs:
            keeper = subprocess.Popen(
                [self._keeper, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self._runtime / f"{name}.notify"
        path.unlink(missing_ok=True)
        notify.bind(str(path))
        path.chmod(0o666)
        notify.setblocking(False)
        notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ward = self._wards[name] = _Ward(keeper, ours, notify)
        self.listen(notify, 0, lambda: self._notified(name, ward))
        self.listen(ours, 1, lambda: self._reported(name, ward))
        return ward

    def _dismiss(self, name: str) -> None:
        ward = self._wards.pop(name)
        for each in (ward.notify, ward.channel):
            self.selector.unregister(each)
            each.close()
        (self._runtime / f"{name}.notify").unlink(missing_ok=True)
        ward.keeper.wait()

    def _order(self, name: str, *fields: str, streams: list[int] | None = None) -> None:
        rights = (
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))] if streams else []
        )
        order = "".join(f"{each}\0" for each in fields).encode(errors="surrogateescape")
        self._wards[name].channel.sendmsg([order], rights)

    def _reported(self, name: str, ward: _Ward) -> None:
        try:
            words = ward.channel.recv(_LONGEST_MESSAGE).decode().split()
        except OSError:
            words = []
        match words:
            case ["started", role, pid]:
                ward.pids[role] = int(pid)
            case ["executed", "main"]:
                self.happens(Happened(name, life.Executed()))
            case ["refused", role, "0", number]:
                self.say(name, f"Failed to fork: {os.strerror(int(number))}", 3)
                self.happens(Happened(name, life.NotStarted(role)))
            case ["refused", _, status, number]:
                self.say(
                    name, f"Failed at step {_STEPS[int(status)]}: {os.strerror(int(number))}", 3
                )
            case ["ended", role, status]:
                ward.pids.pop(role, None)
                self.happens(Happened(name, life.Ended(role, int(status))))
            case ["children", *pids]:
                self._guess_main(name, ward, [int(pid) for pid in pids])
            case ["empty", runs] if int(runs) == ward.runs:
                self.happens(Happened(name, life.Emptied()))
                if self.manager.life(name).active in ("inactive", "failed"):
                    self._dismiss(name)
            case []:
                self.say(
                    name, "The keeper of this service was killed; its processes are killed too.", 3
                )
                self._dismiss(name)

    # Main processes of daemons, and what they announce

    def _find_main(self, name: str) -> None:
        service = self.manager.graph.units[name].service
        self._looks.pop(name, None)
        if service and name in self._wards and self.manager.life(name).state == "start":
            self._order(name, "children")

    def _guess_main(self, name: str, ward: _Ward, pids: list[int]) -> None:
        """By its pid file, if it is one of ours; without a pid file the only one there is."""
        service = self.manager.graph.units[name].service
        assert service
        main = pids[0] if pids and not service.pid_file else 0
        if service.pid_file:
            try:
                path = Path("/run") / service.pid_file
                main = int(path.read_text().strip())
            except (OSError, ValueError):
                main = 0
            if main not in pids:
                main = 0
        if main:
            ward.pids["main"] = main
            self._order(name, "adopt", str(main))
        elif service.pid_file:
            self._looks[name] = time.monotonic() + _PID_FILE_SECONDS
        self.happens(Happened(name, life.MainFound(bool(main))))

    def _notified(self, name: str, ward: _Ward) -> None:
        service = self.manager.graph.units[name].service
        try:
            text, control, _, _ = ward.notify.recvmsg(
                _LONGEST_MESSAGE, socket.CMSG_SPACE(_CREDENTIALS.size)
            )
        except OSError:
            return
        pid = _sender(control)
        if not service or service.notify_access == "none":
            return
        if service.notify_access == "main" and pid != ward.pids.get("main"):
            self.say(
                name, f"Got notification message from PID {pid}, but only main is listened to.", 4
            )
            return
        lines = text.decode(errors="replace").splitlines()
        said = dict(line.split("=", 1) for line in lines if "=" in line)
        if said.get("MAINPID", "").isdigit():
            ward.pids["main"] = int(said["MAINPID"])
            self._order(name, "adopt", said["MAINPID"])
        self.happens(Happened(name, life.Notified(said)))

    def close(self) -> None:
        """Lets go of all services: each keeper asks its own to go, and then makes them."""
        for name in list(self._wards):
            self._dismiss(name)
        self.selector.close()


_STEPS: Final = {200: "CHDIR", 203: "EXEC", 216: "GROUP", 217: "USER"}


class _Lines:
    """Cuts what somebody writes into lines; `<3>` in front of one is its priority (sd-daemon(3))."""

    def __init__(self, say: Callable[[str, int, int], None], priority: int) -> None:
        self._say = say
        self._priority = priority
        self._begun = b""
        self._pid = 0

    def take(self, text: bytes, pid: int) -> None:
        self._pid = pid
        *lines, self._begun = (self._begun + text).replace(b"\0", b"\n").split(b"\n")
        for line in lines:
            self._line(line)
        while len(self._begun) >= _LONGEST_LINE:
            self._line(self._begun[:_LONGEST_LINE])
            self._begun = self._begun[_LONGEST_LINE:]

    def end(self) -> None:
        if self._begun:
            self._line(self._begun)

    def _line(self, line: bytes) -> None:
        priority = self._priority
        if line[:1] == b"<" and line[2:3] == b">" and line[1:2] in b"01234567":
            priority, line = int(line[1:2]), line[3:]
        if line:
            self._say(line.decode(errors="replace"), priority, self._pid)


def _sender(control: list[tuple[int, int, bytes]]) -> int:
    for level, kind, content in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return int(_CREDENTIALS.unpack(content[: _CREDENTIALS.size])[0])
    return 0


def _identity(user: str, group: str) -> tuple[str, str, str]:
    """Numbers of user, group and further groups; all empty: as we are. Raises KeyError."""
    if not user and not group:
        return "", "", ""
    entry = entry_of(user or str(os.getuid()))
    gid = entry.pw_gid
    if group:
        gid = grp.getgrgid(int(group)).gr_gid if group.isdigit() else grp.getgrnam(group).gr_gid
    groups = os.getgrouplist(entry.pw_name, gid)
    return str(entry.pw_uid), str(gid), ",".join(map(str, groups))


def _directory(service: Service, user: str) -> str:
    path = service.working_directory or "/"
    if path.lstrip("-") == "~":
        return ("-" if path.startswith("-") else "") + entry_of(user or str(os.getuid())).pw_dir
    return path
