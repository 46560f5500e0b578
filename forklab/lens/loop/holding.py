"""Before each call that others could notice every process is held, so that all orders of these calls can be tried.

`hold` says whether a call is one of these, and what of it matters. What escapes the rule that a process does only what
concerns nobody else between two such stops (threads, shared memory, sockets, calls that wait in ways that we do not
follow, calls that nobody has modelled) is said.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import NamedTuple

from forklab.kernel import waits
from forklab.kernel.calls import PATIENT, Concern, calls_in, concerns_of, int32, spoken_name
from forklab.kernel.functions import SEM_FUNCTIONS, SEM_GETVALUE, SEM_INIT, SEM_OPEN
from forklab.kernel.signals import KILL, bit
from forklab.lens.calls import (
    arranging,
    chancing,
    executing,
    guarding,
    hiding,
    masking,
    patience,
    polling,
    posting,
    semaphores,
    sockets,
    timers,
    touching,
    writing,
)
from forklab.lens.calls.namespaces import CLONE_NEWTIME
from forklab.lens.calls.patience import waits_on_futex
from forklab.lens.calls.subjects import MOVE_ON, NotModelledError, is_terminal
from forklab.lens.calls.waiting import wanted
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.loop import attempts, ending
from forklab.lens.world.chronicle import Member
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.pipes import Pipe, side_of
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import (
    POLLS,
    READ_END,
    READS,
    TO_OUTPUT,
    WRITE_END,
    WRITES,
    Patience,
    Sent,
    Touch,
)

_FORKS, _EXECS, _EXITS = calls_in("fork"), calls_in("exec"), calls_in("exit")
_WAITS, _SIGNALLING, _CLOSING = calls_in("wait"), calls_in("signal"), calls_in("close")
_OPENS, _PIPES, _SOCKETS = calls_in("open"), calls_in("pipe"), calls_in("socket")
_PERSONAL = calls_in("self")  # they change only what the process itself is, and what comes to it
_OF_NO_INTEREST_ALONE = _PERSONAL | _EXECS
# What is shared in these is told by `_detail`, by `_notice`, or follows from the clock.
_KNOWN_OTHERWISE = (
    calls_in(
        "fork", "exit", "wait", "signal", "self", "suspend", "pipe",
        "clock", "sleep", "timer", "timerfd", "restart", "socket", "share",
    )
    | frozenset(PATIENT)
) - {"mmap", "semtimedop", "mq_timedsend", "mq_timedreceive", "io_getevents", "io_pgetevents"} - POLLS  # fmt: skip
_SIGNALFDS = frozenset({"signalfd", "signalfd4"})
CLONE_NEWPID = 0x20000000
NESTED = "It makes a PID namespace of its own, which is not modelled."
OTHER_CLOCKS = "it goes to another namespace, where clocks may be others"
_PROT_WRITE, _MAP_SHARED = 2, 1


class Hold(NamedTuple):
    """What the state says of a call before which its process is held: see `forklab.steps.state.Place`."""

    detail: tuple[Hashable, ...] = ()
    touches: tuple[Touch, ...] = ()


def hold(run: Run, tracee: Tracee, call: Call) -> Hold | None:
    """None: it concerns nobody else, so the call is made at once. What is not modelled is said."""
    is_alone = _is_alone(run, tracee, call)
    if not is_alone and arranging.changes_nothing(run, tracee, call):
        tracee.passed(call.name)  # and no more is looked at: a child goes through all signals
        return None
    call.returns = touching.returns_at_once(tracee, call)
    if call.name in SEM_FUNCTIONS:
        return _hold_at_semaphore(run, tracee, call, is_alone=is_alone)
    _notice(run, tracee, call)
    ending.notice_who_can_tell(run, tracee, call, None)
    if call.name in POLLS:
        return _hold_patient(run, tracee, call, is_alone=is_alone)
    touches: tuple[Touch, ...] = ()
    if call.name in _OPENS and not call.returns:
        touching.fifo_opened(run, tracee, call)  # from then on we have to know who has what open
    if is_alone and touching.lasts(call):
        _note_what_lasts(run, tracee, call)
    if not is_alone:
        found = _touches(run, tracee, call)
        run.resources.note(tracee.member.name, found, waits=attempts.may_wait(call, found))
        masking.notice_who_looks(run, tracee, call, found)
        executing.notice(run, tracee, call, found)
        # Who else has this offset must not depend on who has ended by now.
        touches = run.resources.shared_of(found, tells=call.name in MOVE_ON)
        touches = posting.by_queues(run, tracee, call, touches)
    if is_alone and call.name in _OF_NO_INTEREST_ALONE:
        return None
    if _sets_what_nobody_can_tell(run, tracee, call):
        tracee.passed(call.name)
        return None
    detail = _detail(run, tracee, call)
    if detail is None:
        return Hold((), touches) if touches else None
    return Hold(detail, touches)


def _sets_what_nobody_can_tell(run: Run, tracee: Tracee, call: Call) -> bool:
    """Of its mask or a handler: now. With a signal on its way the same call may be a step."""
    if call.name == "rt_sigprocmask":
        return not masking.makes_a_difference(run, tracee, call)
    return call.name == "rt_sigaction" and not arranging.makes_a_difference(run, tracee, call)


def _note_what_lasts(run: Run, tracee: Tracee, call: Call) -> None:
    """Who is alone still has it when there are others."""
    name = tracee.member.name
    found = _touches(run, tracee, call)
    run.resources.note(name, found)
    run.resources.told(run.resources.shared_of(found), name)
    if call.name == "flock":
        run.resources.lockers.add(name)


def _hold_patient(run: Run, tracee: Tracee, call: Call, *, is_alone: bool) -> Hold | None:
    """Of poll(2) and its like."""
    try:
        found = polling.touches(run, tracee, call)
        deadline = patience.deadline_of(run, tracee, call)
        mask = polling.own_mask(tracee, call)
    except NotModelledError:
        run.because(f"it waits in {call.name}, whose end is not chosen but happens")
        return None
    except (OSError, ValueError):
        return None  # EFAULT, EINVAL
    waits = deadline is None or deadline > run.clock.now
    if not is_alone:
        channels = [touch for touch in found if not touch.resource.startswith("pipe ")]
        run.resources.note(tracee.member.name, channels, waits=waits)
        masking.notice_who_looks(run, tracee, call, found)
    touches = () if is_alone else run.resources.shared_of(found)
    touches = polling.by_queues(run, tracee, call, touches)
    if not waits:
        return Hold(Patience(run.clock.now, mask), touches) if touches else None
    tracee.deadline = deadline if tracee.deadline is None else tracee.deadline
    return Hold(Patience(tracee.deadline, mask), touches)


def _hold_at_semaphore(run: Run, tracee: Tracee, call: Call, *, is_alone: bool) -> Hold | None:
    """Of functions for those of POSIX."""
    if call.name == SEM_OPEN:
        found = [] if is_alone else semaphores.touches(tracee, call)
        run.resources.note(tracee.member.name, found)
        touches = run.resources.shared_of(found)
        return Hold((), touches) if touches else None
    semaphore = semaphores.at(run, tracee, call)
    if call.name == SEM_INIT and guarding.at(run, tracee.tid, call.arguments[0]):
        is_for_processes = bool(int32(call.arguments[1]))
        if not is_for_processes or (semaphore is None and not is_alone):
            guarding.give_up(run, tracee)
    if semaphore is None:
        return None
    detail = semaphores.waits(run, tracee, call, semaphore)
    if detail:
        tracee.deadline = detail.deadline
    return Hold(detail, (Touch(semaphore.resource, tells=call.name != SEM_GETVALUE),))


def _touches(run: Run, tracee: Tracee, call: Call) -> list[Touch]:
    member = tracee.member
    if call.name in _FORKS:
        return [Touch(f"process {member.name}", tells=False)]  # the child inherits it
    if call.name in _CLOSING:
        return touching.closes(run, tracee, call)
    if call.name in _KNOWN_OTHERWISE or concerns_of(call.name) == {Concern.PRIVATE}:
        return []
    descriptor = int32(call.arguments[0])
    if call.name in READS | WRITES and _is_pipe_or_output(run, member, descriptor):
        return []
    try:
        return touching.touches(run, tracee, call)
    except NotModelledError:
        run.because(f"{member.name} calls {spoken_name(call.name)}, which is not modelled")
        return []


def _is_pipe_or_output(run: Run, member: Member, descriptor: int) -> bool:
    link = descriptors.link(member.pid, descriptor) or ""
    is_output = run.surroundings.is_output(member.pid, descriptor)
    return is_output or link.startswith("pipe:")


def _detail(run: Run, tracee: Tracee, call: Call) -> tuple[Hashable, ...] | None:
    """What of the call matters beside what it touches. None: nothing."""
    name, arguments = call.name, call.arguments
    if name in _WAITS:
        wait = _wait(run, tracee, call)
        ending.notice_who_can_tell(run, tracee, call, wait)
        return wait
    if name in _FORKS or name in _EXECS or name in _PERSONAL or name == "pause":
        return ()
    if name in _EXITS:
        return (-tracee.dies_by if tracee.dies_by else arguments[0] & 0xFF,)
    if name == "rt_sigsuspend":
        return (_mask(tracee, arguments[0]),)
    if name == "rt_sigtimedwait" and not arguments[2]:
        return (_wanted_signals(run, tracee, call),)
    if name in _SIGNALLING:
        return _sent(run, tracee, call)
    if name == "close_range":
        return ("",) if run.pipes.any or run.channels.any else None
    if name in _CLOSING:
        pipe = run.pipes.find(tracee.member, int32(arguments[0 if name == "close" else 1]))
        return (pipe.name,) if pipe else None
    if name in WRITES:
        return _write(run, tracee, call)
    if name in READS:
        pipe = _pipe_at(run, tracee, int32(arguments[0]), READ_END)
        size = writing.size_of(tracee, call) if pipe else 0
        return (pipe.name, size) if pipe and size else None
    if name == "ioctl" and touching.is_about_jobs(run, tracee, call):
        return ()
    if touching.is_about_flags(call):
        pipe = run.pipes.find(tracee.member, int32(arguments[0]))
        return (pipe.name,) if pipe else None
    return None


def _pipe_at(run: Run, tracee: Tracee, descriptor: int, side: str) -> Pipe | None:
    """The pipe of which this descriptor is this side. (To read from the other one is an error, at once.)"""
    pipe = run.pipes.find(tracee.member, descriptor)
    return pipe if side_of(tracee.member.pid, descriptor) == side else None


def _wait(run: Run, tracee: Tracee, call: Call) -> waits.WaitFor:
    """In our numbers."""
    kind, which, options = wanted(tracee, call)
    if kind == waits.P_PIDFD:
        child = run.chronicle.get(descriptors.pidfd_target(tracee.tid, which) or 0)
        return waits.WaitFor(waits.P_PID, child.number if child else -1, options)
    if kind == waits.P_PID:
        child = run.chronicle.latest_called(tracee.member, which)  # it may be gone, by the kernel
        which = child.number if child else -1
    elif kind == waits.P_PGID:
        leader = (
            run.chronicle.latest_called(tracee.member, which)
            if which
            else run.chronicle.latest(proc.group(tracee.member.pid) or 0)
        )
        which = leader.number if leader else which
    return waits.WaitFor(kind, which, options)


def _wanted_signals(run: Run, tracee: Tracee, call: Call) -> int:
    """Of sigwaitinfo(2). It will be told of their senders, if it wants to know more than the number."""
    wanted = _mask(tracee, call.arguments[0]) & ~bit(KILL)  # nobody gets that one
    if call.arguments[1]:
        masking.will_be_told(run, tracee, wanted)
    return wanted


def _read_signals(run: Run, tracee: Tracee, call: Call) -> None:
    """signalfd(2): from now on it can learn from whom these come."""
    masking.will_be_told(run, tracee, _mask(tracee, call.arguments[1]))


def _sent(run: Run, tracee: Tracee, call: Call) -> Sent:
    first, number = int32(call.arguments[0]), int32(call.arguments[1])
    if call.name in ("tgkill", "rt_tgsigqueueinfo"):
        number = int32(call.arguments[2])
    elif call.name == "pidfd_send_signal":
        target = run.chronicle.latest(descriptors.pidfd_target(tracee.tid, first) or 0)
        return Sent(target.number if target else 0, number)
    if first in (0, -1):
        return Sent(first, number)
    member = run.chronicle.latest_called(tracee.member, abs(first))
    if member is None:
        return Sent(first, number)
    return Sent(member.number if first > 0 else -member.number, number)


def _write(run: Run, tracee: Tracee, call: Call) -> tuple[Hashable, ...] | None:
    descriptor = int32(call.arguments[0])
    if run.surroundings.is_output(tracee.tid, descriptor):
        try:
            content = writing.written(tracee, call)
        except OSError:
            hiding.notice(run, tracee)
            return None
        run.surroundings.writes(tracee.member.name, tracee.tid, descriptor, len(content))
        return TO_OUTPUT, run.chronicle.in_our_numbers(content.decode(errors="replace"))
    run.surroundings.kind_of(tracee.tid, descriptor)  # notices what comes from outside
    pipe = _pipe_at(run, tracee, descriptor, WRITE_END)
    size = writing.size_of(tracee, call) if pipe else 0
    return (pipe.name, size) if pipe and size else None


def _mask(tracee: Tracee, address: int) -> int:
    try:
        return ptrace.read_word(tracee.tid, address)
    except OSError:
        return 0


def _is_alone(run: Run, tracee: Tracee, call: Call) -> bool:
    """There has never been anybody else. (That there is nobody left may not count: a step must not depend on it.)"""
    if run.surroundings.is_typed and call.name in READS | POLLS:
        return False
    first = run.chronicle.first
    return tracee.member is first and not first.forks and not run.alarms.timers


def _reaches_others(tracee: Tracee, call: Call) -> bool:
    """By a socket. One of unix(7) does not yet when it is made or named, nor when it calls a name that nobody has."""
    if call.name in _SOCKETS:
        return int32(call.arguments[0]) != sockets.AF_UNIX
    if call.name == "bind":
        return sockets.name_called(tracee, call) is None
    return call.name == "connect" and not sockets.calls_nobody(tracee, call)


def _notice(run: Run, tracee: Tracee, call: Call) -> None:
    """What the state has to know of a call, and what is not modelled: that is said."""
    name, arguments = call.name, call.arguments
    chancing.notice(run, tracee, call)
    if name in _PIPES:
        run.pipes.any = True
        if name == "pipe2" and arguments[1] & os.O_DIRECT:
            run.because("it uses a pipe in which packets stay apart, by O_DIRECT")
    elif name in _SIGNALFDS:
        _read_signals(run, tracee, call)
    elif name in _EXECS:
        executing.notice_itself(run, tracee, call)
    elif name in _OPENS and touching.opens_own_terminal(run, tracee, call):
        run.because("it opens /dev/tty, and has no terminal of its own here")
    elif name in READS and _reads_its_terminal(run, tracee, call):
        run.because("it reads what somebody types at its terminal; here nobody does")
    elif name == "ioctl" and touching.stops_who_writes(run, tracee, call):
        run.because("it has who writes in the background stopped (TOSTOP), which is not modelled")
    elif name == "mmap":
        shares = arguments[3] & _MAP_SHARED and arguments[2] & _PROT_WRITE
        if shares and not guarding.begin(run, tracee, call):
            run.because("it shares memory")
    elif name == "shmget":
        run.because("it shares memory")
    elif _reaches_others(tracee, call):
        run.because("it uses sockets")
    elif name == "timerfd_settime":
        run.because("it uses timers of timerfd_create, whose end is not chosen but happens")
    elif name in ("setitimer", "timer_create", "timer_settime"):
        timers.notice(run, tracee, call)
    elif name == "unshare" and arguments[0] & CLONE_NEWPID:
        raise EndOfRunError(NESTED)
    elif name == "setns" or (name == "unshare" and arguments[0] & CLONE_NEWTIME):
        run.because(OTHER_CLOCKS)
    elif _waits_for_a_limited_time(call):
        run.because(f"it waits in {name}, whose end is not chosen but happens")


def _reads_its_terminal(run: Run, tracee: Tracee, call: Call) -> bool:
    """The one that has its output. In a play somebody does type there."""
    file = identity(f"/proc/{tracee.tid}/fd/{int32(call.arguments[0])}")
    is_output = file is not None and file in run.surroundings.outputs and is_terminal(file)
    return is_output and file != run.surroundings.terminal


def _waits_for_a_limited_time(call: Call) -> bool:
    if call.name == "futex":
        return waits_on_futex(call)
    if call.name == "rt_sigtimedwait":
        return bool(call.arguments[2])
    return call.name in PATIENT and call.name in _KNOWN_OTHERWISE
