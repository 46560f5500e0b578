"""What a submission must not reach: processes, files, servers, terminals and memory of whoever runs the grader."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pty
import shutil
import socket
import subprocess
import tempfile
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.stage.users import private_uids

SECRET = "forklab-secret-of-the-grader"

_LIBC = ctypes.CDLL(None, use_errno=True)
_ROOM, _EVERYBODY_MAY = 4096, 0o1666  # IPC_CREAT and all rights
_REMOVE = 0  # IPC_RMID


@dataclass
class Canaries:
    """`servers` are sockets that are listened at, by what they are; `memory` is a System V segment, by its number."""

    process: subprocess.Popen[bytes]
    file: Path
    servers: dict[str, socket.socket]
    terminal: int
    terminal_path: str
    memory: int
    scratch: Path

    def facts(self) -> dict[str, str | int]:
        """What submissions are told of them, by the names that they use."""
        return {
            "CANARY": self.process.pid,
            "CANARY_FILE": str(self.file),
            "CANARY_FOLDER": str(self.file.parent),
            "SECRET": SECRET,
            "PORT": self.servers["TCP"].getsockname()[1],
            "ABSTRACT": _abstract_name(self.file.parent, "server"),
            "ABSTRACT_DATAGRAMS": _abstract_name(self.file.parent, "datagrams"),
            "SERVER": str(self.file.parent / "server"),
            "DATAGRAMS": str(self.file.parent / "datagrams"),
            "TERMINAL": self.terminal_path,
            "MEMORY": self.memory,
        }

    def complaints(self) -> list[str]:
        """What has been reached, changed or left, in words."""
        found = []
        if self.process.poll() is not None:
            found.append("the canary process is dead")
        elif _standing(self.process.pid) != _standing(os.getpid()):
            found.append("the canary process has other limits or priorities now")
        if self.file.read_text() != SECRET:
            found.append("the canary file was changed")
        names = {path.name for path in self.file.parent.iterdir()}
        if names != {self.file.name, "server", "datagrams"}:
            found.append(f"the canary folder has {names}")
        found += [f"the server of {name} was reached" for name in self.servers if self._heard(name)]
        with contextlib.suppress(BlockingIOError):
            found.append(f"the terminal got {os.read(self.terminal, 100)!r}")
        if _LIBC.shmctl(self.memory, 2, ctypes.create_string_buffer(256)) < 0:  # IPC_STAT
            found.append("the memory is gone")
        found += [f"{path} was left" for path in self.scratch.iterdir()]
        found += [f"process {words} was left" for words in _processes_that_name(self.scratch)]
        return found

    def _heard(self, name: str) -> bool:
        server = self.servers[name]
        try:
            if server.type == socket.SOCK_DGRAM:
                server.recv(100)
            else:
                server.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def set_out() -> Iterator[Canaries]:
    """New ones, which whoever comes as far as to them could read and write."""
    folder = Path(tempfile.mkdtemp(prefix="canary-", dir="/var/tmp"))
    scratch = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    process = subprocess.Popen(["sleep", "3600"])
    terminal, theirs = pty.openpty()
    memory = _LIBC.shmget(0, _ROOM, _EVERYBODY_MAY)
    servers = {}
    try:
        file = folder / "canary"
        file.write_text(SECRET)
        scratch.chmod(0o711)
        tty.setraw(theirs)
        os.fchmod(theirs, 0o666)
        os.set_blocking(terminal, False)
        for name, kind, address in (
            ("TCP", socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("an abstract name", socket.SOCK_STREAM, "\0" + _abstract_name(folder, "server")),
            ("a path", socket.SOCK_STREAM, str(folder / "server")),
            ("abstract datagrams", socket.SOCK_DGRAM, "\0" + _abstract_name(folder, "datagrams")),
            ("datagrams at a path", socket.SOCK_DGRAM, str(folder / "datagrams")),
        ):
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            servers[name] = socket.socket(family, kind)
            servers[name].bind(address)
            servers[name].setblocking(False)
            if kind == socket.SOCK_STREAM:
                servers[name].listen()
        for path in folder.iterdir():
            path.chmod(0o666)
        folder.chmod(0o777)
        yield Canaries(process, file, servers, terminal, os.ttyname(theirs), memory, scratch)
    finally:
        process.kill()
        process.wait()
        for server in servers.values():
            server.close()
        os.close(terminal)
        os.close(theirs)
        _LIBC.shmctl(memory, _REMOVE, None)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["rm", "-rf", "--", scratch], check=False)


def _abstract_name(folder: Path, what: str) -> str:
    """Nobody else's on this machine: tests in another PID namespace have numbers like ours, and the same network."""
    return f"forklab-{folder.name}-{what}"


def _standing(process: int) -> tuple[object, ...]:
    """Limits, priority, policy and processors of a process."""
    return (
        Path(f"/proc/{process}/limits").read_text(),
        os.getpriority(os.PRIO_PROCESS, process),
        os.sched_getscheduler(process),
        os.sched_getaffinity(process),
    )


def _processes_that_name(folder: Path) -> list[str]:
    """Of the sandboxes in that folder; and, where we are root, whoever runs under a user of a submission's of ours."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            user = entry.stat().st_uid
        except OSError:
            continue
        if (os.fsencode(folder) in words and b"pytest" not in words) or user in private_uids():
            found.append(f"{entry.name} of user {user}")
    return found
