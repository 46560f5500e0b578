"""Showing processes the time before they go on, so that they need not ask for it: `forklab.lens.world.dials`."""

from __future__ import annotations

from forklab.lens.edge import ptrace
from forklab.lens.loop import passing
from forklab.lens.loop.loop import Loop
from forklab.lens.world.tracees import Tracee


def set_dial(loop: Loop, tracee: Tracee, *, alone: bool = False) -> None:
    """`alone`: nobody else can go on before it stops, or before a deadline comes.

    Raises ProcessLookupError if it has been killed.
    """
    run, dial = loop.run, tracee.dial
    if dial is None:
        return
    if dial.is_right(run.clock):
        dial.uncover(tracee.tid)
        return
    step, readings = run.clock.ahead()
    if step and not (alone and _may_move(loop, tracee)):
        readings = 0  # each reading is a stop, after which others may come
    elif step:
        ptrace.stop_at_its_end(tracee.tid)
        deadline = passing.next_deadline(run)
        if deadline is not None:
            readings = min(readings, max(0, -(-(deadline - run.clock.now) // step)))
    dial.set(tracee.tid, run.clock, step, readings)


def _may_move(loop: Loop, tracee: Tracee) -> bool:
    return not (loop.loose or tracee.to_exit or tracee.member in loop.run.threaded)
