"""Holds every process before each call that others could notice, so that all orders of these calls can be tried.

`hold` is asked at the entry of a call; `make` takes a step that `forklab.steps.state.moves` has offered. Between two
such stops a process does only what concerns nobody else. What escapes this rule (threads, shared memory, sockets,
files that are written, calls that wait in ways that we do not follow) is said: `world.because`.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from forklab.lens.calls import dispatch as entry
from forklab.lens.calls import groups as calls
from forklab.lens.calls import sending, sleeping, waiting, writing
from forklab.lens.calls.groups import int32
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop.observing import SA_SIGINFO, Pipes
from forklab.lens.world.tracee import Call, Pipe, Stand, Tracee
from forklab.steps import state as facts
from forklab.steps.state import Move

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_WRITABLE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PROT_WRITE, _MAP_SHARED = 2, 1
_LEAST_SIGACTION = struct.Struct("<QQ")  # handler, flags
# Before these, the kernel has to drop what it would have dropped long ago if nobody traced the process: they change
# what becomes of it, or begin anew because of it.
_MIND_WHAT_IS_PENDING = calls.FORKS | frozenset({"rt_sigaction", "rt_sigprocmask"})
_OF_NO_INTEREST_ALONE = calls.PERSONAL | calls.EXECS
_NS_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def hold(world: World, pipes: Pipes, tracee: Tracee, call: Call) -> bool:
    """Whether it is held before this call until it is chosen; else it makes it right away."""
    tracee.returns_at_once = False
    if tracee.at_once:
        tracee.at_once = False
        make_call(world, pipes, tracee, call)
        return True
    _notice(world, pipes, tracee, call)
    detail = _detail(world, pipes, tracee, call)
    if detail is None or (call.name in _OF_NO_INTEREST_ALONE and _is_alone(world, tracee)):
        return False
    tracee.detail, tracee.late = detail, False
    world.let(tracee, Stand.HELD)
    if call.name in calls.WAITS and not waiting.can_return(tracee):
        waiting.announce(world, tracee, call)
    return True


def make(world: World, pipes: Pipes, tracee: Tracee, move: Move) -> None:
    """Take this step, which has been offered."""
    call = tracee.call
    tracee.saw(move.kind, call.name if call else "")
    if tracee.member.doomed and move.kind != facts.CALL:
        world.kill(tracee)
    elif move.kind == facts.RETURN:
        world.go_on(tracee, to_exit=tracee.to_exit, with_signal=tracee.signal)
    elif move.kind == facts.SIGNAL:
        ptrace.rewind_call(tracee.tid)
        world.go_on(tracee)
    else:
        assert call is not None
        make_call(world, pipes, tracee, call)


def make_call(world: World, pipes: Pipes, tracee: Tracee, call: Call) -> None:
    name = call.name
    tracee.returns_at_once = True
    if name in _MIND_WHAT_IS_PENDING and _has_dropped(tracee):
        tracee.at_once = True
        ptrace.rewind_call(tracee.tid)
        world.go_on(tracee)
    elif name in calls.SLEEPS:
        if tracee.deadline is not None and tracee.deadline <= world.clock.now:
            sleeping.wake(world, tracee)
        else:
            sleeping.let_in(tracee)
            world.go_on(tracee, to_exit=True)
    elif name in calls.WAITS:
        if waiting.can_return(tracee):
            waiting.let_reap(world, tracee)
        else:
            world.go_on(tracee, to_exit=True)
    elif name in calls.FORKS:
        _number_the_child(world, tracee)
        world.go_on(tracee)
    elif name in calls.EXITS or name in calls.EXECS:
        world.go_on(tracee)
    elif name in ("write", "writev") and tracee.detail[0] != "output":
        pipe = pipes.find(tracee.tid, int32(call.arguments[0]))
        if pipe is not None:
            call.pipe, call.content = pipe, writing.written(tracee, call)
        world.go_on(tracee, to_exit=True)
    elif name in ("read", "readv"):
        call.pipe = pipes.find(tracee.tid, int32(call.arguments[0]))
        world.go_on(tracee, to_exit=True)
    elif name in calls.PERSONAL or name in calls.CLOSING or name == "rt_sigtimedwait":
        if name == "rt_sigaction":
            world.dispositions.pop(tracee.member, None)
        world.go_on(tracee, to_exit=True)
    else:
        entry.make(world, tracee, call)


def came_back(world: World, tracee: Tracee, call: Call, result: int) -> None:
    """A call has returned: what has it told the process?"""
    if result == 0:
        sending.doom(call.dooms)
    if call.pipe is not None and result > 0:
        if call.content:
            call.pipe.content += call.content[:result]
        else:
            tracee.saw(call.pipe.content[:result])
            call.pipe.content = call.pipe.content[result:]
    if call.name == "getppid":
        parent = world.chronicle.latest(result)
        tracee.saw(parent.name if parent else "")
    elif call.name not in calls.WAITS or result < 0:  # whom they have reaped is noted there
        tracee.saw(result)
    call.pipe = None


def _detail(world: World, pipes: Pipes, tracee: Tracee, call: Call) -> tuple[Hashable, ...] | None:
    """What the state shall say of the call; None: it concerns nobody else."""
    name, arguments = call.name, call.arguments
    if name in calls.WAITS:
        kind, which, options = waiting.whom_and_how(call)
        if kind == calls.P_PIDFD:
            kind, which = calls.P_PID, proc.pidfd_target(tracee.tid, which) or 0
        if kind == calls.P_PID:
            child = world.chronicle.get(which)
            which = child.number if child else -1
        elif kind == calls.P_PGID:
            which = which or proc.group(tracee.member.pid) or 0
            leader = world.chronicle.latest(which)
            which = leader.number if leader else which
        return kind, which, options
    if name in calls.FORKS or name in calls.EXECS or name in calls.PERSONAL or name == "pause":
        return ()
    if name in calls.EXITS:
        return (arguments[0] & 0xFF,)
    if name == "rt_sigsuspend":
        return (_mask(tracee, arguments[0]),)
    if name == "rt_sigtimedwait" and not arguments[2]:
        wanted = _mask(tracee, arguments[0]) & ~(1 << facts.KILL - 1)  # nobody gets that one
        for number in range(1, 65):  # it will be told of their senders
            if wanted >> number - 1 & 1:
                tracee.member.flags[number] = tracee.member.flags.get(number, 0) | SA_SIGINFO
        return (wanted,)
    if name in calls.SIGNALLING:
        return _whom_to_signal(world, tracee, call)
    if name == "close_range":
        return ("",) if pipes.any else None
    if name in calls.CLOSING:
        place = int32(arguments[0 if name == "close" else 1])
        pipe = pipes.find(tracee.tid, place) if pipes.any else None
        return (pipe.name,) if pipe else None
    return _file_detail(world, pipes, tracee, call)


def _file_detail(
    world: World, pipes: Pipes, tracee: Tracee, call: Call
) -> tuple[Hashable, ...] | None:
    name, descriptor = call.name, int32(call.arguments[0])
    if name not in ("read", "readv", "write", "writev"):
        return None
    if name in ("write", "writev"):
        if world.surroundings.is_output(tracee.tid, descriptor):
            try:
                content = writing.written(tracee, call)
            except OSError:
                return None
            return "output", world.chronicle.shown(content.decode(errors="replace"))
        is_file = stat.S_ISREG(world.surroundings.kind_of(tracee.tid, descriptor))
        if is_file and not _is_alone(world, tracee):
            world.because("it writes to a file, which others may read")
    pipe: Pipe | None = pipes.find(tracee.tid, descriptor) if pipes.any else None
    if pipe is None:
        return None
    return pipe.name, len(writing.written(tracee, call)) if name.startswith("write") else 0


def _whom_to_signal(world: World, tracee: Tracee, call: Call) -> tuple[Hashable, ...]:
    """(pid, signal): the pid as kill(2) has it, in our numbers."""
    first, number = int32(call.arguments[0]), int32(call.arguments[1])
    if call.name in ("tgkill", "rt_tgsigqueueinfo"):
        number = int32(call.arguments[2])
    elif call.name == "pidfd_send_signal":
        first = proc.pidfd_target(tracee.tid, first) or 0
    if first in (0, -1):
        return first, number
    member = world.chronicle.latest(abs(first))
    return (member.number if first > 0 else -member.number) if member else first, number


def _mask(tracee: Tracee, address: int) -> int:
    try:
        return int.from_bytes(ptrace.read_memory(tracee.tid, address, 8), "little")
    except OSError:
        return 0


def _is_alone(world: World, tracee: Tracee) -> bool:
    """There has never been anybody else. (That there is nobody left may not count: a step must not depend on it.)"""
    return tracee.member is world.chronicle.first and not tracee.member.forks and not world.timers


def _has_dropped(tracee: Tracee) -> bool:
    """Signals wait for it, none of which would wait if it were not traced."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    return masks is not None and bool(masks.pending & ~masks.blocked) and not masks.deliverable


