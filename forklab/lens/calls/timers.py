"""Timers that ring by a signal, in virtual time: alarm(2), setitimer(2), timer_create(2).

The world keeps them and sends the signals; the kernel never learns of a deadline.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

from forklab.kernel.calls import int32
from forklab.lens.edge import descriptors, ptrace
from forklab.lens.world import clock as clocks
from forklab.lens.world.alarms import INTERVAL_TIMER, Timer, TimerFile
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


def use_timer_file(run: Run, tracee: Tracee, call: Call) -> Onward:
    """timerfd_settime(2), timerfd_gettime(2). What is wrong with a call, the kernel shall find."""
    sets = call.name == "timerfd_settime"
    number, second, third, fourth = call.arguments[:4]
    try:
        content = ptrace.read_memory(tracee.tid, third, clocks.ITIMERVAL.size) if sets else b""
        value, interval = clocks.from_timespec(content[16:]), clocks.from_timespec(content)
    except (OSError, ValueError):
        if sets:
            return AT_ONCE
        value = interval = 0
    timer = _timer_file(run, tracee, int32(number))
    if timer is None:
        return AT_ONCE
    told = (fourth if sets else second) or 0
    try:
        if told:
            left = clocks.timespec(timer.left(run.clock.now))
            ptrace.write_memory(tracee.tid, told, clocks.timespec(timer.interval) + left)
    except OSError:
        return AT_ONCE
    if sets:
        timer.start(run.clock, value, interval, absolute=bool(second & _TIMER_ABSTIME))
    ptrace.skip_call(tracee.tid, 0)
    return AT_ONCE


def has_read(run: Run, tracee: Tracee, call: Call) -> None:
    """It has read eight bytes, maybe from a timer: they say how often that has rung."""
    known = next((timer for timer in run.alarms.files if _is(timer, tracee, call)), None)
    if known is not None:
        content = struct.pack("<Q", known.read(run.clock.now))
        ptrace.write_memory(tracee.tid, call.arguments[1], content)


def _is(timer: TimerFile, tracee: Tracee, call: Call) -> bool:
    number, pid = int32(call.arguments[0]), tracee.member.pid
    if descriptors.clock_of(pid, number) is None:
        return False
    return descriptors.are_one(pid, number, os.getpid(), timer.descriptor)


def _timer_file(run: Run, tracee: Tracee, number: int) -> TimerFile | None:
    """None if it is no timer, or goes by a clock that is not ours."""
    pid = tracee.member.pid
    clock = descriptors.clock_of(pid, number)
    if clock is None or not clocks.is_virtual(clock):
        return None
    for timer in run.alarms.files:
        if descriptors.are_one(pid, number, os.getpid(), timer.descriptor):
            return timer
    try:
        ours = descriptors.borrow(pid, number)
    except OSError:  # some containers forbid it
        run.because("it uses timers that run in real time")
        return None
    os.set_inheritable(ours, False)
    run.alarms.files.append(TimerFile(ours, clock))
    return run.alarms.files[-1]
