"""To another time namespace: whoever is there finds the clocks as they are outside of it, see time_namespaces(7)."""

from __future__ import annotations

from forklab.kernel.calls import int32
from forklab.lens.edge import descriptors
from forklab.lens.world.onward import AT_ONCE, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

# In unshare(2) and clone3(2) alone: to clone(2) it is part of a signal's number.
CLONE_NEWTIME = 0x80


def leave(run: Run, tracee: Tracee, call: Call) -> Onward:
    """unshare(2)"""
    if call.arguments[0] & CLONE_NEWTIME:
        _remark(run, tracee)
    return AT_ONCE


def enter(run: Run, tracee: Tracee, call: Call) -> Onward:
    """setns(2): with a pidfd it says which ones, and with the file of one it need not."""
    link = descriptors.link(tracee.tid, int32(call.arguments[0])) or ""
    if link.startswith("time") or call.arguments[1] & CLONE_NEWTIME:
        _remark(run, tracee)
    return AT_ONCE


def _remark(run: Run, tracee: Tracee) -> None:
    run.remark(
        f"{tracee.member.name} makes or enters a time namespace, in which the lens shows the clocks as they are outside"
    )
