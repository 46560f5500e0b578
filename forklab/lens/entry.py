"""What a stop at a system call means: who is held, who goes on, what is written down.

`entered` is called at the entry of a call, `returned` at its exit, `can_return` and `time_is_up` for those who are held
in between. See the man page of each call.
"""

from __future__ import annotations

import os
import signal
import stat
import struct
from typing import TYPE_CHECKING

from forklab.lens import calls, proc, ptrace, timers
from forklab.lens import clock as clocks
from forklab.lens.arch import this_arch
from forklab.lens.calls import Form, int32
from forklab.lens.chronicle import Member
from forklab.lens.tracee import Call, Stand, Tracee

if TYPE_CHECKING:
    from forklab.lens.world import World

_NAMES = {number: name for name, number in this_arch().calls.items()}
_EINTR, _EINVAL, _EPERM = 4, 22, 1
_TIMER_ABSTIME = 1
_IOVEC = struct.Struct("<QQ")
_MOST_AT_ONCE = 1 << 20  # bytes of one write that we look at


def entered(world: World, tracee: Tracee) -> None:
    """It is about to make a call at which the filter stops it."""
    stop = ptrace.call(tracee.tid)
    name = _NAMES[stop.number]
    resumed = tracee.call if tracee.interrupted else None
    call = tracee.call = Call(name, stop.arguments)
    again = resumed is not None and (resumed.name == name or name == "restart_syscall")
    if not again:
        tracee.deadline = None
    tracee.interrupted = False
    if name in calls.CLOCKS:
        _read_clock(world, tracee, call)
        return
    if name not in calls.IDLING:
        world.clock.rest()
    if name == "restart_syscall" and again and resumed is not None:
        call = tracee.call = Call(resumed.name, resumed.arguments)
        name = call.name
    if name in calls.SLEEPS and world.controlled:
        _sleep(world, tracee, call)
    elif name in calls.TIMERS and world.controlled:
        timers.use_timer(world, tracee, call)
    elif name in calls.WAITS:
        _wait(world, tracee)
    elif name in calls.WRITES:
        _write(world, tracee, call)
    elif name in calls.SIGNALLING:
        _send(world, tracee, call)
    elif name in calls.PATIENT:
        _be_patient(world, tracee, call, again=again)
    elif name in calls.READS:
        _read(world, tracee, call)
    elif name in calls.SUSPENDING:
        world.go_on(tracee, to_exit=True)
    elif name in calls.UNTIMED:
        world.because("it uses timers that run in real time")
        world.go_on(tracee)
    else:
        if name == "rt_sigaction":
            world.dispositions.pop(tracee.member, None)
        world.go_on(tracee)


def returned(world: World, tracee: Tracee) -> None:
    """It comes out of a call at whose exit we wanted to see it."""
    call = tracee.call
    result = ptrace.call(tracee.tid).number
    tracee.interrupted = result in calls.INTERRUPTED
    if call is not None:
        if call.patched is not None:
            ptrace.set_argument(tracee.tid, *call.patched)
        if call.expired is not None:
            if tracee.interrupted or result == -_EINTR:
                ptrace.set_result(tracee.tid, call.expired)
            tracee.interrupted = False
        elif tracee.interrupted and call.name in calls.SLEEPS:
            _tell_what_is_left(world, tracee, call)
        elif call.name in calls.WAITS and not tracee.interrupted:
            _waited(world, tracee, call, result)
        elif call.name == "timer_create" and result == 0:
            timers.created_timer(world, tracee, call)
    if not tracee.interrupted:
        tracee.deadline = None
    world.ready(tracee)


def can_return(tracee: Tracee) -> bool:
    """Whether the call at whose entry it is held would return at once."""
    call = tracee.call
    return call is not None and call.name in calls.WAITS and _can_wait(tracee, call)


def let_reap(world: World, tracee: Tracee) -> None:
    """Its wait can return: let it.

    Mostly it reaps the first child that has ended, and there is no need to stop it at the end of the call: nobody else
    runs before it stops anyway, and then we see that the child is gone. See `has_reaped`.
    """
    call = tracee.call
    assert call is not None
    _, _, options = _whom_and_how(call)
    children = _matching(tracee, call)
    if options & calls.WNOWAIT or any(c.stop_untold or c.continue_untold for c in children):
        world.ready(tracee, to_exit=True)
        return
    if options & _WEXITED and world.controlled:
        tracee.reaping = [child for child in children if child.dead]
    world.ready(tracee, to_exit=tracee.reaping is None)


def has_reaped(world: World, tracee: Tracee) -> None:
    """It has stopped, or ended, after `let_reap`."""
    dead, tracee.reaping = tracee.reaping, None
    if dead and not proc.exists(dead[0].pid):
        world.chronicle.reaped(dead[0])


