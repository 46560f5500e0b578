"""Signals on their way in: whom they have an effect on, and whom they get out of a call."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from forklab.lens.calls import sleeping, waiting
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop.observing import what_is_told
from forklab.lens.world.tracee import Stand, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World

STOP_SIGNALS = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})


def deliver(world: World, tracee: Tracee, number: int) -> None:
    """A signal is about to be delivered."""
    told = ptrace.signal_info(tracee.tid)
    member = tracee.member
    sent = told.code <= 0 or number == signal.SIGCHLD
    sender = world.chronicle.latest(told.sender) if sent else None
    if (code := world.ringing.pop((member, number), None)) is not None:
        ptrace.disguise_signal(tracee.tid, code)
    if member not in world.dispositions and (read := proc.masks(member.pid, tracee.tid)):
        world.dispositions[member] = read
    masks = world.dispositions.get(member)
    tracee.last_sender = sender
    stops = number in STOP_SIGNALS  # told when it has stopped: it does not have to
    if masks and (masks.catches(number) if stops else not masks.harmless(number)):
        world.chronicle.signalled(member, number, sender)
        if world.schedule is not None:
            tracee.saw(number, *what_is_told(world, member, told))
    world.go_on(tracee, with_signal=number)


def job_control(world: World, tracee: Tracee, number: int) -> None:
    member = tracee.member
    if not member.stopped:
        world.chronicle.signalled(member, number, tracee.last_sender)
        world.chronicle.stopped(member, number)
        world.tell_parent(member)
    ptrace.listen(tracee.tid)
    world.let(tracee, Stand.STOPPED)


def settle_suspects(world: World) -> None:
    """Of those for whom something has happened: who can go on now?"""
    if not world.suspects:
        return
    suspects, world.suspects = world.suspects, set()
    for tracee in [t for t in world.tracees.values() if t.member in suspects]:
        if tracee.stand is not Stand.HELD or tracee.call is None:
            continue
        if waiting.can_return(tracee):
            waiting.let_reap(world, tracee)
            continue
        masks = proc.masks(tracee.member.pid, tracee.tid)
        if masks and masks.deliverable:
            sleeping.let_in(tracee)  # the kernel itself interrupts it
            world.ready(tracee, to_exit=True)
