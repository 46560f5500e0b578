"""Births, programs and deaths: what becomes of a process, and of its children when it is gone."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from forklab.lens.calls import waiting
from forklab.lens.calls.timers import INTERVAL_TIMER
from forklab.lens.edge import proc, ptrace
from forklab.lens.edge.vdso import hide_vdso
from forklab.lens.loop import threads
from forklab.lens.world.chronicle import Member
from forklab.lens.world.tracee import EndOfWorldError, Stand, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World


def gave_birth(world: World, tracee: Tracee, event: int) -> None:
    tid = ptrace.event_message(tracee.tid)
    is_thread = event == ptrace.EVENT_CLONE and proc.thread_group(tid) == tracee.member.pid
    if is_thread:
        world.because("it has several threads")
        if world.schedule is not None:
            raise EndOfWorldError("It has several threads, and a schedule leads processes only.")
        world.threaded.add(tracee.member)
        child = world.new(tid, tracee.member)
    else:
        child = world.new(tid, world.chronicle.forked(tracee.member, tid))
    while tid not in world.early and ptrace.wait(tid) is None:
        world.tick()
    world.early.discard(tid)
    if not is_thread:
        child.seen = tracee.seen
        child.saw("born", child.member.name)
        tracee.saw(child.member.name)
    if len(world.tracees) > world.limits.processes:
        raise EndOfWorldError(
            f"It had more than {world.limits.processes} processes. Does it fork in an endless loop?"
        )
    if event == ptrace.EVENT_VFORK:
        tracee.unfinished_birth = True
        world.go_on(tracee)
        if world.controlled:
            world.let(tracee, Stand.INSIDE)
    else:
        world.ready(tracee)
    world.ready(child)


def executed(world: World, tracee: Tracee) -> None:
    """The other threads are gone; a thread that is not the first one takes over the pid of the process."""
    member = tracee.member
    former = ptrace.event_message(tracee.tid)
    for other in threads.others(world, tracee):
        world.forget(other)
    if former != tracee.tid:
        world.tracees.pop(former, None)
    world.drop_timers(member, keep=INTERVAL_TIMER)  # execve(2)
    world.dispositions.pop(member, None)
    if world.controlled:
        hide_vdso(tracee.tid)
    world.chronicle.executed(member, proc.command_line(member.pid))
    world.ready(tracee)


def died(world: World, tracee: Tracee, status: int) -> None:
    waiting.has_reaped(world, tracee)
    world.forget(tracee)
    member = tracee.member
    if not tracee.is_leader:
        threads.one_is_gone(world, member)
        return
    world.drop_timers(member)
    world.threaded.discard(member)
    world.dispositions.pop(member, None)
    world.suspects.discard(member)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:  # there is no stop at its delivery
        world.chronicle.signalled(member, signal.SIGKILL, world.chronicle.killer_of(member))
    world.chronicle.died(member, code)
    if member is world.chronicle.first:
        zombies = (m.name for m in world.chronicle.everybody if m.zombie and m is not member)
        world.outcome.unreaped = sorted(zombies)
    _orphan(world, member)
    if member.parent is None:
        world.chronicle.reaped(member)
    else:
        if not proc.exists(member.pid):  # the parent ignores SIGCHLD
            world.chronicle.reaped(member)
            assert member.parent is not None
        world.tell_parent(member)


def _orphan(world: World, dead: Member) -> None:
    """The kernel tells who has adopted the children of the dead."""
    children = list(dead.children)
    for child in children:
        adopter = proc.parent(child.pid)
        new = world.chronicle.get(adopter) if adopter is not None else None
        world.chronicle.reparented(child, dead, None if new is dead else new)
    for child in children:
        if not child.zombie:
            continue
        if child.parent is None:
            while (report := ptrace.wait(child.pid)) is None:
                world.tick()
            world.hear_stranger(*report)
        elif not proc.exists(child.pid):
            world.chronicle.reaped(child)
        else:
            world.tell_parent(child)
