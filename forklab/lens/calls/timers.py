"""Timers, in virtual time: alarm(2), setitimer(2), timer_create(2), timerfd_create(2).

The world keeps them and sends the signals; the kernel never learns of a deadline.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable

from forklab.kernel.calls import int32
from forklab.lens.edge import descriptors, ptrace
from forklab.lens.edge.borrowing import borrow
from forklab.lens.edge.queueing import SI_KERNEL, SI_TIMER
from forklab.lens.world import clock as clocks
from forklab.lens.world.alarms import PosixTimer, Timer, TimerFile
from forklab.lens.world.chronicle import Member
from forklab.lens.world.onward import AT_ONCE, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_ITIMER_SIGNALS = (
    14,
    26,
    27,
)  # of ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF: SIGALRM, SIGVTALRM, SIGPROF
_TIMER_ABSTIME, _TFD_TIMER_CANCEL_ON_SET = 1, 2
_SIGEVENT = struct.Struct("<Qiii")  # value, signal, how to notify, thread
_SIGEV_NONE, _SIGEV_THREAD_ID = 1, 4
_OVERRUNS = struct.Struct("<i")
# Of struct signalfd_siginfo: signal, code, sender and the number of a timer; where it has overruns.
_SIGNALFD = struct.Struct("<I4xiI8xI")
SIGNALFD_SIZE, _SIGNALFD_OVERRUNS = 128, 32


def use_timer(run: Run, tracee: Tracee, call: Call) -> Onward:
    """At the entry of one of these calls: make it ourselves, or let the kernel find what is wrong with it."""
    run.time_passes()
    try:
        result = _result(run, tracee, call)
    except (OSError, ValueError):
        result = None
    if result is None:
        return INTO_ITS_CALL if call.name == "timer_create" else AT_ONCE
    tracee.saw(result)
    ptrace.skip_call(tracee.tid, result)
    return AT_ONCE


def created_timer(run: Run, tracee: Tracee, call: Call) -> None:
    """timer_create(2) was successful: from now on the new timer is ours."""
    run.time_passes()
    clock, event, told = int32(call.arguments[0]), *call.arguments[1:3]
    (identity,) = struct.unpack("<i", ptrace.read_memory(tracee.tid, told, 4))
    value, number, how, thread = identity, _ITIMER_SIGNALS[0], 0, 0
    if event:
        content = ptrace.read_memory(tracee.tid, event, _SIGEVENT.size)
        value, number, how, thread = _SIGEVENT.unpack(content)
    whose = None if clocks.is_virtual(clock) else _counted_by(run, tracee, clock)
    if whose is not None:
        run.alarms.count(whose)
    run.alarms.timers[tracee.member, identity] = PosixTimer(
        0 if how == _SIGEV_NONE else number,
        clock,
        whose,
        identity=identity,
        value=value,
        thread=thread if how & _SIGEV_THREAD_ID else None,
    )


def _counted_by(run: Run, tracee: Tracee, clock: int) -> Member:
    """Whose processor time this clock shows: CLOCK_PROCESS_CPUTIME_ID, or as clock_getcpuclockid(3) makes them."""
    other = run.chronicle.called(tracee.member, ~(clock >> 3)) if clock < 0 else None
    return other or tracee.member


def _result(run: Run, tracee: Tracee, call: Call) -> int | None:
    """What the call returns; None, or OSError or ValueError: the kernel shall say."""
    if call.name in ("alarm", "setitimer", "getitimer"):
        return _of_interval_timer(run, tracee, call)
    timer = run.alarms.timers.get((tracee.member, int32(call.arguments[0])))
    if isinstance(timer, PosixTimer) and call.name != "timer_create":
        return _of_posix_timer(run, tracee, call, timer)
    return None


def _of_interval_timer(run: Run, tracee: Tracee, call: Call) -> int | None:
    which = 0 if call.name == "alarm" else int32(call.arguments[0])
    if which not in range(len(_ITIMER_SIGNALS)):
        return None
    timer = _interval_timer(run, tracee.member, which)
    first, second, third = call.arguments[:3]
    if call.name == "alarm":
        left = run.clock.left(timer.left(run.clock.now))
        _start(run, timer, (first & 0xFFFFFFFF) * clocks.SECOND)
        return _in_seconds(left)
    if call.name == "getitimer":
        return _tell(run, tracee, timer, second, clocks.timeval)
    value = interval = 0
    if second:  # without it, the timer is stopped: setitimer(2), "Bugs"
        content = ptrace.read_memory(tracee.tid, second, clocks.ITIMERVAL.size)
        interval = clocks.from_timeval(content, strictly=True)
        value = clocks.from_timeval(content[16:], strictly=True)
    was = _told(run, timer, clocks.timeval)
    _start(run, timer, value, interval)
    return _put(tracee, third, was) if third else 0


def _in_seconds(left: int) -> int:
    """As the kernel rounds it for alarm(2): to the nearest, but a timer that still runs has one left."""
    seconds, rest = divmod(left, clocks.SECOND)
    return seconds + (rest >= clocks.SECOND // 2 or (rest > 0 and seconds == 0))


def _interval_timer(run: Run, member: Member, which: int) -> Timer:
    key = (member, -1 - which)
    if key not in run.alarms.timers:
        if which:
            run.alarms.count(member)
        whose = member if which else None
        run.alarms.timers[key] = Timer(_ITIMER_SIGNALS[which], 1, whose)
    return run.alarms.timers[key]


def _of_posix_timer(run: Run, tracee: Tracee, call: Call, timer: PosixTimer) -> int | None:
    second, third, fourth = call.arguments[1:4]
    match call.name:
        case "timer_settime":
            content = ptrace.read_memory(tracee.tid, third, clocks.ITIMERVAL.size) if third else b""
            interval, value = clocks.from_timespec(content), clocks.from_timespec(content[16:])
            was = _told(run, timer, clocks.timespec)
            _start(run, timer, value, interval, absolute=bool(second & _TIMER_ABSTIME))
            return _put(tracee, fourth, was) if fourth else 0
        case "timer_gettime":
            return _tell(run, tracee, timer, second, clocks.timespec)
        case "timer_getoverrun":
            return timer.overruns
        case "timer_delete":
            run.alarms.delete(tracee.member, timer.identity)
    return None  # the kernel's is to go, too


def _start(
    run: Run, timer: Timer, value: int, interval: int = 0, *, absolute: bool = False
) -> None:
    """Ring after `value`, or at that moment, then after each `interval`; a value of 0 stops it."""
    now = run.alarms.now(run.clock, timer)
    moment: int | None = None
    if value and timer.whose is not None:
        moment = value if absolute else now + value
    elif value:
        moment = run.clock.moment(value, timer.clock if absolute else None)
    timer.start(moment, interval, on_wall=absolute and clocks.is_wall(timer.clock))
    if moment is not None and moment <= now:
        run.suspects.update(run.alarms.ring_the_due(run.clock))


def _told(run: Run, timer: Timer, form: Callable[[int], bytes]) -> bytes:
    """How long it is still to run, and its interval."""
    left = run.clock.left(timer.left(run.alarms.now(run.clock, timer)))
    return form(timer.interval) + form(left)


def _tell(
    run: Run, tracee: Tracee, timer: Timer, address: int, form: Callable[[int], bytes]
) -> int:
    return _put(tracee, address, _told(run, timer, form))


def _put(tracee: Tracee, address: int, content: bytes) -> int:
    """What the call returns that tells this."""
    tracee.saw(content)
    try:
        ptrace.write_memory(tracee.tid, address, content)
    except OSError:
        return -errno.EFAULT
    return 0


def took_what_is_dropped(run: Run, tracee: Tracee, call: Call, number: int) -> bool:
    """At the exit of rt_sigtimedwait(2), which has taken a signal: whether the kernel would have dropped it."""
    info = _taken(run, tracee, call, number)
    is_stale = run.alarms.is_stale(tracee.member, info)
    if is_stale:
        run.alarms.delivered(run.clock, tracee.member, info)
    return is_stale


def took_signal(run: Run, tracee: Tracee, call: Call, number: int) -> None:
    """The same, where it has one now: maybe one that a timer has sent."""
    address = call.arguments[1]
    info = _taken(run, tracee, call, number)
    rung = run.alarms.delivered(run.clock, tracee.member, info)
    if rung is None or not address:
        return
    if rung.overruns is None:
        ptrace.write_memory(tracee.tid, address + ptrace.CODE_AT, _OVERRUNS.pack(SI_KERNEL))
        ptrace.write_memory(tracee.tid, address + ptrace.SENDER_AT, bytes(8))
    else:
        content = _OVERRUNS.pack(rung.overruns)
        ptrace.write_memory(tracee.tid, address + ptrace.OVERRUNS_AT, content)


def _taken(run: Run, tracee: Tracee, call: Call, number: int) -> ptrace.SignalInfo:
    address = call.arguments[1]
    try:
        content = ptrace.read_memory(tracee.tid, address, ptrace.SIGINFO_SIZE) if address else b""
    except OSError:
        content = b""
    if content:
        return ptrace.info_in(content)
    # Where the program does not want to know, nobody tells us either.
    timer = run.alarms.awaited(tracee.member, number)
    return ptrace.SignalInfo(number, 0 if timer is None else SI_TIMER, timer or 0)


def took_from_file(run: Run, tracee: Tracee, call: Call, size: int) -> None:
    """It has read so many bytes: maybe signals, from a descriptor of signalfd(2). The same there."""
    if descriptors.link(tracee.member.pid, int32(call.arguments[0])) != "anon_inode:[signalfd]":
        return
    for address in range(call.arguments[1], call.arguments[1] + size, SIGNALFD_SIZE):
        content = ptrace.read_memory(tracee.tid, address, SIGNALFD_SIZE)
        number, code, sender, timer = _SIGNALFD.unpack_from(content)
        info = ptrace.SignalInfo(number, code, timer if code == SI_TIMER else sender)
        rung = run.alarms.delivered(run.clock, tracee.member, info)
        if rung is None:
            continue
        if rung.is_stale:
            run.because(
                f"{tracee.member.name} reads the signal of a timer that was set anew or deleted, which the kernel drops"
            )
        if rung.overruns is None:
            ptrace.write_memory(tracee.tid, address + 8, struct.pack("<iI", SI_KERNEL, 0))
        else:
            content = _OVERRUNS.pack(rung.overruns)
            ptrace.write_memory(tracee.tid, address + _SIGNALFD_OVERRUNS, content)


def notice(run: Run, tracee: Tracee, call: Call) -> None:
    """Of a timer that is made or started: what of it a schedule does not know."""
    which = int32(call.arguments[0])
    if call.name == "setitimer" and which in (1, 2):
        run.because(
            f"{tracee.member.name} uses setitimer for processor time, which is not modelled"
        )
    elif call.name == "timer_create" and not clocks.is_virtual(which):
        run.because(
            f"{tracee.member.name} uses timer_create for processor time, which is not modelled"
        )
    elif call.name == "timer_settime":
        try:
            again = any(ptrace.read_memory(tracee.tid, call.arguments[2], clocks.TIMESPEC.size))
        except OSError:
            again = False
        if again:
            run.because(
                f"{tracee.member.name} has a timer that rings again, and how often is not modelled"
            )


def use_timer_file(run: Run, tracee: Tracee, call: Call) -> Onward:
    """timerfd_settime(2), timerfd_gettime(2). What is wrong with a call, the kernel shall find."""
    sets = call.name == "timerfd_settime"
    number, second, third, fourth = call.arguments[:4]
    try:
        content = ptrace.read_memory(tracee.tid, third, clocks.ITIMERVAL.size) if sets else b""
        value = clocks.from_timespec(content[16:]) if sets else 0
        interval = clocks.from_timespec(content) if sets else 0
    except (OSError, ValueError):
        return AT_ONCE
    if sets and second & ~(_TIMER_ABSTIME | _TFD_TIMER_CANCEL_ON_SET) & 0xFFFFFFFF:
        return AT_ONCE
    timer = _timer_file(run, tracee, int32(number))
    if timer is None:
        return AT_ONCE
    left = run.clock.left(timer.left(run.clock.now))
    was = clocks.timespec(timer.interval) + clocks.timespec(left)
    if sets:
        cancels = bool(second & _TFD_TIMER_CANCEL_ON_SET)
        absolute = bool(second & _TIMER_ABSTIME)
        timer.start(run.clock, value, interval, absolute=absolute, cancels=cancels)
        if timer.deadline is not None and timer.deadline <= run.clock.now:
            timer.ring()
    told = fourth if sets else second
    result = _put(tracee, told, was) if told or not sets else 0
    ptrace.skip_call(tracee.tid, result)
    return AT_ONCE


def has_read(run: Run, tracee: Tracee, call: Call) -> None:
    """It has read eight bytes, maybe from a timer: they say how often that has rung."""
    known = next((timer for timer in run.alarms.files if _is(timer, tracee, call)), None)
    if known is None:
        return
    count = known.read(run.clock.now)
    if count is None:
        ptrace.set_result(tracee.tid, -errno.ECANCELED)
        return
    address = call.arguments[1]
    if call.name == "readv":
        address = ptrace.read_word(tracee.tid, address)
    ptrace.write_memory(tracee.tid, address, struct.pack("<Q", count))


def _is(timer: TimerFile, tracee: Tracee, call: Call) -> bool:
    number, pid = int32(call.arguments[0]), tracee.member.pid
    if descriptors.clock_of(pid, number) is None:
        return False
    return descriptors.is_ours(pid, number, timer.descriptor)


def _timer_file(run: Run, tracee: Tracee, number: int) -> TimerFile | None:
    """None if it is no timer, or goes by a clock that is not ours."""
    pid = tracee.member.pid
    clock = descriptors.clock_of(pid, number)
    if clock is None or not clocks.is_virtual(clock):
        return None
    for timer in run.alarms.files:
        if descriptors.is_ours(pid, number, timer.descriptor):
            return timer
    try:
        ours = borrow(pid, tracee.tid, number)
    except OSError:  # some containers forbid it
        run.kernel_keeps_time = True
        run.because("it uses timers that run in real time")
        return None
    os.set_inheritable(ours, False)
    run.alarms.files.append(TimerFile(ours, clock))
    return run.alarms.files[-1]
