"""Ends what does not end by itself: looks up each time that an alarm rings, and counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from forklab.lens.world.clock import Clock
from forklab.lens.world.tracee import EndOfWorldError, Limits

TICK = 0.02  # seconds between two alarms


@dataclass
class Watchdog:
    """`abandoned` answers whether nobody waits for the program any more. `rung`: an alarm has rung since we looked."""

    limits: Limits
    abandoned: Callable[[], bool]
    rung: bool = False
    _spent: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _checked: float = field(default_factory=time.monotonic)

    def look(self, clock: Clock, *, busy: bool) -> None:
        """`busy`: the time since the last look was the program's. Raises EndOfWorldError."""
        self.rung = False
        if self.abandoned():
            raise EndOfWorldError("Nobody waits for it any more.")
        now = time.monotonic()
        if busy:
            self._spent += min(now - self._checked, 2 * TICK)
        self._checked = now
        limits = self.limits
        if self._spent > limits.processor_seconds:
            raise EndOfWorldError(
                f"It kept the processor busy for more than {limits.processor_seconds:g} seconds,"
                f" {clock.seconds:g} s after its start in virtual time."
            )
        if limits.real_seconds is not None and now - self._started > limits.real_seconds:
            raise EndOfWorldError(f"It took more than {limits.real_seconds:g} seconds.")
