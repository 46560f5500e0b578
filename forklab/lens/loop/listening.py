"""Listening to a world: until everybody who was let go has stopped again, or sleeps in the kernel.

What a stop means is elsewhere; here it is only handed on. An alarm interrupts the
listening now and then, so that somebody who computes for ever is noticed (`tick`).
"""

from __future__ import annotations

import operator
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forklab.lens.calls import dispatch as entry
from forklab.lens.calls import waiting
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop import delivery, lifecycle, threads
from forklab.lens.world.tracee import EndOfWorldError, Stand, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_TOO_LONG = 300_000_000  # nanoseconds on the processor while others wait for their turn
_AT_WILL = 20_000  # looks at one that has been let into the kernel, before the watchdog takes over

in_order = operator.attrgetter("order")


@dataclass(slots=True)
class Idleness:
    """How long nobody has stopped: in alarms, and by the time on the processor at the third and at the last of them."""

    alarms: int = 0
    spent_first: int = 0  # nanoseconds
    spent_last: int = 0


def listen(world: World) -> None:
    """Until nobody runs any more, but for those that sleep in the kernel."""
    if not world.controlled:
        hear(world, ptrace.wait(-1))
        return
    while world.running:
        first = next(iter(world.running.values()))
        if len(world.running) > 1:
            first = min(world.running.values(), key=in_order)
        if world.loose:
            hear(world, ptrace.wait(-1))
            if world.queue:
                return
        elif _may_sleep(first) or first.member in world.threaded:
            _watch(world, first)
        else:
            hear(world, ptrace.wait(first.tid))
    world.loose = False
    for tracee in sorted(world.asleep.values(), key=in_order):
        if tracee.tid in world.asleep:
            _look_at(world, tracee)
    if world.running:
        listen(world)


def _watch(world: World, tracee: Tracee) -> None:
    """It comes back, or falls asleep in the call that it was let into, or has to wait for its fellow threads."""
    threaded = tracee.member in world.threaded
    for _ in range(_AT_WILL):
        if report := threads.wait(world, tracee, block=False):
            hear(world, report)
            return
        letter = proc.state(tracee.tid)
        if letter == "S" and _may_sleep(tracee) and not _is_disturbed(world, tracee):
            if report := ptrace.wait(tracee.tid, block=False):
                hear(world, report)
            else:
                world.let(tracee, Stand.INSIDE)
            return
        if threaded:
            if threads.stands_at_its_end(world, tracee, letter):
                return
            if other := threads.other_has_ended(world, tracee):
                hear(world, ptrace.wait(other.tid))
                return
        os.sched_yield()
    hear(world, threads.wait(world, tracee))


def _look_at(world: World, tracee: Tracee) -> None:
    """Whether somebody who sleeps in the kernel has been woken; if so, listen to it."""
    resting = "tT" if tracee.stand is Stand.STOPPED else "SD" if tracee.unfinished_birth else "S"
    for _ in range(_AT_WILL):
        if report := ptrace.wait(tracee.tid, block=False):
            hear(world, report)
            return
        letter = proc.state(tracee.tid)
        if letter is None or (letter in resting and not _is_disturbed(world, tracee)):
            return
        if threads.stands_at_its_end(world, tracee, letter):
            return
        os.sched_yield()
    world.let(tracee, Stand.RUNNING)


def hear(world: World, report: tuple[int, int] | None) -> None:
    """A report, as ptrace.wait() has it; None: the alarm rang instead."""
    if report is None:
        tick(world)
        return
    if world.watchdog.rung:
        _look_up(world)
    world.idleness.alarms = 0
    tid, status = report
    tracee = world.tracees.get(tid)
    if tracee is None:
        hear_stranger(world, tid, status)
    elif status & 0x7F != 0x7F:
        lifecycle.died(world, tracee, status)
    else:
        try:
            _stopped(world, tracee, status >> 8 & 0xFF, status >> 16)
        except ProcessLookupError:  # killed under our feet: its end is reported
            world.let(tracee, Stand.RUNNING)


