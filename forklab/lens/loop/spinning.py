"""A loop that only a signal can end: `while (1) {}`, or `while (!done) {}` where a handler sets `done`.

Proved, not guessed: the process is led through it instruction by instruction. If it comes to stand where it stood, with
the same in all registers and in all memory, it will do so for ever: nothing that it reads changes but by a signal. Who
asks the kernel in between may be told something else one day: who is its parent by then, how much time it has used.
Who has set itself a limit of processor time will get SIGXCPU for it: it has to be let compute.
"""

from __future__ import annotations

import resource
from contextlib import suppress

from forklab.kernel.signals import TRAP
from forklab.lens.calls import dispatch
from forklab.lens.edge import memory, ptrace
from forklab.lens.loop import letting, listening
from forklab.lens.loop.loop import Loop, Report
from forklab.lens.world.onward import HELD
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import LOOP

_MOST_INSTRUCTIONS = 1_000
_TRIES = frozenset({3, 9})  # alarms without a report: then it is looked at
_STOPPED = 0x7F


def is_held_for_good(loop: Loop, tracee: Tracee) -> bool:
    """It computes. If that is an endless loop, it is held there until a signal comes. It is not looked at each time."""
    return loop.silent_alarms in _TRIES and hold_if_endless(loop, tracee)


def hold_if_endless(loop: Loop, tracee: Tracee) -> bool:
    """The same, looked at now."""
    world = loop.run.world
    alone = len(world.running) == 1 and len(world.threads_of(tracee.member)) == 1
    if not alone or _has_limited_itself(loop.run, tracee):
        return False
    try:
        if not _stands_in_endless_loop(loop, tracee):
            return False
    except ProcessLookupError:  # killed meanwhile: its end is reported
        return False
    tracee.call = Call(LOOP, ())
    loop.goes_on(tracee, HELD)
    return True


def _has_limited_itself(run: Run, tracee: Tracee) -> bool:
    """Whether its processor time has a limit that it did not have from the start."""
    if run.processor_limit is None:
        return False
    with suppress(OSError):
        limit, _ = resource.prlimit(tracee.member.pid, resource.RLIMIT_CPU)
        return limit not in (resource.RLIM_INFINITY, run.processor_limit)
    return False


def _stands_in_endless_loop(loop: Loop, tracee: Tracee) -> bool:
    """Of one that computes: if it is so, it has been stopped. Else it goes on, or has stopped for a reason of its own.

    Raises ProcessLookupError if it has been killed: its end is reported.
    """
    ptrace.interrupt(tracee.tid)
    report = ptrace.next_report(tracee.tid)
    if _event(report) != (ptrace.EVENT_STOP, TRAP):
        listening.hear(loop, report)
        return False
    try:
        length = _length_of_loop(tracee)
        before = _everything(tracee) if length else None
        asks = False
        for _ in range(length if before else 0):
            asks |= dispatch.asks(ptrace.next_call(tracee.tid))
            _step(tracee)
        if before is not None and not asks and _everything(tracee) == before:
            return True
    except _StoppedOtherwiseError as other:
        listening.hear(loop, other.report)
    else:
        letting.go(loop.run, tracee, to_exit=tracee.to_exit)
    return False


class _StoppedOtherwiseError(Exception):
    """It has stopped for a reason of its own, or ended."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


def _length_of_loop(tracee: Tracee) -> int:
    """After how many instructions its registers are as they were; 0 if that is not soon. Memory is not looked at.

    The way to the loop is not yet part of it: what is compared with moves on, each time twice as far (Brent).
    """
    here, since, power = b"", 0, 1
    for _ in range(_MOST_INSTRUCTIONS):
        _step(tracee)
        since += 1
        now = ptrace.registers(tracee.tid)
        if now == here:
            return since
        if since == power:
            here, since, power = now, 0, 2 * power
    return 0


def _step(tracee: Tracee) -> None:
    """One instruction. Raises _StoppedOtherwiseError."""
    ptrace.single_step(tracee.tid)
    report = ptrace.next_report(tracee.tid)
    if _event(report) != (0, TRAP):
        raise _StoppedOtherwiseError(report)


def _event(report: Report) -> tuple[int, int] | None:
    """Of a stop: the event, and the signal; None if it has ended."""
    status = report[1]
    return (status >> 16, status >> 8 & 0xFF) if status & 0xFF == _STOPPED else None


def _everything(tracee: Tracee) -> tuple[bytes, bytes, bytes] | None:
    content, tid = memory.digest(tracee.tid), tracee.tid
    return None if content is None else (content, ptrace.registers(tid), ptrace.vectors(tid))
