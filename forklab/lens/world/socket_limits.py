"""How long calls on sockets wait at most: SO_RCVTIMEO and SO_SNDTIMEO of socket(7), which the kernel has forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class SocketLimits:
    """By socket, which is known by its inode, and whether it is about sending: virtual nanoseconds."""

    _limits: dict[tuple[int, bool], int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._limits)

    def set(self, socket: int, nanoseconds: int, *, sends: bool) -> None:
        """0: for ever."""
        self._limits.pop((socket, sends), None)
        if nanoseconds:
            self._limits[socket, sends] = nanoseconds

    def get(self, socket: int, *, sends: bool) -> int:
        return self._limits.get((socket, sends), 0)

    def inherited(self, listening: int, accepted: int) -> None:
        """Of the internet: by who has connected, from the socket at which that was accepted."""
        for sends in (False, True):
            self.set(accepted, self.get(listening, sends=sends), sends=sends)
