"""One loop over descriptors and alarms: whoever waits for something says so here, and is called when it has come.

What is called must not wait for anybody. If it fails, that is said, and the others are served all the same: a manager
that may be PID 1 does not die of a mistake in one place.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from enum import IntEnum
from math import inf


class Rank(IntEnum):
    """Of several that have come at once, who is heard first."""

    ANNOUNCEMENT = 0  # what a service has said before its end counts
    OUTPUT = 1
    REPORT = 2  # of a keeper
    SIGNAL = 3
    REQUEST = 4


class Loop:
    """`failed` is told of every exception that one of those who are called did not handle.

    `settle` is called before anybody waits, or is answered: what happened until then shall stand in the journal.
    """

    def __init__(self, failed: Callable[[Exception], None], settle: Callable[[], None]) -> None:
        self._selector = selectors.DefaultSelector()
        self._failed = failed
        self.settle = settle
        self._alarms: dict[tuple[str, str], tuple[float, Callable[[], object]]] = {}
        self._work: Callable[[], bool] | None = None

    def close(self) -> None:
        self._selector.close()

    def listen(self, to: socket.socket, rank: Rank, act: Callable[[], object]) -> None:
        """`act` is called whenever something can be read there, or its other end has gone."""
        self._selector.register(to, selectors.EVENT_READ, (rank, act))

    def wait_for_room(self, of: socket.socket, rank: Rank, act: Callable[[], object]) -> None:
        """From now on `act` is called whenever something can be written there, instead."""
        self._selector.modify(of, selectors.EVENT_WRITE, (rank, act))

    def forget(self, whom: socket.socket) -> None:
        """Also if nobody listens to it any more."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(whom)

    def set_alarm(self, kind: str, whose: str, at: float, act: Callable[[], object]) -> None:
        """`act` is called once, at the time `at` of the monotonic clock; `inf`: never. One of a kind for everybody."""
        self._alarms.pop((kind, whose), None)
        if at < inf:
            self._alarms[kind, whose] = (at, act)

    def keep_at(self, work: Callable[[], bool]) -> None:
        """`work` was too long for one go. It goes on in each turn, until it says that nothing is left.

        Meanwhile only requests are heard: everything else comes after what is still to be done about earlier things.
        """
        self._work = work

    def turn(self) -> None:
        """Waits for the next thing to happen, and calls all whom it concerns."""
        self.settle()
        for key, _ in sorted(
            self._selector.select(self._limit()), key=lambda each: each[0].data[0]
        ):
            rank, act = key.data
            # An earlier one may have let go of it.
            still = self._selector.get_map().get(key.fd) is key
            if still and (self._work is None or rank is Rank.REQUEST):
                self._call(act)
        if self._work is None:
            self._ring()
        elif self._call(self._work) is False:
            self._work = None

    def _limit(self) -> float | None:
        """Seconds that there is nothing to do but to listen; None: there will never be."""
        if self._work:
            return 0.0
        soonest = min((at for at, _ in self._alarms.values()), default=inf)
        return None if soonest == inf else max(0.0, soonest - time.monotonic())

    def _ring(self) -> None:
        now = time.monotonic()
        for name, (at, act) in list(self._alarms.items()):
            if at <= now and self._alarms.get(name) == (at, act):
                del self._alarms[name]
                self._call(act)

    def _call(self, act: Callable[[], object]) -> object:
        try:
            return act()
        except Exception as error:
            self._failed(error)
            return None
