"""Timers that ring by a signal, in virtual time: alarm(2), setitimer(2), timer_create(2).

The world keeps them and sends the signals; the kernel never learns of a deadline.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from forklab.kernel.calls import int32
from forklab.lens.edge import ptrace
from forklab.lens.world import clock as clocks
from forklab.lens.world.alarms import INTERVAL_TIMER, Timer
from forklab.lens.world.onward import AT_ONCE, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_ITIMER_REAL = 0
_TIMER_ABSTIME = 1
_SIGALRM = 14
_SI_KERNEL, _SI_TIMER = 0x80, -2
_SIGEVENT = struct.Struct("<Qii")  # value, signal, how to notify
_SIGEV_SIGNAL = 0


def use_timer(run: Run, tracee: Tracee, call: Call) -> Onward:
    """At the entry of one of these calls: make it ourselves, or let the kernel find what is wrong with it."""
    try:
        result = _result(run, tracee, call)
    except (OSError, ValueError):
        result = None
    if result is None:
        return INTO_ITS_CALL if call.name == "timer_create" else AT_ONCE
    ptrace.skip_call(tracee.tid, result)
    return AT_ONCE


def created_timer(run: Run, tracee: Tracee, call: Call) -> None:
    """timer_create(2) was successful: from now on the new timer is ours, if it rings by a signal."""
    clock, event, told = call.arguments[:3]
    number = _SIGALRM
    if event:
        content = ptrace.read_memory(tracee.tid, event, _SIGEVENT.size)
        _, number, how = _SIGEVENT.unpack(content)
        if how != _SIGEV_SIGNAL:
            run.because("it uses timers that run in real time")
            return
    (timer,) = struct.unpack("<i", ptrace.read_memory(tracee.tid, told, 4))
    if clocks.is_virtual(int32(clock)):
        run.alarms.timers[tracee.member, timer] = Timer(number, _SI_TIMER, int32(clock))


def _result(run: Run, tracee: Tracee, call: Call) -> int | None:
    first, second, third, fourth = call.arguments[:4]
    number = int32(first)
    if call.name in ("alarm", "setitimer", "getitimer"):
        ringing = Timer(_SIGALRM, _SI_KERNEL, 1)
        timer = run.alarms.timers.setdefault((tracee.member, INTERVAL_TIMER), ringing)
    elif call.name == "timer_create" or (tracee.member, number) not in run.alarms.timers:
        return None
    else:
        timer = run.alarms.timers[tracee.member, number]
    match call.name:
        case "alarm":
            left = timer.left(run.clock.now)
            timer.start(run.clock, (first & 0xFFFFFFFF) * clocks.SECOND)
            return -(-left // clocks.SECOND)
        case "setitimer" | "getitimer" if number != _ITIMER_REAL:
            return None  # these count processor time
        case "setitimer":
            content = ptrace.read_memory(tracee.tid, second, clocks.ITIMERVAL.size)
            interval, value = clocks.from_timeval(content), clocks.from_timeval(content[16:])
            _tell(run, tracee, timer, third, clocks.timeval)
            timer.start(run.clock, value, interval)
        case "getitimer":
            _tell(run, tracee, timer, second, clocks.timeval)
        case "timer_settime":
            content = ptrace.read_memory(tracee.tid, third, clocks.ITIMERVAL.size)
            interval, value = clocks.from_timespec(content), clocks.from_timespec(content[16:])
            _tell(run, tracee, timer, fourth, clocks.timespec)
            absolute = timer.clock if second & _TIMER_ABSTIME else None
            timer.start(run.clock, value, interval, absolute_on=absolute)
        case "timer_gettime":
            _tell(run, tracee, timer, second, clocks.timespec)
        case "timer_delete":
            del run.alarms.timers[tracee.member, number]
            return None  # the kernel's is to go, too
    return 0


def _tell(
    run: Run, tracee: Tracee, timer: Timer, address: int, form: Callable[[int], bytes]
) -> None:
    """How long it was still to run, and its interval, to where the program wants to know it."""
    if address:
        content = form(timer.interval) + form(timer.left(run.clock.now))
        ptrace.write_memory(tracee.tid, address, content)
