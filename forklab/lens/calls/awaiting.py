"""Calls that wait for signals and for nothing else: pause(2), sigsuspend(2), sigtimedwait(2).

Whoever is before one can be held there, as before wait(2): who knows of each signal knows when it would return. So
nobody has to look again and again whether it still sleeps in the kernel, and who looks around ten times a second need
not be let in and got out each time.
"""

from __future__ import annotations

from forklab.kernel.calls import PATIENT
from forklab.kernel.signals import CONT, STOPPING_MASK, bit
from forklab.lens.calls import patience
from forklab.lens.edge import proc, ptrace
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_FOR_WHATEVER_COMES = "pause"
_WITH_ANOTHER_MASK, _FOR_SOME = "rt_sigsuspend", "rt_sigtimedwait"
_TAKEN_BACK = STOPPING_MASK | bit(CONT)  # the one by the other, while they wait: signal(7)


def is_one(call: Call) -> bool:
    """Whether it is such a call."""
    return call.name in (_FOR_WHATEVER_COMES, _WITH_ANOTHER_MASK, _FOR_SOME)


def waits(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether it has to wait in such a call; if not for ever, until its deadline from now on.

    False also if it is an error: the kernel knows which.
    """
    try:
        if call.name != _FOR_WHATEVER_COMES:  # the kernel reads that once, too
            call.signals = ptrace.read_word(tracee.tid, call.arguments[0])
    except OSError:
        return False
    if would_return(tracee, call):
        return False
    if call.name != _FOR_SOME:
        return True
    try:
        deadline = patience.deadline_of(run, tracee, call)
    except (OSError, ValueError):
        return False
    if deadline is None:
        return True
    if deadline <= run.clock.now:
        return False
    if tracee.deadline is None:
        tracee.deadline = deadline
    call.expires = PATIENT[call.name].expired
    return True


def would_return(tracee: Tracee, call: Call) -> bool:
    """Whether it would not wait, as a signal is there for it."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    if masks is None:
        return True
    if call.name == _WITH_ANOTHER_MASK:
        masks = masks._replace(blocked=call.signals)
    taken = masks.pending & call.signals if call.name == _FOR_SOME else 0
    there = taken or masks.due(is_init=tracee.member.is_init)
    call.returns = bool(there & ~_TAKEN_BACK)
    return bool(there)
