"""A loop that only a signal can end: `while (1) {}`, or `while (!done) {}` where a handler sets `done`.

Proved, not guessed: the process is led through it instruction by instruction. If it comes to stand where it stood, with
the same in all registers and in all memory, it will do so for ever: nothing that it reads changes but by a signal.
"""

from __future__ import annotations

from forklab.kernel.signals import TRAP
from forklab.lens.edge import memory, ptrace
from forklab.lens.loop import letting, listening
from forklab.lens.loop.loop import Loop, Report
from forklab.lens.world.onward import HELD
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import LOOP

_MOST_INSTRUCTIONS = 3_000
_TRIES = frozenset({3, 6, 12})  # alarms without a report: then it is looked at
_MOST_ROUNDS = 20
_STOPPED = 0x7F


def is_held_for_good(loop: Loop, tracee: Tracee) -> bool:
    """It computes. If that is an endless loop, it is held there until a signal comes."""
    if loop.silent_alarms not in _TRIES or len(loop.run.world.threads_of(tracee.member)) > 1:
        return False
    if not _stands_in_endless_loop(loop, tracee):
        return False
    tracee.call = Call(LOOP, ())
    loop.goes_on(tracee, HELD)
    return True


def _stands_in_endless_loop(loop: Loop, tracee: Tracee) -> bool:
    """Of one that computes: if it is so, it has been stopped. Else it goes on, or has stopped for a reason of its own.

    Raises ProcessLookupError if it has been killed: its end is reported.
    """
    ptrace.interrupt(tracee.tid)
    report = _next_report(tracee)
    if _event(report) != (ptrace.EVENT_STOP, TRAP):
        listening.hear(loop, report)
        return False
    here, everything, rounds = b"", None, 0
    for place in range(_MOST_INSTRUCTIONS):
        ptrace.single_step(tracee.tid)
        report = _next_report(tracee)
        if _event(report) != (0, TRAP):
            listening.hear(loop, report)
            return False
        now = ptrace.registers(tracee.tid)
        if now == here:
            if _everything(tracee) == everything:
                return True
            rounds += 1
            if rounds > _MOST_ROUNDS:  # it counts in memory
                break
        if (
            place & (place + 1) == 0
        ):  # 0, 1, 3, 7 ...: its first way to the loop is not yet part of it (Brent)
            here, everything = now, _everything(tracee)
            if everything is None:
                break
    letting.go(loop.run, tracee, to_exit=tracee.to_exit)
    return False


def _next_report(tracee: Tracee) -> Report:
    while (report := ptrace.wait(tracee.tid)) is None:
        pass  # the alarm has interrupted us
    return report


def _event(report: Report) -> tuple[int, int] | None:
    """Of a stop: the event, and the signal; None if it has ended."""
    status = report[1]
    return (status >> 16, status >> 8 & 0xFF) if status & 0xFF == _STOPPED else None


def _everything(tracee: Tracee) -> tuple[bytes, bytes] | None:
    content = memory.digest(tracee.tid)
    return None if content is None else (content, ptrace.all_registers(tracee.tid))
