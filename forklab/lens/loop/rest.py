"""How a directed play has come to rest: nothing will happen that anybody could notice, until somebody gets an order.

Whoever sleeps until a moment is waited for, as that costs nothing, unless whoever directs the play wants to give the
next order before such a long time has passed. Who wakes up again and again, and nothing comes of it, polls; who uses
the processor, and nothing comes of that, is busy. No time on the wall decides.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from forklab.lens.world.chronicle import Member


class Kind(Enum):
    """Of rests."""

    QUIET = "everybody waits for something from outside, or has ended"
    POLLING = "one wakes up again and again, and nothing ever comes of it"
    LATER = "one sleeps until a moment, and that is so far away that nobody waits for it"
    BUSY = "one runs without a pause, and nothing ever comes of it"


class Rest(NamedTuple):
    """`who` polls, is busy or sleeps, for so many `seconds`; None where that is nobody in particular."""

    kind: Kind
    who: Member | None = None
    seconds: float = 0.0
