"""How a directed play has come to rest: nothing will happen that anybody could notice, until somebody gets an order.

Whoever sleeps until a moment is waited for, as that costs nothing, unless whoever directs the play wants to give the
next order before such a long time has passed. Who wakes up again and again, and nothing comes of it, polls; who uses
the processor, and nothing comes of that, is busy. No time on the wall decides.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from forklab.kernel.calls import FOR_EVER_SECONDS
from forklab.lens.world.chronicle import Member
from forklab.lens.world.clock import SECOND
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Tracee
from forklab.steps.state import LOOP


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


def rest_of_all(run: Run) -> Rest:
    """Nobody goes on."""
    if spinner := next(filter(_is_in_a_loop, run.world.tracees.values()), None):
        return Rest(Kind.BUSY, spinner.member)
    sleepers = [
        tracee
        for tracee in run.world.tracees.values()
        if is_timed(tracee) and tracee.stand is not Stand.STOPPED
    ]
    if not sleepers:
        return Rest(Kind.QUIET)
    first = min(sleepers, key=lambda tracee: (tracee.deadline, tracee.order))
    assert first.deadline is not None
    return Rest(Kind.LATER, first.member, (first.deadline - run.clock.now) / SECOND)


def is_timed(tracee: Tracee) -> bool:
    """Whether it wakes up by itself some day."""
    return tracee.deadline is not None and tracee.deadline < FOR_EVER_SECONDS * SECOND


def _is_in_a_loop(tracee: Tracee) -> bool:
    return (call := tracee.held_call) is not None and call.name == LOOP