def let_in(tracee: Tracee) -> None:
    """A signal is pending for it: the call at whose entry it is held shall be made, and interrupted, for real.

    A sleep until a moment would be over at once: on the real clock that moment has long passed.
    """
    call = tracee.call
    if call is not None and call.name == "clock_nanosleep" and call.arguments[1] & _TIMER_ABSTIME:
        call.patched = (1, call.arguments[1])
        ptrace.set_argument(tracee.tid, 1, 0)


def time_is_up(world: World, tracee: Tracee) -> None:
    """The deadline of its call has come."""
    tracee.deadline = None
    call = tracee.call
    assert call is not None
    if tracee.stand is Stand.HELD:  # a sleep, which we make ourselves
        ptrace.skip_call(tracee.tid, 0)
        world.ready(tracee)
    elif tracee.stand is Stand.INSIDE:
        call.expired = calls.PATIENT[call.name].expired
        world.interrupt(tracee)


# Clocks, sleeps, timers


def _read_clock(world: World, tracee: Tracee, call: Call) -> None:
    which = int32(call.arguments[0]) if call.name == "clock_gettime" else 0
    address = call.arguments[1 if call.name == "clock_gettime" else 0]
    if not clocks.is_virtual(which):
        world.go_on(tracee)
        return
    time = world.clock.read(which)
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


def _poke(tracee: Tracee, address: int, content: bytes) -> bool:
    """False where it can't be: the kernel shall find the error by itself. Nowhere (NULL) is fine."""
    try:
        if address:
            ptrace.write_memory(tracee.tid, address, content)
    except OSError:
        return False
    return True


def _sleep(world: World, tracee: Tracee, call: Call) -> None:
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
    world.suspects.add(tracee.member)
    world.hold(tracee)


def _tell_what_is_left(world: World, tracee: Tracee, call: Call) -> None:
    """A signal has cut a sleep short: the kernel has told how much is left of it in real time."""
    relative = call.name == "nanosleep" or not call.arguments[1] & _TIMER_ABSTIME
    address = call.arguments[1 if call.name == "nanosleep" else 3]
    if relative and address and tracee.deadline is not None:
        _poke(tracee, address, clocks.timespec(max(0, tracee.deadline - world.clock.now)))


# Waiting for children


def _wait(world: World, tracee: Tracee) -> None:
    call = tracee.call
    assert call is not None
    if _can_wait(tracee, call):
        let_reap(world, tracee)
        return
    world.chronicle.waits(tracee.member, _wanted_child(tracee, call))
    if world.controlled:
        world.suspects.add(tracee.member)
        world.hold(tracee)
    else:
        world.go_on(tracee, to_exit=True)


def _whom_and_how(call: Call) -> tuple[int, int, int]:
    """Of wait4 and waitid alike: kind of id, id, options."""
    if call.name == "waitid":
        kind, which, _, options = call.arguments[:4]
        return int32(kind), int32(which), options
    which, options = int32(call.arguments[0]), call.arguments[2]
    if which == -1:
        return calls.P_ALL, 0, options | 4
    if which > 0:
        return calls.P_PID, which, options | 4
    return calls.P_PGID, -which, options | 4


_WEXITED = 4


def _matching(tracee: Tracee, call: Call) -> list[Member]:
    kind, which, _ = _whom_and_how(call)
    children = tracee.member.children
    if kind == calls.P_PID:
        return [child for child in children if child.pid == which]
    if kind == calls.P_PIDFD:
        target = proc.pidfd_target(tracee.tid, which)
        return [child for child in children if child.pid == target]
    if kind == calls.P_PGID:
        group = which or proc.group(tracee.member.pid)
        return [child for child in children if proc.group(child.pid) == group]
    return children


def _can_wait(tracee: Tracee, call: Call) -> bool:
    _, _, options = _whom_and_how(call)
    matching = _matching(tracee, call)
    return (
        bool(options & calls.WNOHANG)
        or not matching
        or any(
            (child.dead and options & _WEXITED)
            or (child.stop_untold and options & calls.WSTOPPED)
            or (child.continue_untold and options & calls.WCONTINUED)
            for child in matching
        )
    )


def _wanted_child(tracee: Tracee, call: Call) -> Member | None:
    kind, _, _ = _whom_and_how(call)
    if kind in (calls.P_PID, calls.P_PIDFD):
        return next(iter(_matching(tracee, call)), None)
    return None


def _waited(world: World, tracee: Tracee, call: Call, result: int) -> None:
    """Who was reaped, if anybody was."""
    _, _, options = _whom_and_how(call)
    if result < 0:
        return
    if call.name == "wait4":
        told = world.chronicle.get(result) if result else None
    elif call.arguments[2]:
        content = ptrace.read_memory(tracee.tid, call.arguments[2], 16)
        told = world.chronicle.get(struct.unpack_from("<i", content, 12)[0])
    else:
        told = next((child for child in _matching(tracee, call) if child.dead), None)
    if told is None or options & calls.WNOWAIT:
        return
    if told.dead:
        world.chronicle.reaped(told)
    elif told.stop_untold and options & calls.WSTOPPED:
        told.stop_untold = False
    else:
        told.continue_untold = False


# Output, pipes, and what else may have to wait


