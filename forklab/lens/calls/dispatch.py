"""What a stop at a system call means: what is written down, and how the thread goes on from there.

`begin` and `make` are for the entry of a call, `returned` for its exit, `time_is_up` for when the deadline of somebody
has come who is in one. Each kind of call has its own module; see the man page of each. A call without a handler is
made, and that is all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forklab.kernel.calls import INTERRUPTED, PATIENT, Concern, calls_in, concerns_of, int32
from forklab.kernel.processors import name_of
from forklab.lens.calls import (
    arranging,
    looking,
    making,
    namespaces,
    patience,
    sending,
    setting,
    sleeping,
    sockets,
    timers,
    tracing,
    waiting,
    writing,
)
from forklab.lens.edge import proc, ptrace
from forklab.lens.world.onward import AT_ONCE, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee

_EINTR, _EAGAIN = 4, 11
_COUNT = 8  # bytes, that a timer's file tells
_SLEEPS, _WAITS = calls_in("sleep"), calls_in("wait")
_SIGNALLING = calls_in("signal")
_OPTIONS = frozenset({"setsockopt", "getsockopt"})
_MOVES = calls_in("read", "write") | sockets.SENDS | {"recvmmsg"}
# Who waits by looking again and again, at the clock or at what others do, may do these in between.
_LOOKS = calls_in("clock", "wait", "signal") | _MOVES | frozenset(PATIENT)

_WAIT_FOR_A_LOCK = frozenset({7, 38})  # F_SETLKW, F_OFD_SETLKW, see fcntl(2)

Handler = Callable[[Run, Tracee, Call], Onward]


def begin(run: Run, tracee: Tracee) -> Call:
    """It is about to make a call at which the filter stops it."""
    stop = ptrace.call(tracee.tid)
    call = Call(_name_of(stop), stop.arguments)
    before, tracee.call = tracee.call, call
    if tracee.interrupted and before is not None and call.name in (before.name, "restart_syscall"):
        call.again = True
    else:
        tracee.deadline = None
    tracee.interrupted = False
    run.clock.called()
    if call.name not in _LOOKS:
        run.clock.looked_away()
    if call.name == "restart_syscall" and call.again and before is not None:
        call.name, call.arguments = before.name, before.arguments
    return call


def _name_of(stop: ptrace.CallStop) -> str:
    if not stop.native:
        return f"system call {stop.number} of a 32-bit program"
    return name_of(stop.number) or f"system call {stop.number}"


def asks(number: int | None) -> bool:
    """Whether a call of this number, if it is one, can have another answer the next time."""
    return number is not None and concerns_of(name_of(number) or "") != {Concern.PRIVATE}


def make(run: Run, tracee: Tracee, call: Call) -> Onward:
    """It makes the call now."""
    handler = _HANDLERS.get(call.name)
    if handler is None:
        may_wait = concerns_of(call.name) & {Concern.WAITS, Concern.UNKNOWN}
        return INTO_ITS_CALL if may_wait or call.patched is not None else AT_ONCE
    return handler(run, tracee, call)


def result_of(tracee: Tracee) -> int:
    """At the exit of a call: what it returns, -errno for an error."""
    return ptrace.call(tracee.tid).number


def goes_back(run: Run, tracee: Tracee, result: int) -> bool:
    """At the exit of a call: whether the kernel would not have let it come back. Then it makes it again.

    A signal that it ignores has broken it off, which only who is traced notices; or it has taken one of a timer that
    has been set anew meanwhile.
    """
    call = tracee.call
    if call is None or call.expired is not None:
        return False
    if result == -_EINTR:
        goes = _was_broken_off_in_vain(tracee)
    else:
        takes = result > 0 and call.name == "rt_sigtimedwait"
        goes = takes and timers.took_what_is_dropped(run, tracee, call, result)
    if not goes:
        return False
    if call.patched is not None:
        ptrace.set_argument(tracee.tid, *call.patched)
    ptrace.call_again(tracee.tid, call.name, call.arguments[0])
    tracee.interrupted = True
    return True


def _was_broken_off_in_vain(tracee: Tracee) -> bool:
    """By signals of which it ignores all."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    if masks is None or not masks.pending & ~masks.blocked:
        return False
    return not masks.deliverable


