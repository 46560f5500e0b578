"""Calls with a time limit (poll, select, epoll, sigtimedwait, futex): the limit becomes a deadline of the world.

The kernel is told to wait for ever; when the deadline has come, the call is interrupted and returns what it would have
returned then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forklab.lens.calls import groups as calls
from forklab.lens.calls.groups import Form, int32
from forklab.lens.edge import ptrace
from forklab.lens.world import clock as clocks
from forklab.lens.world.tracee import Call, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World


def be_patient(world: World, tracee: Tracee, call: Call, *, again: bool) -> None:
    """A call with a time limit: the limit becomes a deadline of ours, the kernel waits for ever."""
    patience = calls.PATIENT[call.name]
    try:
        limit = _limit(world, tracee, call)
    except (OSError, ValueError):
        world.go_on(tracee)
        return
    if limit is None or (limit <= world.clock.now and _absolute_on(call) is None):
        world.go_on(tracee, to_exit=limit is None)
        return
    if limit <= world.clock.now:  # on the real clock that moment may be far away
        ptrace.skip_call(tracee.tid, patience.expired)
        world.ready(tracee)
        return
    if not again or tracee.deadline is None:
        tracee.deadline = limit
    call.patched = (patience.place, call.arguments[patience.place])
    ptrace.set_argument(tracee.tid, patience.place, patience.for_ever)
    world.go_on(tracee, to_exit=True)


def _limit(world: World, tracee: Tracee, call: Call) -> int | None:
    """Its deadline; None if it waits for ever, the past if it does not wait."""
    patience = calls.PATIENT[call.name]
    argument = call.arguments[patience.place]
    if patience.form is Form.MILLISECONDS:
        milliseconds = int32(argument)
        return None if milliseconds < 0 else world.clock.deadline(milliseconds * 1_000_000)
    absolute = _absolute_on(call)
    if call.name == "futex" and absolute is None and _futex_command(call) != calls.FUTEX_WAIT:
        return world.clock.now  # it wakes somebody, and does not wait
    if not argument:
        return None
    content = ptrace.read_memory(tracee.tid, argument, 16)
    read = clocks.from_timeval if patience.form is Form.TIMEVAL else clocks.from_timespec
    return world.clock.deadline(read(content), absolute_on=absolute)


def _futex_command(call: Call) -> int:
    return int32(call.arguments[1]) & calls.FUTEX_COMMAND


def _absolute_on(call: Call) -> int | None:
    """The clock on which its limit is a moment; None if it is a duration."""
    if call.name != "futex" or _futex_command(call) not in calls.FUTEX_ABSOLUTE_WAITS:
        return None
    return 0 if int32(call.arguments[1]) & calls.FUTEX_CLOCK_REALTIME else 1


def expire(world: World, tracee: Tracee, call: Call) -> None:
    """Its time is over: get it out of the call."""
    tracee.deadline = None
    call.expired = calls.PATIENT[call.name].expired
    world.interrupt(tracee)
