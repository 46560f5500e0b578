"""Those who ask the manager something: one JSON object a line each way, over a socket.

    {"verb": "start", "names": ["web.service"], "wait": true}   ->   {"status": 0, "words": []}

Nobody who asks is waited for: a client that hangs, sends half a line or ten megabytes, or does not read its answer,
costs a descriptor until it has gone or others need it. Only the user whose manager it is, and root, are listened to.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from forklab.services.loop import Loop, Rank

_LONGEST_REQUEST: Final = 1 << 16
_MOST_CLIENTS: Final = 64


@dataclass(eq=False)
class Client:
    channel: socket.socket
    heard: bytes = b""
    answer: bytes = b""
    waiting: set[int] = field(default_factory=set)  # requests of it that are not finished
    status: int = 0
    words: list[str] = field(default_factory=list)


class Clients:
    """Listens at `path`. `obey` is called with each request, one at a time of each client, until it is answered."""

    def __init__(self, loop: Loop, path: Path, obey: Callable[[Client, bytes], None]) -> None:
        self._loop = loop
        self._obey = obey
        self._clients: list[Client] = []
        self._listener = socket.socket(socket.AF_UNIX)
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        self._listener.bind(str(new))
        new.chmod(0o600)
        self._listener.listen(64)
        self._listener.setblocking(False)
        new.rename(path)  # who finds it is heard
        loop.listen(self._listener, Rank.REQUEST, self._accept)

    def answer(self, client: Client, **more: Any) -> None:
        form = {"status": client.status, "words": client.words, **more}
        client.answer = json.dumps(form).encode() + b"\n"
        self._loop.settle()
        if client in self._clients:
            self._loop.wait_for_room(client.channel, Rank.REQUEST, lambda: self._send(client))
            self._send(client)

    def _accept(self) -> None:
        """Whoever comes is let in; if there are too many, the oldest that waits for nothing of ours has to go."""
        try:
            channel, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:  # we have too many descriptors open
            if not self._make_room():
                raise
            return
        credentials = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, uid, _ = struct.unpack("3i", credentials)
        crowded = len(self._clients) >= _MOST_CLIENTS and not self._make_room()
        if uid not in (0, os.getuid()) or crowded:
            channel.close()
            return
        channel.setblocking(False)
        client = Client(channel)
        self._clients.append(client)
        self._loop.listen(channel, Rank.REQUEST, partial(self._hear, client))

    def _make_room(self) -> bool:
        for client in self._clients:
            if not client.waiting:
                self._forget(client)
                return True
        return False

    def _hear(self, client: Client) -> None:
        try:
            text = client.channel.recv(_LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            text = b""
        client.heard += text
        if not text or len(client.heard) > _LONGEST_REQUEST:
            self._forget(client)
        elif b"\n" in client.heard and not client.waiting:
            line, client.heard = client.heard.split(b"\n", 1)
            self._obey(client, line)

    def _send(self, client: Client) -> None:
        try:
            sent = client.channel.send(client.answer)
        except BlockingIOError:
            return
        except OSError:  # it has gone
            sent = len(client.answer)
        client.answer = client.answer[sent:]
        if not client.answer:
            self._forget(client)

    def _forget(self, client: Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._loop.forget(client.channel)
            client.channel.close()
