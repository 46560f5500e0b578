"""The real kernel behind the model's own actions: real processes in a PID namespace of their own.

`RealKernel` starts PID 1 ("init") and then does what the model's actions say, one at a time; `look` reads from /proc
how everybody stands. Everything is over when its context ends: PID 1 is killed, and its namespace with it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from kernel_actor import command_line

from forklab.history import State
from forklab.model import (
    Accept,
    Action,
    BecomeSubreaper,
    Block,
    Catch,
    Default,
    Exec,
    Exit,
    Fork,
    Ignore,
    Kill,
    KillGroup,
    SetGroup,
    StartSession,
    Unblock,
    Wait,
)

SEATS = 12
DEADLINE = 20.0  # seconds; only ever reached when something is broken
UNSHARE = (
    "unshare",
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)
MASKS = ("SigBlk", "SigIgn", "SigCgt", "ShdPnd")  # of /proc/PID/status
STATES = {"S": State.RUNNING, "T": State.STOPPED, "Z": State.ZOMBIE}


@dataclass(frozen=True)
class Standing:
    """How a process stands, by what /proc tells. A zombie has nothing but its state, its place and its status."""

    state: State
    parent: int
    group: int
    session: int
    status: int | None = None
    masks: dict[str, frozenset[str]] = field(default_factory=dict)


@cache
def why_not() -> str:
    """Why this machine cannot do it; empty if it can."""
    try:
        probe = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, timeout=DEADLINE)
    except FileNotFoundError:
        return "needs unshare, of util-linux"
    return f"no PID namespace for us: {probe.stderr.strip()}" if probe.returncode else ""


class RealKernel:
    def __init__(self, launcher: subprocess.Popen[bytes], seats: list[socket.socket]) -> None:
        self._launcher = launcher
        self._seats = seats
        self._numbers = 0
        self._replies: dict[int, Any] = {}
        self.pids = {"init": 1}
        self.pid1 = self._find_pid1()
        self._ask("init", "setsid")

    def do(self, action: Action) -> int:
        """Has it done, waits until everybody is at rest and answers the number under which its result comes."""
        match action:
            case Kill(None, process, name):
                assert process == "init", "others cannot be told from outside"
                os.kill(self.pid1, signal.Signals[name])
                number = 0
            case _:
                number = self._tell(*self._command(action))
        if isinstance(action, Exit) and action.process == "init":
            return number
        self._settle()
        if isinstance(action, Fork):
            self.pids[action.child] = self._replies[number]
        return number

    def everybody(self) -> list[Path]:
        """The folders in the machine's own /proc of PID 1 and its children."""
        children = Path(f"/proc/{self.pid1}/task/{self.pid1}/children").read_text().split()
        return [Path(f"/proc/{pid}") for pid in (self.pid1, *children)]

    def kill_pid1(self) -> None:
        """Kills it from outside; once it is over, nobody is left in its namespace."""
        os.kill(self.pid1, signal.SIGKILL)
        self._launcher.wait(DEADLINE)

    def result(self, number: int) -> Any:
        """What the process with command `number` answered; an errno's name if it failed. None: nothing, or not yet."""
        return self._replies.get(number)

    def caught(self, name: str) -> dict[str, int]:
        """How often the handlers of a running process have run."""
        return dict(self._ask(name, "caught"))

    def look(self, name: str) -> Standing | None:
        """None if the process is gone."""
        folder = self._proc / str(self.pids[name])
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            lines = (folder / "status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state = STATES[fields[0]]
        parent, group, session = map(int, fields[1:4])
        if state is State.ZOMBIE:
            status = os.waitstatus_to_exitcode(int(fields[49]))
            return Standing(state, parent, group, session, status)
        masks = {line[:6]: _signals(line.split()[1]) for line in lines if line[:6] in MASKS}
        return Standing(state, parent, group, session, None, masks)

    def outcome(self) -> int:
        """How PID 1 ended, once its whole namespace is gone."""
        return self._launcher.wait(DEADLINE)

    @property
    def _proc(self) -> Path:
        return Path(f"/proc/{self.pid1}/root/proc")

    def _find_pid1(self) -> int:
        children = Path(f"/proc/{self._launcher.pid}/task/{self._launcher.pid}/children")
        for _ in _until_deadline():
            if found := children.read_text().split():
                return int(found[0])
        raise AssertionError

    def _command(self, action: Action) -> tuple[str, str, list[Any]]:
        pid, number = self.pids.__getitem__, lambda name: signal.Signals[name].value
        match action:
            case Fork(process):
                return process, "fork", [len(self.pids)]
            case Exec(process):
                return process, "exec", [list(self.pids).index(process)]
            case Exit(process, status):
                return process, "exit", [status]
            case Wait(process, child, block):
                return process, "wait", [pid(child) if child else -1, 0 if block else os.WNOHANG]
            case Kill(str() as sender, process, name):
                return sender, "kill", [pid(process), number(name)]
            case KillGroup(str() as sender, group, name):
                # kill(-1) is everybody, so PID 1's group can only be meant by its members, as 0.
                return sender, "kill", [-pid(group) if group != "init" else 0, number(name)]
            case Default() | Ignore() | Catch():
                return action.process, type(action).__name__.lower(), [number(action.signal)]
            case Block() | Unblock():
                return action.process, type(action).__name__.lower(), [*map(number, action.signals)]
            case Accept(process, name):
                return process, "accept", [number(name)]
            case SetGroup(process, target, group):
                return process, "setpgid", [pid(target), pid(group)]
            case StartSession(process):
                return process, "setsid", []
            case BecomeSubreaper(process):
                return process, "subreaper", []
        raise AssertionError(action)

    def _ask(self, name: str, verb: str) -> Any:
        number = self._tell(name, verb, [])
        self._settle()
        return self._replies[number]

    def _tell(self, name: str, verb: str, arguments: list[Any]) -> int:
        self._numbers += 1
        message = json.dumps([self._numbers, verb, *arguments]).encode()
        self._seats[list(self.pids).index(name)].send(message)
        return self._numbers

    def _settle(self) -> None:
        """Waits until everybody sleeps, and has not run between two looks: nothing can happen by itself any more.

        Whoever is sent a message or a signal counts as running before the sender goes on.
        """
        before = None
        for _ in _until_deadline():
            now = self._scan()
            if now is not None and now == before:
                break
            before = now
        for seat in self._seats:
            while True:
                try:
                    number, result = json.loads(seat.recv(4096, socket.MSG_DONTWAIT))
                except BlockingIOError:
                    break
                self._replies[number] = result

    def _scan(self) -> dict[str, str] | None:
        """How long each has run so far; None if somebody runs."""
        found = {}
        for folder in self._proc.glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                found[folder.name] = (folder / "schedstat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return None
            # PID 1 is still the launcher's copy until it has opened our program.
            if stat[0] not in STATES:
                return None
        return found or None


def _start_clean() -> None:
    """A shell without job control starts what shall run in the background with two signals ignored."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def real_kernel() -> Iterator[RealKernel]:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(SEATS)]
    theirs = [pair[1].fileno() for pair in pairs]
    launcher = subprocess.Popen(
        [*UNSHARE, "--", *command_line(0, theirs)],
        pass_fds=theirs,
        preexec_fn=_start_clean,
    )
    try:
        yield RealKernel(launcher, [pair[0] for pair in pairs])
    finally:
        launcher.kill()  # --kill-child takes PID 1 along, and the kernel its whole namespace
        launcher.wait(DEADLINE)
        for pair in pairs:
            pair[0].close()
            pair[1].close()


def _until_deadline() -> Iterator[None]:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        yield
    raise AssertionError(f"the processes have not come to rest within {DEADLINE} s")


def _signals(mask: str) -> frozenset[str]:
    bits = int(mask, 16)
    return frozenset(one.name for one in signal.Signals if bits >> (one - 1) & 1)
