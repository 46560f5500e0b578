"""wait4(2) and waitid(2): who is held there, and who was reaped."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forklab.lens.calls import groups as calls
from forklab.lens.calls.groups import int32
from forklab.lens.edge import proc, ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.tracee import Call, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_WEXITED = 4


def wait(world: World, tracee: Tracee, call: Call) -> None:
    """It is about to wait."""
    if _can_wait(tracee, call):
        let_reap(world, tracee)
        return
    announce(world, tracee, call)
    if world.controlled:
        world.hold(tracee)
    else:
        world.go_on(tracee, to_exit=True)


def announce(world: World, tracee: Tracee, call: Call) -> None:
    """It waits from now on."""
    world.chronicle.waits(tracee.member, _wanted_child(tracee, call))


def can_return(tracee: Tracee) -> bool:
    """Whether the call at whose entry it is held would return at once."""
    call = tracee.call
    return call is not None and call.name in calls.WAITS and _can_wait(tracee, call)


def let_reap(world: World, tracee: Tracee) -> None:
    """Its wait can return: let it.

    Mostly it reaps a child that has ended, and there is no need to stop it at the end of the call: nobody else runs
    before it stops anyway, and then we see that the child is gone. See `has_reaped`.
    """
    call = tracee.call
    assert call is not None
    _, _, options = whom_and_how(call)
    told_more = any(c.stop_untold or c.continue_untold for c in tracee.member.children)
    seen_in_time = world.controlled and world.schedule is None
    tracee.reaping = seen_in_time and not (options & calls.WNOWAIT or told_more)
    world.ready(tracee, to_exit=not tracee.reaping)


def has_reaped(world: World, tracee: Tracee) -> None:
    """It has stopped, or ended, after `let_reap`: has it reaped a child meanwhile?"""
    if not tracee.reaping:
        return
    tracee.reaping = False
    dead = (child for child in tracee.member.children if child.dead)
    gone = next((child for child in dead if not proc.exists(child.pid)), None)
    if gone is not None:
        world.chronicle.reaped(gone)


def waited(world: World, tracee: Tracee, call: Call, result: int) -> None:
    """Who was reaped, if anybody was."""
    _, _, options = whom_and_how(call)
    if result < 0:
        return
    if call.name == "wait4":
        told = world.chronicle.get(result) if result else None
    elif call.arguments[2]:
        content = ptrace.read_memory(tracee.tid, call.arguments[2], 16)
        told = world.chronicle.get(struct.unpack_from("<i", content, 12)[0])
    else:
        told = next((child for child in _matching(tracee, call) if child.dead), None)
    if told is not None:
        tracee.saw(told.name, told.status)
    if told is None or options & calls.WNOWAIT:
        return
    if told.dead:
        world.chronicle.reaped(told)
    elif told.stop_untold and options & calls.WSTOPPED:
        told.stop_untold = False
    else:
        told.continue_untold = False


def whom_and_how(call: Call) -> tuple[int, int, int]:
    """Of wait4 and waitid alike: kind of id, id, options."""
    if call.name == "waitid":
        kind, which, _, options = call.arguments[:4]
        return int32(kind), int32(which), options
    which, options = int32(call.arguments[0]), call.arguments[2]
    if which == -1:
        return calls.P_ALL, 0, options | _WEXITED
    if which > 0:
        return calls.P_PID, which, options | _WEXITED
    return calls.P_PGID, -which, options | _WEXITED


def _matching(tracee: Tracee, call: Call) -> list[Member]:
    kind, which, _ = whom_and_how(call)
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
    _, _, options = whom_and_how(call)
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
    kind, _, _ = whom_and_how(call)
    if kind in (calls.P_PID, calls.P_PIDFD):
        return next(iter(_matching(tracee, call)), None)
    return None
