"""Calls with a time limit (poll, select, sigtimedwait, futex, semtimedop ...): it becomes a deadline of the world.

The kernel is told to wait for ever; when the deadline has come, the call is interrupted and returns what it would have
returned then.
"""

from __future__ import annotations

import contextlib

from forklab.kernel import calls
from forklab.kernel.calls import PATIENT, LimitForm, int32
from forklab.lens.calls import hiding
from forklab.lens.edge import proc, ptrace
from forklab.lens.world import clock as clocks
from forklab.lens.world.onward import AT_ONCE, IN_TURN, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import SELECTS

_STICKY_TIMEOUTS = 0x4000000  # limits stay as they are, see personality(2)
# See mq_send(3), mq_receive(3).
_UNTIL_A_MOMENT = frozenset({"mq_timedsend", "mq_timedreceive"})
_CLOCK_PLACE = {"futex_wait": 5, "futex_waitv": 4}  # which argument says by which clock
TELL_WHAT_IS_LEFT = SELECTS | {"ppoll"}


def be_patient(run: Run, tracee: Tracee, call: Call) -> Onward:
    """A call with a time limit: the limit becomes a deadline of ours, the kernel waits for ever."""
    limit = PATIENT[call.name]
    try:
        deadline = deadline_of(run, tracee, call)
    except (OSError, ValueError):
        hiding.notice(run, tracee)
        return AT_ONCE
    if deadline is None:
        return INTO_ITS_CALL
    # A moment that is over may be far away on the real clock; but what is there already comes before it.
    if deadline <= run.clock.now and _absolute_on(call) is None:
        if call.name == "rt_sigtimedwait":  # what it takes may come from a timer
            return INTO_ITS_CALL
        run.clock.look()
        return IN_TURN if run.clock.watched else AT_ONCE
    if tracee.deadline is None:
        tracee.deadline = deadline
    call.expires = limit.expired
    call.patched = (limit.place, call.arguments[limit.place])
    ptrace.set_argument(tracee.tid, limit.place, limit.for_ever)
    return INTO_ITS_CALL


def expire(run: Run, tracee: Tracee, call: Call) -> None:
    """Its time is over: get it out of the call."""
    tracee.deadline = None
    call.expired = call.expires
    run.world.let(tracee, Stand.RUNNING)
    ptrace.interrupt(tracee.tid)


def tell_what_is_left(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """At its exit: Linux tells how much of its limit was left, and empties the sets of a select(2) that is over.

    Also if a signal has cut it short, but of no other error. If the call is made again after that (a stop is no
    handler), then with what was left.
    """
    limit = PATIENT[call.name]
    address = call.arguments[limit.place]
    if not call.patched or (result < 0 and call.expired is None and not tracee.interrupted):
        return
    deadline = tracee.deadline if call.expired is None else run.clock.now
    left = run.clock.left(max(0, (deadline or run.clock.now) - run.clock.now))
    form = clocks.timeval if limit.form is LimitForm.TIMEVAL else clocks.timespec
    sets = call.arguments[1:4] if call.expired == 0 and call.name in SELECTS else ()
    if not proc.personality(tracee.tid) & _STICKY_TIMEOUTS:
        with contextlib.suppress(OSError):  # a limit may be where one can't write: then it stays
            ptrace.write_memory(tracee.tid, address, form(left))
            tracee.deadline = None
    for one in filter(None, sets):
        with contextlib.suppress(OSError):
            size = (int32(call.arguments[0]) + 63) // 64 * 8
            ptrace.write_memory(tracee.tid, one, bytes(size))


def waits_on_futex(call: Call) -> bool:
    command = _futex_command(call)
    return command == calls.FUTEX_WAIT or command in calls.FUTEX_ABSOLUTE_WAITS


def deadline_of(run: Run, tracee: Tracee, call: Call) -> int | None:
    """None if it waits for ever, the past if it does not wait. Raises OSError or ValueError where that is an error."""
    limit = PATIENT[call.name]
    argument = call.arguments[limit.place]
    if call.name == "futex" and not waits_on_futex(call):
        return run.clock.now  # it wakes somebody
    if limit.is_for_ever(argument):
        return None
    if limit.form is LimitForm.MILLISECONDS:
        return run.clock.deadline(int32(argument) * 1_000_000)
    if call.name in _CLOCK_PLACE and _absolute_on(call) not in (0, 1):
        raise ValueError("no clock for a futex")
    content = ptrace.read_memory(tracee.tid, argument, 16)
    read = clocks.from_timeval if limit.form is LimitForm.TIMEVAL else clocks.from_timespec
    return run.clock.deadline(read(content), absolute_on=_absolute_on(call))


def _futex_command(call: Call) -> int:
    return int32(call.arguments[1]) & calls.FUTEX_COMMAND


def _absolute_on(call: Call) -> int | None:
    """The clock on which its limit is a moment; None if it is a duration."""
    if call.name in _UNTIL_A_MOMENT:
        return 0
    if call.name in _CLOCK_PLACE:
        return int32(call.arguments[_CLOCK_PLACE[call.name]])
    command = _futex_command(call) if call.name == "futex" else calls.FUTEX_WAIT
    if command not in calls.FUTEX_ABSOLUTE_WAITS:
        return None
    by_wall = command == calls.FUTEX_LOCK_PI or call.arguments[1] & calls.FUTEX_CLOCK_REALTIME
    return 0 if by_wall else 1
