"""Letting one thread go, once it has been decided."""

from __future__ import annotations

import os

from forklab.kernel.signals import KILL
from forklab.lens.edge import ptrace
from forklab.lens.world import stands
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Tracee


def go(run: Run, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0) -> None:
    """It goes on at once. Raises ProcessLookupError if it has been killed: its end is reported."""
    tracee.to_exit = to_exit
    if tracee.seen is not None:
        tracee.went_on()
    run.world.let(tracee, stands.RUNNING)
    ptrace.resume(tracee.tid, with_signal, to_exit=to_exit)


def go_when_chosen(
    run: Run, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0
) -> None:
    """It can go on, and is READY until somebody chooses it."""
    tracee.to_exit, tracee.signal = to_exit, with_signal
    run.world.let(tracee, stands.READY)


def kill(run: Run, tracee: Tracee) -> None:
    os.kill(tracee.member.pid, KILL)
    run.world.let(tracee, stands.RUNNING)  # its end is awaited
