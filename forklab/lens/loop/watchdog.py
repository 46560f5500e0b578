"""Ends what does not end by itself: looks up each time that an alarm rings, and measures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from forklab.counted import counted
from forklab.lens.world.clock import Clock
from forklab.lens.world.limits import EndOfRunError, Limits

TICK = 0.02  # seconds between two alarms


@dataclass(eq=False)
class Watchdog:
    """`abandoned` answers whether nobody waits for the program any more. `rung`: an alarm has rung since we looked.

    `spent` answers how many seconds on the processor the program and the lens have used so far; None where that is not
    limited. Time on the wall would make a difference between a busy machine and an idle one.
    """

    limits: Limits
    abandoned: Callable[[], bool]
    spent: Callable[[], float] | None
    rung: bool = False
    waits_since: float | None = None  # for somebody outside
    _started: float = field(default_factory=time.monotonic)
    _ask_again: float = 0.0  # when the limit can be reached at the earliest

    def waits_for_outside(self, waits: bool) -> None:
        self.waits_since = time.monotonic() if waits else None

    def look(self, clock: Clock) -> None:
        """Raises EndOfRunError."""
        self.rung = False
        if self.abandoned():
            raise EndOfRunError("Nobody waits for it any more.")
        now, limits = time.monotonic(), self.limits
        if self.spent is not None and now >= self._ask_again:
            left = limits.processor_seconds - self.spent()
            if left < 0:
                raise EndOfRunError(
                    f"It kept the processor busy for more than {counted(limits.processor_seconds, 'second')},"
                    f" {clock.seconds:g} s after its start in virtual time."
                )
            # To ask is to read a file for each process. They cannot use more than all processors.
            self._ask_again = now + left / (os.cpu_count() or 1)
        waited = 0.0 if self.waits_since is None else now - self.waits_since
        if limits.waiting_seconds is not None and waited > limits.waiting_seconds:
            raise EndOfRunError(
                f"It waited for more than {counted(limits.waiting_seconds, 'second')} for its input."
            )
        if limits.real_seconds is not None and now - self._started > limits.real_seconds:
            raise EndOfRunError(f"It took more than {counted(limits.real_seconds, 'second')}.")
