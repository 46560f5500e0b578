"""Channels get their names when they are made: see `forklab.lens.world.channels`."""

from __future__ import annotations

from forklab.kernel.calls import calls_in
from forklab.lens.world.onward import INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

MAKING = calls_in("eventfd")


def make(run: Run, tracee: Tracee, call: Call) -> Onward:
    return INTO_ITS_CALL


def has_made(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """At its exit."""
    if result >= 0:
        run.channels.made_eventfd(tracee.member, result)
