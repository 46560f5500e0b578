"""Where a program stops: too few stops are found out late, by an alarm, too many cost time."""

from __future__ import annotations

import random

from forklab.kernel.calls import CALLS, Concern
from forklab.lens.loop.seeded import Seeded


def test_who_falls_asleep_is_seen_at_once_in_all_calls_but_a_few() -> None:
    """fork(2) waits for a vfork's child alone, open(2) at a FIFO; and programs open files all the time."""
    wait = {name for name, call in CALLS.items() if Concern.WAITS in call.concerns}
    unseen = wait - Seeded(random.Random(0)).stops.names
    assert {CALLS[name].group or name for name in unseen} == {"fork", "open", "ioctl", "getrandom"}
