"""wait4(2) and waitid(2): who has to wait there, and who was reaped."""

from __future__ import annotations

import os
import struct

from forklab.kernel import waits
from forklab.kernel.calls import calls_in
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.onward import HELD, Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_WAITS = calls_in("wait")
_WSTATUS_AT = 12  # where siginfo_t has the pid, see waitid(2)


def wait(run: Run, tracee: Tracee, call: Call) -> Onward:
    """It is about to wait."""
    if _returns_at_once(tracee, call):
        if any(child.news for child in tracee.member.children):
            run.clock.looked_away()
        else:
            run.clock.look()
        return reap(tracee, call)
    run.clock.looked_away()
    announce(run, tracee, call)
    return HELD


def announce(run: Run, tracee: Tracee, call: Call) -> None:
    """It waits from now on."""
    wanted = waits.wait_for(call.name, call.arguments)
    one = wanted.kind in (waits.P_PID, waits.P_PIDFD)
    child = next(iter(_meant(tracee, wanted)), None) if one else None
    run.chronicle.waits(tracee.member, child)


def can_return(tracee: Tracee) -> bool:
    """Whether it is before a wait that would return at once."""
    call = tracee.call
    return call is not None and call.name in _WAITS and _returns_at_once(tracee, call)


def reap(tracee: Tracee, call: Call) -> Onward:
    """Its wait can return: let it.

    Mostly it reaps a child that has ended. Then there is no need to stop it at the end of the call, if nobody else
    runs before it stops anyway: we see then that the child is gone. See `has_reaped`.
    """
    more_news = any(child.stop_untold or child.continue_untold for child in tracee.member.children)
    wanted = waits.wait_for(call.name, call.arguments)
    reaps = not wanted.options & waits.WNOWAIT and not more_news
    return Onward(Turn.IN_TURN, to_exit=True, reaps=reaps)


def has_reaped(run: Run, tracee: Tracee) -> None:
    """It has stopped, or ended, after a wait at whose end it was not seen: has it reaped a child meanwhile?"""
    if not tracee.reaping:
        return
    tracee.reaping = False
    dead = (child for child in tracee.member.children if child.dead)
    gone = next((child for child in dead if not proc.exists(child.pid)), None)
    if gone is not None:
        run.chronicle.reaped(gone)


def waited(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """Who was reaped, if anybody was."""
    if result < 0:
        return
    wanted = waits.wait_for(call.name, call.arguments)
    if call.name == "wait4":
        child = run.chronicle.called(tracee.member, result) if result else None
    elif call.arguments[2]:
        content = ptrace.read_memory(tracee.tid, call.arguments[2], _WSTATUS_AT + 4)
        (number,) = struct.unpack_from("<i", content, _WSTATUS_AT)
        child = run.chronicle.called(tracee.member, number) if number else None
    else:
        child = next((child for child in _meant(tracee, wanted) if child.dead), None)
    if child is None:
        return
    tracee.saw(child.name, child.status)
    if wanted.options & waits.WNOWAIT:
        return
    if child.dead:
        run.chronicle.reaped(child)
    elif child.stop_untold and wanted.options & waits.WSTOPPED:
        child.stop_untold = False
    else:
        child.continue_untold = False


def wanted_by(tracee: Tracee, call: Call) -> waits.WaitFor:
    """For whom it waits; a descriptor that does not wait, PIDFD_NONBLOCK, is as good as WNOHANG: pidfd_open(2)."""
    wanted = waits.wait_for(call.name, call.arguments)
    if wanted.kind == waits.P_PIDFD and descriptors.flags(tracee.tid, wanted.which) & os.O_NONBLOCK:
        return wanted._replace(options=wanted.options | waits.WNOHANG)
    return wanted


def group_for(viewer: Member, member: Member) -> int | None:
    """Its process group, as the viewer has to call it; None if that cannot see it."""
    depth = len(viewer.spaces)
    if not depth or not member.is_within(viewer):
        return None if depth else proc.group(member.pid)
    return next(iter(proc.numbers(member.pid, b"NSpgid:")[depth:]), None)


def _returns_at_once(tracee: Tracee, call: Call) -> bool:
    wanted = wanted_by(tracee, call)
    return waits.returns_at_once(wanted.options, [c.news for c in _meant(tracee, wanted)])


def _meant(tracee: Tracee, wanted: waits.WaitFor) -> list[Member]:
    children = tracee.member.children
    match wanted.kind:
        case waits.P_PID:
            return [c for c in children if c.number_for(tracee.member) == wanted.which]
        case waits.P_PIDFD:
            target = descriptors.pidfd_target(tracee.tid, wanted.which)
            return [child for child in children if child.pid == target]
        case waits.P_PGID:
            own = tracee.member
            group = wanted.which or group_for(own, own)
            return [child for child in children if group_for(own, child) == group]
    return children
