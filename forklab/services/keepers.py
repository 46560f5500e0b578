"""Keepers: one for each service that has processes. How they are built, started, told what to do, and heard.

What a keeper is and says stands at the top of c/keeper.c.
"""

from __future__ import annotations

import array
import os
import resource
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from forklab.built import CannotBuildError, built

_SOURCE: Final = Path(__file__).with_name("c") / "keeper.c"
_FLAGS: Final = ("-std=gnu11", "-O2")
# Nothing to load at its start, and a third less memory: there are as many keepers as services. Not every machine has
# what it takes.
_BEST: Final = ("-static",)
_LONGEST_REPORT: Final = 1 << 13
_DESCRIPTORS: Final = resource.getrlimit(resource.RLIMIT_NOFILE)  # that services may have
_ROOM: Final = 1 << 20  # for one order, with its arguments and environment


def keeper_program() -> Path:
    """Compiled once, and kept in the user's cache. Raises CannotBuildError."""
    need = "Services stand below a small program in C"
    try:
        return built("keeper", _SOURCE, _FLAGS, need=need, what=_SOURCE.name, best=_BEST)
    except OSError as error:
        raise CannotBuildError(str(error)) from None


def _ignored() -> list[int]:
    """An exec changes nothing about them, and services inherit that: Python ignores some, nohup(1) others."""
    return [each for each in signal.valid_signals() if signal.getsignal(each) is signal.SIG_IGN]


def make_room_for_descriptors() -> None:
    """As many as we may have: each service takes some. Keepers have again what we were started with."""
    _, most = _DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@dataclass
class Keeper:
    """One that runs. Its service's main and control process by their roles, as far as they run and are known."""

    pid: int
    channel: socket.socket
    pids: dict[str, int] = field(default_factory=dict)
    runs: int = 0  # commands that it was told to run

    @classmethod
    def start(cls, program: Path) -> Keeper:
        """In a session of its own: no terminal's ^C reaches it. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            theirs.set_inheritable(True)
            words = [program.name, str(theirs.fileno())]
            nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
            pid = os.posix_spawn(
                program, words, {}, file_actions=[nothing], setsid=True, setsigdef=_ignored()
            )
        resource.prlimit(pid, resource.RLIMIT_NOFILE, _DESCRIPTORS)
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        return cls(pid, ours)

    def tell(self, *fields: str, streams: Sequence[int] = ()) -> None:
        """Raises OSError: it is dead, the order is too long, or it has not listened for very long."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
        order = "".join(f"{each}\0" for each in fields).encode(errors="surrogateescape")
        self.channel.sendmsg([order], rights if streams else [])
        self.runs += fields[0] in ("run", "fail")

    def report(self) -> list[str] | None:
        """The words of its next report; [] if there is none yet, None if none can come any more."""
        try:
            words = self.channel.recv(_LONGEST_REPORT).decode().split()
        except BlockingIOError:
            return []
        except OSError:
            return None
        return words or None