def returned(run: Run, tracee: Tracee, result: int) -> int:
    """It comes out of a call at whose exit we wanted to see it. Answers what it is told that the call returns."""
    call = tracee.call
    tracee.interrupted = result in INTERRUPTED
    if call is not None:
        if call.patched is not None:
            ptrace.set_argument(tracee.tid, *call.patched)
        if call.by_socket and call.expired is None and sockets.was_broken_off(tracee, result):
            result, tracee.interrupted = -_EINTR, False
            ptrace.set_result(tracee.tid, result)
        if call.name in patience.TELL_WHAT_IS_LEFT:
            patience.tell_what_is_left(run, tracee, call, result)
        if call.expired is not None:
            if tracee.interrupted or result == -_EINTR:
                ptrace.set_result(tracee.tid, call.expired)
            tracee.interrupted = False
        elif tracee.interrupted and call.name in _SLEEPS:
            sleeping.tell_what_is_left(run, tracee, call)
        elif call.name in _SIGNALLING:
            sending.sent(run, tracee, call, result)
        elif call.name in _WAITS and not tracee.interrupted:
            waiting.waited(run, tracee, call, result)
        elif call.name in making.MAKING:
            making.has_made(run, tracee, call, result)
        elif call.name == "timer_create" and result == 0:
            timers.created_timer(run, tracee, call)
        elif call.looks_at is not None and result > 0:
            result = looking.disguise(run, tracee, call, result)
        elif call.name == "rt_sigtimedwait" and result > 0:
            timers.took_signal(run, tracee, call, result)
        elif call.name in _OPTIONS and result == 0:
            sockets.used_option(run, tracee, call)
        elif call.name in _MOVES and not tracee.interrupted:
            _moved(run, tracee, call, result)
    if not tracee.interrupted:
        tracee.deadline = None
    return result


def _moved(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """It has read or written something, or tried to."""
    if result == -_EAGAIN:
        run.clock.look()
        return
    run.clock.looked_away()
    if call.name in ("read", "readv") and result == _COUNT and run.alarms.files:
        timers.has_read(run, tracee, call)
    elif (
        call.name == "read"
        and result > 0
        and run.alarms.timers
        and not result % timers.SIGNALFD_SIZE
    ):
        timers.took_from_file(run, tracee, call, result)
    elif result >= 0:
        sockets.accepted(run, tracee, call, result)


def time_is_up(run: Run, tracee: Tracee) -> Onward | None:
    """The deadline of its call has come. None: it goes on by itself, or not yet."""
    assert tracee.call is not None
    if tracee.stand is Stand.HELD:
        return sleeping.wake(tracee)
    if tracee.stand is Stand.INSIDE:
        patience.expire(run, tracee, tracee.call)
    return None


def _let_in(run: Run, tracee: Tracee, call: Call) -> Onward:
    return INTO_ITS_CALL


def _control(run: Run, tracee: Tracee, call: Call) -> Onward:
    return INTO_ITS_CALL if int32(call.arguments[1]) in _WAIT_FOR_A_LOCK else AT_ONCE


def _by_call() -> Mapping[str, Handler]:
    found: dict[str, Handler] = dict.fromkeys(PATIENT, patience.be_patient)
    for group, handler in _BY_GROUP.items():
        found |= dict.fromkeys(calls_in(group), handler)
    return {
        **found,
        **dict.fromkeys(sockets.SENDS, writing.write),
        **dict.fromkeys(_OPTIONS, sockets.use_option),
        "recvmmsg": writing.read,
        "bind": _let_in,
        **dict.fromkeys(("vmsplice", "pwritev2"), writing.write),
        "tee": writing.move,
        "fcntl": _control,
        "ptrace": tracing.trace,
        "clone": tracing.keep_the_child,
        "rt_sigaction": arranging.set_handler,
        "prctl": arranging.control_itself,
        "unshare": namespaces.leave,
        "setns": namespaces.enter,
    }


_BY_GROUP: Mapping[str, Handler] = {
    **dict.fromkeys(("eventfd", "socketpair", "socket", "mq_open", "suspend"), _let_in),
    "clock": sleeping.read_clock,
    "set_clock": setting.set_clock,
    "sleep": sleeping.sleep,
    "timer": timers.use_timer,
    "timerfd": timers.use_timer_file,
    "wait": waiting.wait,
    "write": writing.write,
    "read": looking.read,
    "signal": sending.send,
}
_HANDLERS = _by_call()