def _write(world: World, tracee: Tracee, call: Call) -> None:
    into = int32(call.arguments[1 if call.name == "splice" else 0])
    if call.name == "splice":
        into = int32(call.arguments[2])
    if call.name in ("write", "writev") and world.is_output(tracee.tid, into):
        try:
            content = _written(tracee, call)
        except OSError:
            world.go_on(tracee)
            return
        world.wrote(tracee, content)
        ptrace.skip_call(tracee.tid, len(content))
        world.ready(tracee)
        return
    kind = world.kind_of(tracee.tid, into)
    waits = world.controlled and (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind))
    world.go_on(tracee, to_exit=waits)


def _written(tracee: Tracee, call: Call) -> bytes:
    address, length = call.arguments[1], call.arguments[2]
    if call.name == "write":
        return ptrace.read_memory(tracee.tid, address, min(length, _MOST_AT_ONCE))
    vector = ptrace.read_memory(tracee.tid, address, _IOVEC.size * int32(length))
    pieces = [
        ptrace.read_memory(tracee.tid, base, min(size, _MOST_AT_ONCE))
        for base, size in _IOVEC.iter_unpack(vector)
        if size
    ]
    return b"".join(pieces)


def _read(world: World, tracee: Tracee, call: Call) -> None:
    kind = world.kind_of(tracee.tid, int32(call.arguments[0]))
    waits = kind and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)
    world.go_on(tracee, to_exit=bool(waits) or call.name == "flock")


def _be_patient(world: World, tracee: Tracee, call: Call, *, again: bool) -> None:
    """A call with a time limit: the limit becomes a deadline of ours, the kernel waits for ever."""
    patience = calls.PATIENT[call.name]
    try:
        limit = _limit(world, tracee, call)
    except (OSError, ValueError):
        world.go_on(tracee)
        return
    if limit is None or limit <= world.clock.now:
        world.go_on(tracee, to_exit=limit is None)
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
    absolute = None
    if call.name == "futex":
        operation = int32(call.arguments[1])
        command = operation & calls.FUTEX_COMMAND
        if command in calls.FUTEX_ABSOLUTE_WAITS:
            absolute = 0 if operation & calls.FUTEX_CLOCK_REALTIME else 1
        elif command != calls.FUTEX_WAIT:
            return world.clock.now
    if not argument:
        return None
    content = ptrace.read_memory(tracee.tid, argument, 16)
    read = clocks.from_timeval if patience.form is Form.TIMEVAL else clocks.from_timespec
    return world.clock.deadline(read(content), absolute_on=absolute)


# Signals that they send each other


def _send(world: World, tracee: Tracee, call: Call) -> None:
    first, second = int32(call.arguments[0]), int32(call.arguments[1])
    number = second
    if call.name in ("tgkill", "rt_tgsigqueueinfo"):
        number = int32(call.arguments[2])
        targets = _named(world, first)
    elif call.name == "pidfd_send_signal":
        targets = _named(world, proc.pidfd_target(tracee.tid, first) or 0)
    elif call.name == "tkill":
        targets = _named(world, proc.thread_group(first) or 0)
    else:
        targets = _targets(world, tracee, first)
    if not 0 < number <= 64:
        world.go_on(tracee)
        return
    if (
        not world.in_namespace
        and call.name in ("kill", "rt_sigqueueinfo")
        and not (targets if first != -1 else False)
    ):
        _shield(world, tracee, call, first, number)
        return
    for target in targets:
        world.chronicle.sends(tracee.member, number, target)
    world.suspects.update(targets)
    world.go_on(tracee, to_exit=True)
    if world.controlled and number == signal.SIGKILL:
        dying = set(map(id, targets))
        for other in list(world.tracees.values()):
            if other is not tracee and id(other.member) in dying:
                world.awaken(other)


def _named(world: World, pid: int) -> list[Member]:
    member = world.chronicle.get(pid)
    return [member] if member else []


def _targets(world: World, tracee: Tracee, whom: int) -> list[Member]:
    """Whom kill(2) reaches, in order of birth."""
    if whom > 0:
        return _named(world, whom)
    alive = sorted({t.member.born: t.member for t in world.tracees.values()}.items())
    if whom == -1:
        return [member for _, member in alive if member is not tracee.member]
    group = -whom or proc.group(tracee.member.pid)
    return [member for _, member in alive if proc.group(member.pid) == group]


def _shield(world: World, tracee: Tracee, call: Call, whom: int, number: int) -> None:
    """Without a namespace of its own the program could reach everybody on this machine: it must not."""
    if whom == -1:
        targets = _targets(world, tracee, whom)
        for target in targets:
            world.chronicle.sends(tracee.member, number, target)
            os.kill(target.pid, number)
        world.suspects.update(targets)
        ptrace.skip_call(tracee.tid, 0)
    else:
        world.because("it sends a signal to somebody outside, which the lens keeps from it")
        ptrace.skip_call(tracee.tid, -_EPERM)
    world.ready(tracee)
