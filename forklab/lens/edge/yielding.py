"""Giving way to somebody who is about to run on our own processor."""

from __future__ import annotations

import time

_A_NAP = 1e-6  # seconds; with the kernel's slack for timers it becomes some fifty times as long


def give_way() -> None:
    """Until others have had their chance.

    Not by sched_yield(2): since Linux 6.6 that hands over only what is left of our slice, and to whoever has waited for
    longer. Mostly it comes back at once, for milliseconds, and to look again and again costs more than all the rest.
    """
    time.sleep(_A_NAP)
