"""Clocks and sleeps: the time is what the world's clock says, and whoever sleeps is held until then."""

from __future__ import annotations

import struct

from forklab.kernel.calls import int32
from forklab.lens.calls import hiding
from forklab.lens.edge import ptrace
from forklab.lens.world import clock as clocks
from forklab.lens.world.onward import AT_ONCE, HELD, IN_TURN, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_TIMER_ABSTIME = 1


def read_clock(run: Run, tracee: Tracee, call: Call) -> Onward:
    which = clock_of(call)
    if not clocks.is_virtual(which):
        return AT_ONCE
    time = _read(run, tracee, which)
    tracee.saw(time)
    if call.name == "gettimeofday" and call.arguments[1]:  # the time zone is the machine's
        if _poke(tracee, call.arguments[0], clocks.timeval(time)):
            call.patched = (0, call.arguments[0])
            ptrace.set_argument(tracee.tid, 0, 0)
            return INTO_ITS_CALL
    else:
        answer(tracee, call, time)
    # Who does nothing else waits for somebody, maybe: let others run as well.
    return IN_TURN if run.clock.watched else AT_ONCE


def clock_of(call: Call) -> int:
    """Which one is read."""
    return int32(call.arguments[0]) if call.name == "clock_gettime" else 0


def answer(tracee: Tracee, call: Call, time: int) -> None:
    """At the entry of a reading: it hears this time, where there is a place for it, and nothing of its zone."""
    address, content, result = call.arguments[0], clocks.timespec(time), 0
    if call.name == "clock_gettime":
        address = call.arguments[1]
    elif call.name == "gettimeofday":
        content = clocks.timeval(time)
    else:
        result = time // clocks.SECOND
        content = struct.pack("<q", result)
    if _poke(tracee, address, content):
        ptrace.skip_call(tracee.tid, result)


def _read(run: Run, tracee: Tracee, which: int) -> int:
    if (dial := tracee.dial) is not None:
        if dial.takes_one(tracee.tid):
            return run.clock.shows(which)
        dial.read_back(tracee.tid, run.clock)
    return run.clock.read(which)


def sleep(run: Run, tracee: Tracee, call: Call) -> Onward:
    absolute, address, clock = None, call.arguments[0], 1
    if call.name == "clock_nanosleep":
        clock, address = int32(call.arguments[0]), call.arguments[2]
        absolute = clock if call.arguments[1] & _TIMER_ABSTIME else None
    if clocks.is_virtual(clock) and not clocks.one_can_sleep_by(clock):
        return AT_ONCE  # an error
    try:
        duration = clocks.from_timespec(ptrace.read_memory(tracee.tid, address, 16))
    except (OSError, ValueError):
        hiding.notice(run, tracee)
        return AT_ONCE  # the kernel knows which error that is
    if not clocks.is_virtual(clock):
        return INTO_ITS_CALL  # processor time, or an error
    if tracee.deadline is None:
        tracee.deadline = run.clock.deadline(duration, absolute_on=absolute)
    return wake(tracee) if tracee.deadline <= run.clock.now else HELD


def tell_what_is_left(run: Run, tracee: Tracee, call: Call) -> None:
    """A signal has cut a sleep short: the kernel has told how much is left of it in real time."""
    relative = call.name == "nanosleep" or not call.arguments[1] & _TIMER_ABSTIME
    address = call.arguments[1 if call.name == "nanosleep" else 3]
    if relative and address and tracee.deadline is not None:
        left = run.clock.left(max(0, tracee.deadline - run.clock.now))
        _poke(tracee, address, clocks.timespec(left))


def wake(tracee: Tracee) -> Onward:
    """Its sleep, which the kernel never learns of, is over."""
    tracee.deadline = None
    ptrace.skip_call(tracee.tid, tracee.call.expires if tracee.call else 0)
    return IN_TURN


def let_in(tracee: Tracee) -> None:
    """A signal is pending for it: the call at whose entry it is held shall be made, and interrupted, for real.

    A sleep until a moment would be over at once: on the real clock that moment has long passed.
    """
    call = tracee.call
    if call is not None and call.name == "clock_nanosleep" and call.arguments[1] & _TIMER_ABSTIME:
        call.patched = (1, call.arguments[1])
        ptrace.set_argument(tracee.tid, 1, 0)


def _poke(tracee: Tracee, address: int, content: bytes) -> bool:
    """False where it can't be: the kernel shall find the error by itself. Nowhere (NULL) is fine."""
    try:
        if address:
            ptrace.write_memory(tracee.tid, address, content)
    except OSError:
        return False
    return True
