"""What services write: where their standard output and error go, and how it becomes lines (systemd.exec(5)).

A command writes into a socket of its own, which says with each piece who has written it (SCM_CREDENTIALS, unix(7)). A
service that writes faster than it is read waits; it is read in every turn of the loop, whatever happens to the lines.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from forklab.services.journal import INFORMATION
from forklab.services.unit import Service

LONGEST_LINE: Final = 48 * 1024  # longer ones come in pieces
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid: unix(7)


class Line(NamedTuple):
    pid: int
    priority: int
    text: str


def streams(service: Service, hear: Callable[[socket.socket], None]) -> list[int]:
    """New descriptors for stdin, stdout and stderr; `hear` is given our end of each that leads to the journal.

    Raises OSError, and then there are none.
    """
    made = [os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)]
    try:
        made.append(_stream(service.stdout, made, hear))
        # A file that both are written to is opened once: neither writes over the other.
        shared = ":" in service.stdout and service.stderr == service.stdout
        made.append(_stream("inherit" if shared else service.stderr, made, hear))
    except OSError:
        close(made)
        raise
    return made


def close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _stream(form: str, made: list[int], hear: Callable[[socket.socket], None]) -> int:
    kind, _, path = form.partition(":")
    if kind == "inherit" and len(made) == 2:
        return os.dup(made[1])
    if kind == "null":
        return os.dup(made[0])
    if path:
        flags = {"append": os.O_APPEND, "truncate": os.O_TRUNC}.get(kind, 0)
        # O_NONBLOCK, for the moment of opening: a FIFO that nobody reads shall not hold us up.
        flags |= os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        opened = os.open(path, flags, 0o644)
        os.set_blocking(opened, True)
        return opened
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    accept_credentials(ours)
    hear(ours)
    return theirs.detach()


def accept_credentials(channel: socket.socket) -> None:
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def receive(channel: socket.socket, most: int) -> tuple[bytes, int, int]:
    """What has come, and pid and uid of who has sent it; nothing if the other end has gone. Raises BlockingIOError."""
    try:
        text, control, _, _ = channel.recvmsg(most, socket.CMSG_SPACE(_CREDENTIALS.size))
    except BlockingIOError:
        raise
    except OSError:
        return b"", 0, 0
    for level, kind, content in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            pid, uid, _ = _CREDENTIALS.unpack(content[: _CREDENTIALS.size])
            return text, pid, uid
    return text, 0, 0


_BLANK: Final = b" \t\r"


class Lines:
    """Cuts a stream into lines, at newlines and NULs; `<3>` in front of one is its priority (sd-daemon(3)).

    Blanks at the end of a line are nothing, nor is a line in which nothing stands.

    What has no end yet waits for the rest of its line, whoever writes that.
    """

    def __init__(self) -> None:
        self._begun = b""
        self._pid = 0

    def take(self, text: bytes, pid: int) -> list[Line]:
        self._pid = pid
        *lines, self._begun = (self._begun + text).replace(b"\0", b"\n").split(b"\n")
        pieces = [piece for line in lines for piece in _pieces(line.rstrip(_BLANK))]
        *full, self._begun = _pieces(self._begun) or [b""]
        return [line for piece in pieces + full if (line := self._line(piece)).text]

    def end(self) -> list[Line]:
        begun, self._begun = self._line(self._begun.rstrip(_BLANK)), b""
        return [begun] if begun.text else []

    def _line(self, line: bytes) -> Line:
        priority = INFORMATION
        if line[:1] == b"<" and line[2:3] == b">" and line[1:2] in b"01234567":
            priority, line = int(line[1:2]), line[3:]
        return Line(self._pid, priority, line.decode(errors="replace"))


def _pieces(line: bytes) -> list[bytes]:
    return [line[start : start + LONGEST_LINE] for start in range(0, len(line), LONGEST_LINE)]