def _remember_flags(tracee: Tracee, call: Call) -> None:
    number, action = int32(call.arguments[0]), call.arguments[1]
    if action:
        content = ptrace.read_memory(tracee.tid, action, _LEAST_SIGACTION.size)
        _, tracee.member.flags[number] = _LEAST_SIGACTION.unpack(content)


def _number_the_child(world: World, tracee: Tracee) -> None:
    """So that it has the same pid in every schedule. See pid_namespaces(7)."""
    if world.in_namespace:
        member = tracee.member
        number = facts.number_of(f"{member.name}.{member.forks + 1}")
        _NS_LAST_PID.write_text(str(number - 1))


def _notice(world: World, pipes: Pipes, tracee: Tracee, call: Call) -> None:
    """What is not modelled is said."""
    name, arguments = call.name, call.arguments
    if name in calls.PIPES:
        pipes.any = True
    elif name == "rt_sigaction":
        _remember_flags(tracee, call)
    elif name == "mmap":
        if arguments[3] & _MAP_SHARED and arguments[2] & _PROT_WRITE:
            world.because("it shares memory")
    elif name == "shmget":
        world.because("it shares memory")
    elif name in ("socket", "socketpair"):
        world.because("it uses sockets")
    elif name in calls.OPENING:
        _notice_file(world, tracee, call)
    elif name in calls.PATIENT and (name != "rt_sigtimedwait" or arguments[2]):
        if not (name == "futex" and not _waits_on_futex(call)):
            world.because(f"it waits in {name}, whose end is not chosen but happens")
    elif name == "flock":
        world.because("it locks files")


def _waits_on_futex(call: Call) -> bool:
    command = int32(call.arguments[1]) & calls.FUTEX_COMMAND
    return command == calls.FUTEX_WAIT or command in calls.FUTEX_ABSOLUTE_WAITS


def _notice_file(world: World, tracee: Tracee, call: Call) -> None:
    place = 1 if call.name == "openat" else 0
    flags = _WRITABLE if call.name == "creat" else call.arguments[place + 1]
    try:
        path = ptrace.read_memory(tracee.tid, call.arguments[place], 4096).split(b"\0")[0]
    except OSError:
        return
    if path.startswith(b"/proc/") and path[6:7].isdigit():
        world.because("it reads /proc, where it can see others")
    elif (
        flags & _WRITABLE
        and path not in (b"/dev/null", b"/dev/tty")
        and not _is_alone(world, tracee)
    ):
        world.because("it writes to a file, which others may read")
