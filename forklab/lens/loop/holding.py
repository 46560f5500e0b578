"""Before each call that others could notice every process is held, so that all orders of these calls can be tried.

`detail` says whether a call is one of these, and what of it matters. What escapes the rule that a process does only
what concerns nobody else between two such stops (threads, shared memory, sockets, files that are written, calls that
wait in ways that we do not follow) is said by `notice`.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Hashable

from forklab.kernel import waits
from forklab.kernel.calls import PATIENT, calls_in, int32
from forklab.kernel.signals import KILL, bit, numbers_in
from forklab.lens.calls import writing
from forklab.lens.calls.patience import waits_on_futex
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop.pipes import Pipes
from forklab.lens.world.dispositions import SA_SIGINFO
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import READS, TO_OUTPUT, WRITES, Sent

_FORKS, _EXECS, _EXITS = calls_in("fork"), calls_in("exec"), calls_in("exit")
_WAITS, _SIGNALLING, _CLOSING = calls_in("wait"), calls_in("signal"), calls_in("close")
_PIPES, _OPENING, _SOCKETS = calls_in("pipe"), calls_in("open"), calls_in("socket")
_PERSONAL = calls_in("self")  # they change only what the process itself is, and what comes to it
_OF_NO_INTEREST_ALONE = _PERSONAL | _EXECS
_WRITABLE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PROT_WRITE, _MAP_SHARED = 2, 1
_LEAST_SIGACTION = struct.Struct("<QQ")  # handler, flags


def detail(run: Run, pipes: Pipes, tracee: Tracee, call: Call) -> tuple[Hashable, ...] | None:
    """What the state shall say of the call; None: it concerns nobody else."""
    if call.name in _OF_NO_INTEREST_ALONE and _is_alone(run, tracee):
        return None
    name, arguments = call.name, call.arguments
    if name in _WAITS:
        return _wait(run, tracee, call)
    if name in _FORKS or name in _EXECS or name in _PERSONAL or name == "pause":
        return ()
    if name in _EXITS:
        return (arguments[0] & 0xFF,)
    if name == "rt_sigsuspend":
        return (_mask(tracee, arguments[0]),)
    if name == "rt_sigtimedwait" and not arguments[2]:
        return (_wanted_signals(run, tracee, arguments[0]),)
    if name in _SIGNALLING:
        return _sent(run, tracee, call)
    if name == "close_range":
        return ("",) if pipes.any else None
    if name in _CLOSING:
        pipe = pipes.find(tracee.tid, int32(arguments[0 if name == "close" else 1]))
        return (pipe.name,) if pipe else None
    if name in WRITES:
        return _write(run, pipes, tracee, call)
    if name in READS:
        pipe = pipes.find(tracee.tid, int32(arguments[0]))
        return (pipe.name, 0) if pipe else None
    return None


def _wait(run: Run, tracee: Tracee, call: Call) -> waits.WaitFor:
    """In our numbers."""
    kind, which, options = waits.wait_for(call.name, call.arguments)
    if kind == waits.P_PIDFD:
        kind, which = waits.P_PID, proc.pidfd_target(tracee.tid, which) or 0
    if kind == waits.P_PID:
        child = run.chronicle.get(which)
        which = child.number if child else -1
    elif kind == waits.P_PGID:
        which = which or proc.group(tracee.member.pid) or 0
        leader = run.chronicle.latest(which)
        which = leader.number if leader else which
    return waits.WaitFor(kind, which, options)


def _wanted_signals(run: Run, tracee: Tracee, address: int) -> int:
    """Of sigwaitinfo(2). It will be told of their senders."""
    wanted = _mask(tracee, address) & ~bit(KILL)  # nobody gets that one
    member, dispositions = tracee.member, run.dispositions
    for number in numbers_in(wanted):
        flags = dispositions.flags_of(member, number)
        dispositions.set_flags(member, number, flags | SA_SIGINFO)
    return wanted


def _sent(run: Run, tracee: Tracee, call: Call) -> Sent:
    first, number = int32(call.arguments[0]), int32(call.arguments[1])
    if call.name in ("tgkill", "rt_tgsigqueueinfo"):
        number = int32(call.arguments[2])
    elif call.name == "pidfd_send_signal":
        first = proc.pidfd_target(tracee.tid, first) or 0
    if first in (0, -1):
        return Sent(first, number)
    member = run.chronicle.latest(abs(first))
    if member is None:
        return Sent(first, number)
    return Sent(member.number if first > 0 else -member.number, number)


def _write(run: Run, pipes: Pipes, tracee: Tracee, call: Call) -> tuple[Hashable, ...] | None:
    descriptor = int32(call.arguments[0])
    if run.surroundings.is_output(tracee.tid, descriptor):
        try:
            content = writing.written(tracee, call)
        except OSError:
            return None
        return TO_OUTPUT, run.chronicle.in_our_numbers(content.decode(errors="replace"))
    is_file = stat.S_ISREG(run.surroundings.kind_of(tracee.tid, descriptor))
    if is_file and not _is_alone(run, tracee):
        run.because("it writes to a file, which others may read")
    pipe = pipes.find(tracee.tid, descriptor)
    return (pipe.name, len(writing.written(tracee, call))) if pipe else None


def _mask(tracee: Tracee, address: int) -> int:
    try:
        return int.from_bytes(ptrace.read_memory(tracee.tid, address, 8), "little")
    except OSError:
        return 0


def _is_alone(run: Run, tracee: Tracee) -> bool:
    """There has never been anybody else. (That there is nobody left may not count: a step must not depend on it.)"""
    first = run.chronicle.first
    return tracee.member is first and not first.forks and not run.alarms.timers


def notice(run: Run, pipes: Pipes, tracee: Tracee, call: Call) -> None:
    """What the state has to know of a call, and what is not modelled: that is said."""
    name, arguments = call.name, call.arguments
    if name in _PIPES:
        pipes.any = True
    elif name == "rt_sigaction":
        _remember_flags(run, tracee, call)
    elif name == "mmap":
        if arguments[3] & _MAP_SHARED and arguments[2] & _PROT_WRITE:
            run.because("it shares memory")
    elif name == "shmget":
        run.because("it shares memory")
    elif name in _SOCKETS:
        run.because("it uses sockets")
    elif name in _OPENING:
        _notice_file(run, tracee, call)
    elif name in PATIENT and (name != "rt_sigtimedwait" or arguments[2]):
        if name != "futex" or waits_on_futex(call):
            run.because(f"it waits in {name}, whose end is not chosen but happens")
    elif name == "flock":
        run.because("it locks files")


def _remember_flags(run: Run, tracee: Tracee, call: Call) -> None:
    number, action = int32(call.arguments[0]), call.arguments[1]
    if action:
        content = ptrace.read_memory(tracee.tid, action, _LEAST_SIGACTION.size)
        _, flags = _LEAST_SIGACTION.unpack(content)
        run.dispositions.set_flags(tracee.member, number, flags)


def _notice_file(run: Run, tracee: Tracee, call: Call) -> None:
    place = 1 if call.name == "openat" else 0
    flags = _WRITABLE if call.name == "creat" else call.arguments[place + 1]
    try:
        path = ptrace.read_memory(tracee.tid, call.arguments[place], 4096).split(b"\0")[0]
    except OSError:
        return
    if path.startswith(b"/proc/") and path[6:7].isdigit():
        run.because("it reads /proc, where it can see others")
    elif (
        flags & _WRITABLE and path not in (b"/dev/null", b"/dev/tty") and not _is_alone(run, tracee)
    ):
        run.because("it writes to a file, which others may read")
