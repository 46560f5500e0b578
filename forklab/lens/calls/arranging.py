"""What a process arranges for what may come to it: signals by rt_sigaction(2), orphans by prctl(2)."""

from __future__ import annotations

from forklab.kernel.calls import int32
from forklab.kernel.signals import CHLD, HARMLESS_MASK, bit
from forklab.lens.calls import masking
from forklab.lens.calls.actions import action_of
from forklab.lens.world.dispositions import SA_SIGINFO
from forklab.lens.world.onward import AT_ONCE, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

PR_SET_CHILD_SUBREAPER = 36
_SIG_DFL, _NSIG = 0, 64


def set_handler(run: Run, tracee: Tracee, call: Call) -> Onward:
    """The flags are nowhere in /proc. Where nobody asks what it has seen, only those of SIGCHLD matter."""
    if not call.idle:
        run.dispositions.changed(tracee.member)
    number = int32(call.arguments[0])
    wanted = action_of(tracee, call) if number == CHLD or tracee.seen is not None else None
    if wanted is not None:
        run.dispositions.set_flags(tracee.member, number, wanted.flags)
        if wanted.flags & SA_SIGINFO:
            masking.will_be_told(run, tracee, bit(number))
    return AT_ONCE


def makes_a_difference(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether this rt_sigaction(2) has to be a step: others may be before it, or after it.

    Not if it only asks, or if a signal has its default disposition before and after it. But of those that nobody
    notices then, what is pending is thrown away: signal(7).
    """
    number = int32(call.arguments[0])
    if not call.arguments[1] or not 0 < number <= _NSIG:
        return False
    masks = run.dispositions.of(tracee)
    if masks is None or bit(number) & (HARMLESS_MASK | masks.ignored | masks.caught):
        return True
    wanted = action_of(tracee, call)
    if wanted is None:
        return False  # EFAULT
    call.idle = wanted.handler == _SIG_DFL and not wanted.flags & SA_SIGINFO
    return not call.idle


def changes_nothing(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether this gives a signal the default disposition that it has already, and nobody can tell."""
    return call.name == "rt_sigaction" and not makes_a_difference(run, tracee, call) and call.idle


def control_itself(run: Run, tracee: Tracee, call: Call) -> Onward:
    """prctl(2)"""
    if int32(call.arguments[0]) == PR_SET_CHILD_SUBREAPER:
        tracee.member.adopts = bool(call.arguments[1])
    return AT_ONCE
