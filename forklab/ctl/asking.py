"""A question to the manager, over its socket; what it is told stands in forklab/services/control.py."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forklab.services.place import CONTROL

_SECONDS = 10.0  # for an answer that nothing has to happen for
_READING = 180.0  # for one that all files are read for, as systemctl waits
_TIME = struct.pack("@ll", int(_SECONDS), 0)  # as the struct timeval of socket(7)


class NoManagerError(Exception):
    """Nobody answers. The message says what to do."""


class NoStateError(Exception):
    """What was named is no unit, but a template, or nothing that a unit can be called."""


@dataclass(frozen=True)
class Answer:
    status: int
    words: list[str]
    units: list[dict[str, Any]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Asking:
    """Of the manager whose folder `place` is."""

    place: Path

    def ask(self, verb: str, names: list[str] | None = None, **more: Any) -> Answer:
        """Raises NoManagerError. Whoever waits for jobs waits as long as they take."""
        line = json.dumps({"verb": verb, "names": names or [], **more}).encode() + b"\n"
        try:
            with socket.socket(socket.AF_UNIX) as channel:
                # Not settimeout(): a connect(2) that may not block is refused while others stand in line, unix(7).
                channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIME)
                channel.connect(str(self.place / CONTROL))
                patience = _READING if verb == "daemon-reload" else _SECONDS
                channel.settimeout(None if more.get("wait") else patience)
                channel.sendall(line)
                with channel.makefile("rb") as answers:
                    answer = answers.readline()
        except (FileNotFoundError, ConnectionRefusedError):
            raise NoManagerError(
                f"No manager runs in {self.place}. Start one with 'forklab services DIR',"
                " or say with --runtime where it is."
            ) from None
        except OSError as error:
            raise NoManagerError(f"The manager in {self.place} does not answer: {error}.") from None
        if not answer.endswith(b"\n"):
            raise NoManagerError(f"The manager in {self.place} has ended meanwhile.")
        return Answer(**json.loads(answer))

    def states(self, names: list[str] | None = None) -> list[dict[str, Any]]:
        """How units stand. Raises NoStateError if one of the names can have no state."""
        answer = self.ask("states", names)
        if answer.status:
            raise NoStateError(" ".join(answer.words))
        return answer.units
