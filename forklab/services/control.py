"""The manager's ear: requests of `ctl` over a socket, one JSON object a line each way.

    {"verb": "start", "names": ["web.service"], "wait": true}   ->   {"status": 0, "words": []}

Whoever asks is not waited for: a client that hangs, sends half a line or ten megabytes costs a descriptor until it has
gone, and nobody else notices. Only the user whose manager it is, and root, are listened to.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from forklab.services.folder import Folders, full_name
from forklab.services.graph import Job, Kind
from forklab.services.hands import Hands
from forklab.services.manager import Request
from forklab.services.unit import Load, Unit

SOCKET: Final = "control"
_LONGEST_REQUEST: Final = 1 << 16
_MOST_CLIENTS: Final = 64
_GOOD: Final = ("done", "already", "skipped")


@dataclass
class _Client:
    channel: socket.socket
    heard: bytes = b""
    waiting: set[int] = field(default_factory=set)
    status: int = 0
    words: list[str] = field(default_factory=list)


class Control:
    """Listens at `runtime/control`, and does what is asked for."""

    def __init__(self, hands: Hands, folders: Folders, runtime: Path) -> None:
        self._hands = hands
        self._folders = folders
        self._clients: list[_Client] = []
        self._numbers = 0
        self._answers: dict[int, tuple[_Client, str]] = {}
        hands.finished = self.finished
        self.leaving = False
        path = runtime / SOCKET
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(8)
        self._listener.setblocking(False)
        hands.listen(self._listener, 3, self._accept)

    def _accept(self) -> None:
        channel, _ = self._listener.accept()
        _, uid, _ = struct.unpack(
            "3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        )
        if uid not in (0, os.getuid()) or len(self._clients) >= _MOST_CLIENTS:
            channel.close()
            return
        channel.setblocking(False)
        client = _Client(channel)
        self._clients.append(client)
        self._hands.listen(channel, 3, partial(self._hear, client))

    def _hear(self, client: _Client) -> None:
        try:
            text = client.channel.recv(_LONGEST_REQUEST)
        except OSError:
            text = b""
        client.heard += text
        if not text or len(client.heard) > _LONGEST_REQUEST:
            self._forget(client)
        elif b"\n" in client.heard:
            line, client.heard = client.heard.split(b"\n", 1)
            self._obey(client, line)

    def _forget(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._hands.selector.unregister(client.channel)
            client.channel.close()

    def _answer(self, client: _Client, **more: Any) -> None:
        reply = (
            json.dumps({"status": client.status, "words": client.words, **more}).encode() + b"\n"
        )
        client.channel.setblocking(True)
        client.channel.settimeout(1.0)
        with contextlib.suppress(OSError):  # it has gone, or does not read
            client.channel.sendall(reply)
        self._forget(client)

    def _obey(self, client: _Client, line: bytes) -> None:
        try:
            asked = json.loads(line)
            verb, names = (
                str(asked["verb"]),
                [full_name(str(name)) for name in asked.get("names", [])],
            )
        except (ValueError, KeyError, TypeError):
            client.status, client.words = 1, ["this is no request: {'verb': ..., 'names': [...]}"]
            self._answer(client)
            return
        acts: dict[str, Callable[[], None]] = {
            "states": lambda: self._answer(client, units=self._states(names)),
            "daemon-reload": partial(self._reload_units, client),
            "reset-failed": partial(self._reset, client, names),
            "exit": partial(self._leave, client),
        }
        if verb in acts:
            acts[verb]()
        elif verb in _JOBS:
            self._request(client, verb, names, bool(asked.get("wait", True)))
        else:
            client.status, client.words = 1, [f"Unknown command verb '{verb}'."]
            self._answer(client)

    def _request(self, client: _Client, verb: str, names: list[str], wait: bool) -> None:
        for name in names:
            kind = self._kind(client, verb, name)
            if kind is not None:
                self._numbers += 1
                client.waiting.add(self._numbers)
                self._answers[self._numbers] = (client, name)
                self._hands.happens(Request(self._numbers, Job(name, kind)))
        if not client.waiting or not wait:
            client.waiting.clear()
            self._answer(client)

    def _kind(self, client: _Client, verb: str, name: str) -> Kind | None:
        """The job that a verb means for a unit; None if there is nothing to do."""
        unit = self._known(name)
        if unit.load is Load.NOT_FOUND:
            client.status = 5
            client.words.append(f"Failed to {verb} {name}: Unit {name} not found.")
            return None
        active = self._hands.manager.life(name).active in ("active", "reloading")
        can_reload = bool(unit.service and "ExecReload" in unit.service.commands)
        if verb.startswith("try-") and not active:
            return None
        if verb == "reload" and not can_reload:
            client.status = 3
            client.words.append(
                f"Failed to reload {name}: Job type reload is not applicable for unit {name}."
            )
            return None
        if verb.endswith("reload-or-restart"):
            return Kind.RELOAD if active and can_reload else Kind.RESTART
        return _JOBS[verb]

    def start(self, name: str) -> None:
        """A unit that nobody waits for."""
        self._known(full_name(name))
        self._hands.happens(Request(0, Job(full_name(name), Kind.START)))

    def finished(self, number: int, result: str) -> None:
        """A job has come to its end."""
        if number not in self._answers:
            return
        client, name = self._answers.pop(number)
        if result not in _GOOD:
            client.status = max(client.status, 5 if result == "missing" else 1)
            client.words.append(f"Job for {name} failed: {result}.")
        client.waiting.discard(number)
        if client in self._clients and not client.waiting:
            self._answer(client)

    def _known(self, name: str) -> Unit:
        """The unit; one that has not been asked for yet is read now."""
        units = self._hands.manager.graph.units
        if name not in units or units[name].load is not Load.LOADED:
            found, problems = self._folders.load([name])
            for problem in problems:
                self._hands.say(name, str(problem), 4)
            self._hands.manager = self._hands.manager.with_units({**units, **found})
        return self._hands.manager.graph.units[name]

    def _reload_units(self, client: _Client) -> None:
        units, problems = self._folders.everything()
        for problem in problems:
            self._hands.say("", str(problem), 4)
        # Who runs keeps what it was started with as long as its file is gone.
        old = self._hands.manager
        running = {name: old.graph.units[name] for name in old.lives if name not in units}
        self._hands.manager = old.with_units({**running, **units})
        self._answer(client)

    def _reset(self, client: _Client, names: list[str]) -> None:
        self._hands.manager = self._hands.manager.forgiven(names)
        self._answer(client)

    def _leave(self, client: _Client) -> None:
        self.leaving = True
        self._answer(client)

    def _states(self, names: list[str]) -> list[dict[str, Any]]:
        """How units stand; without names all that are known."""
        manager = self._hands.manager
        found = []
        for name in names or sorted(manager.graph.units):
            unit, each = self._known(name), manager.life(name)
            found.append(
                {
                    "name": name,
                    "description": unit.description or name,
                    "load": unit.load,
                    "files": unit.files,
                    "active": each.active,
                    "sub": _SUB_OF_TARGETS.get(each.state, each.state)
                    if not unit.service
                    else each.state,
                    "result": each.result,
                    "restarts": each.restarts,
                    "status": each.status,
                    "pids": self._hands.pids(name),
                    "since": self._hands.since(name),
                    "job": str(manager.tasks[name].job.kind) if name in manager.tasks else "",
                }
            )
        return found


_JOBS: Final = {
    "start": Kind.START,
    "stop": Kind.STOP,
    "restart": Kind.RESTART,
    "try-restart": Kind.RESTART,
    "reload": Kind.RELOAD,
    "reload-or-restart": Kind.RESTART,
    "try-reload-or-restart": Kind.RESTART,
}
_SUB_OF_TARGETS: Final = {"running": "active"}