def hear_stranger(world: World, tid: int, status: int) -> None:
    """A newborn before we know of its birth; or a zombie that init has adopted."""
    if status & 0x7F == 0x7F:
        world.early.add(tid)
    elif (member := world.chronicle.get(tid)) and member.zombie and member.parent is None:
        world.chronicle.reaped(member)


def _stopped(world: World, tracee: Tracee, number: int, event: int) -> None:
    waiting.has_reaped(world, tracee)
    if event == ptrace.EVENT_SECCOMP:
        entry.entered(world, tracee)
    elif number == ptrace.SYSCALL_STOP:
        entry.returned(world, tracee)
    elif event in ptrace.BIRTHS:
        lifecycle.gave_birth(world, tracee, event)
    elif event == ptrace.EVENT_EXEC:
        lifecycle.executed(world, tracee)
    elif event == ptrace.EVENT_STOP and number in delivery.STOP_SIGNALS:
        delivery.job_control(world, tracee, number)
    elif event == ptrace.EVENT_VFORK_DONE:
        tracee.unfinished_birth = False
        world.ready(tracee)
    elif event:
        if tracee.stand is Stand.STOPPED:
            if tracee.member.stopped:
                world.chronicle.continued(tracee.member)
                world.tell_parent(tracee.member)
            world.ready(tracee)
        else:
            world.go_on(tracee)
    else:
        delivery.deliver(world, tracee, number)


def tick(world: World) -> None:
    """The watchdog: an alarm of ours has interrupted our waiting."""
    _look_up(world)
    running = list(world.running.values())
    if not world.controlled or world.outside:
        return
    world.idleness.alarms += 1
    if world.idleness.alarms < 3:
        return
    if all(proc.state(t.tid) == "S" for t in running):
        for tracee in running:
            world.let(tracee, Stand.INSIDE)
    elif _computes_for_long(world, running):
        if world.schedule is not None:
            names = " and ".join(tracee.member.name for tracee in running)
            world.because("somebody computes for long, maybe until a signal comes")
            raise EndOfWorldError(f"{names} computes for long without a call.")
        if not world.queue:
            _creep(world)
        if world.queue:
            world.because("somebody computes for long while others could run")
            world.loose = True
            world.release()


def _look_up(world: World) -> None:
    world.watchdog.look(world.clock, busy=world.controlled and not world.outside)


def _computes_for_long(world: World, running: list[Tracee]) -> bool:
    """By the time on the processor, not on the wall: on a busy machine everybody is slow."""
    spent = sum(proc.nanoseconds(t.tid) for t in running)
    idle = world.idleness
    if idle.alarms == 3:
        idle.spent_first = idle.spent_last = spent
    return spent - idle.spent_first > _TOO_LONG


def _creep(world: World) -> None:
    """Others sleep until a deadline while somebody computes: time goes by for them, as it does on the processor."""
    spent = sum(proc.nanoseconds(t.tid) for t in world.running.values())
    passed, world.idleness.spent_last = spent - world.idleness.spent_last, spent
    if (deadline := world.next_deadline()) is not None:
        world.clock.jump_to(min(deadline, world.clock.now + passed))
        world.wake_the_due()


def _may_sleep(tracee: Tracee) -> bool:
    """It was let into a call that may have to wait."""
    return tracee.to_exit and not tracee.unfinished_birth and not tracee.returns_at_once


def _is_disturbed(world: World, tracee: Tracee) -> bool:
    """Its sleep is about to end: on a busy machine one may see a process between lying down and getting up again."""
    if tracee.stand is Stand.STOPPED or tracee.unfinished_birth:
        return False
    if tracee.member in world.threaded:
        return False  # another thread may take the signal
    masks = proc.masks(tracee.member.pid, tracee.tid)
    return masks is not None and bool(masks.pending & ~masks.blocked)
