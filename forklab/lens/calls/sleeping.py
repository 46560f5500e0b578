"""Clocks and sleeps: the time is what the world's clock says, and whoever sleeps is held until then."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forklab.lens.calls.groups import int32
from forklab.lens.edge import ptrace
from forklab.lens.world import clock as clocks
from forklab.lens.world.tracee import Call, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_TIMER_ABSTIME = 1


def read_clock(world: World, tracee: Tracee, call: Call) -> None:
    which = int32(call.arguments[0]) if call.name == "clock_gettime" else 0
    address = call.arguments[1 if call.name == "clock_gettime" else 0]
    if not clocks.is_virtual(which):
        world.go_on(tracee)
        return
    time = world.clock.read(which)
    if world.schedule is not None:
        tracee.saw(time)
    answer = clocks.timeval if call.name == "gettimeofday" else clocks.timespec
    content, result = answer(time), 0
    if call.name == "time":
        result = time // clocks.SECOND
        content = struct.pack("<q", result)
    if _poke(tracee, address, content):
        ptrace.skip_call(tracee.tid, result)
    if world.clock.watched:  # it waits for somebody, maybe: let others run as well
        world.ready(tracee)
    else:
        world.go_on(tracee)


def sleep(world: World, tracee: Tracee, call: Call) -> None:
    absolute, address, clock = None, call.arguments[0], 1
    if call.name == "clock_nanosleep":
        clock, address = int32(call.arguments[0]), call.arguments[2]
        absolute = clock if call.arguments[1] & _TIMER_ABSTIME else None
    try:
        duration = clocks.from_timespec(ptrace.read_memory(tracee.tid, address, 16))
    except (OSError, ValueError):
        world.go_on(tracee)  # the kernel knows which error that is
        return
    if not clocks.is_virtual(clock):
        world.go_on(tracee, to_exit=True)
        return
    if tracee.deadline is None:
        tracee.deadline = world.clock.deadline(duration, absolute_on=absolute)
    if tracee.deadline <= world.clock.now:
        wake(world, tracee)
        return
    world.hold(tracee)


def tell_what_is_left(world: World, tracee: Tracee, call: Call) -> None:
    """A signal has cut a sleep short: the kernel has told how much is left of it in real time."""
    relative = call.name == "nanosleep" or not call.arguments[1] & _TIMER_ABSTIME
    address = call.arguments[1 if call.name == "nanosleep" else 3]
    if relative and address and tracee.deadline is not None:
        _poke(tracee, address, clocks.timespec(max(0, tracee.deadline - world.clock.now)))


def wake(world: World, tracee: Tracee) -> None:
    """Its sleep, which the kernel never learns of, is over."""
    tracee.deadline = None
    ptrace.skip_call(tracee.tid, 0)
    world.ready(tracee)


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
