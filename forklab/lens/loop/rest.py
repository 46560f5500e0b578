"""How a directed play has come to rest: nothing will happen that anybody could notice, until somebody gets an order.

Whoever sleeps until a moment is waited for, as that costs nothing. Who wakes up again and again, and nothing comes of
it, polls; who uses the processor, and nothing comes of that, is busy. No time on the wall decides.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from forklab.lens.world.chronicle import Member


class Kind(Enum):
    """Of rests."""

    QUIET = "everybody waits for something from outside, or has ended"
    POLLING = "one wakes up again and again, and nothing ever comes of it"
    BUSY = "one runs without a pause, and nothing ever comes of it"


class Rest(NamedTuple):
    """`who` polls or is busy; None where that is nobody in particular, or everybody is quiet."""

    kind: Kind
    who: Member | None = None
