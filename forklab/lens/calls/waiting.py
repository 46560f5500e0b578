"""wait4(2) and waitid(2): who has to wait there, and who was reaped."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence

from forklab.kernel import waits
from forklab.kernel.calls import calls_in
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.onward import HELD, Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_WAITS = calls_in("wait")
_PID_AT = 16  # in a siginfo_t


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
    awaited = wanted(tracee, call)
    one = awaited.kind in (waits.P_PID, waits.P_PIDFD)
    child = next(iter(_meant(tracee, awaited)), None) if one else None
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
    reaps = not wanted(tracee, call).options & waits.WNOWAIT and not more_news
    return Onward(Turn.IN_TURN, to_exit=True, reaps=reaps)


def has_reaped(run: Run, tracee: Tracee) -> None:
    """It has stopped, or ended, after a wait at whose end it was not seen: has it reaped a child meanwhile?"""
    if not tracee.reaping:
        return
    tracee.reaping = False
    if (gone := _gone(tracee)) is not None:
        run.chronicle.reaped(gone)


def _gone(tracee: Tracee) -> Member | None:
    dead = (child for child in tracee.member.children if child.dead)
    return next((child for child in dead if not proc.exists(child.pid)), None)


def waited(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """Who was reaped, if anybody was."""
    options = wanted(tracee, call).options
    child = _told(run, tracee, call, result, options)
    if child is None:
        return
    stopped = child.stop_untold and bool(options & waits.WSTOPPED)
    tracee.saw(child.name, child.status, child.stopped_by if stopped else 0)
    if options & waits.WNOWAIT:
        return
    if child.dead:
        run.chronicle.reaped(child)
    elif stopped:
        child.stop_untold = False
    else:
        child.continue_untold = False


def group_numbers(member: Member) -> tuple[int, ...]:
    """Its process group, as it is called in each PID namespace around it, ours first; empty if it is gone."""
    return proc.numbers(member.pid, b"NSpgid:")


def group_for(viewer: Member, member: Member, numbers: Sequence[int]) -> int | None:
    """Its process group, of these `numbers`, as the viewer has to call it; None if that cannot see it."""
    if not member.is_within(viewer):
        return None
    return next(iter(numbers[len(viewer.spaces) :]), None)


def _told(run: Run, tracee: Tracee, call: Call, result: int, options: int) -> Member | None:
    """Of whom it was told. Where that could not be written, as the pointer is bad, the news are gone all the same."""
    if result < 0 and result != -errno.EFAULT:
        return None
    if result >= 0 and call.name == "wait4":
        return run.chronicle.called(tracee.member, result) if result else None
    if result == 0 and call.arguments[2]:
        content = ptrace.read_memory(tracee.tid, call.arguments[2], _PID_AT + 4)
        (number,) = struct.unpack_from("<i", content, _PID_AT)
        return run.chronicle.called(tracee.member, number) if number else None
    if (gone := _gone(tracee)) is not None:
        return gone
    return next((c for c in _meant(tracee, wanted(tracee, call)) if c.news & options), None)


def _returns_at_once(tracee: Tracee, call: Call) -> bool:
    awaited = wanted(tracee, call)
    return waits.returns_at_once(awaited.options, [c.news for c in _meant(tracee, awaited)])


def wanted(tracee: Tracee, call: Call) -> waits.WaitFor:
    """Whom it waits for, and how; with a pidfd that has O_NONBLOCK it does not wait: pidfd_open(2)."""
    asked = waits.wait_for(call.name, call.arguments)
    if asked.kind == waits.P_PIDFD and descriptors.flags(tracee.tid, asked.which) & os.O_NONBLOCK:
        return asked._replace(options=asked.options | waits.WNOHANG)
    return asked


def _meant(tracee: Tracee, awaited: waits.WaitFor) -> list[Member]:
    kind, which, options = awaited
    sorts = [sort for sort in (False, True) if waits.is_for(options, is_clone=sort)]
    children = [child for child in tracee.member.children if child.is_clone in sorts]
    if options & waits.WNOTHREAD:
        children = [child for child in children if _is_its_own(tracee, child)]
    match kind:
        case waits.P_ALL:
            return children
        case waits.P_PID:
            return [c for c in children if c.number_for(tracee.member) == which]
        case waits.P_PIDFD:
            target = descriptors.pidfd_target(tracee.tid, which)
            return [child for child in children if child.pid == target]
        case waits.P_PGID:
            own = tracee.member
            group = which or _group_of(own, own)
            return [child for child in children if _group_of(own, child) == group]
    return children


def _group_of(viewer: Member, member: Member) -> int | None:
    return group_for(viewer, member, group_numbers(member))


def _is_its_own(tracee: Tracee, child: Member) -> bool:
    """Whether this thread has forked it, or inherited it from one that has ended."""
    is_orphan = proc.thread_group(child.mother) != tracee.member.pid
    return child.mother == tracee.tid or (is_orphan and tracee.is_leader)
