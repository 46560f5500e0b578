"""Signals that the processes send each other: who is meant, and who must wait for its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING

from forklab.lens.calls.groups import int32
from forklab.lens.edge import proc, ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.tracee import Call, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_EPERM = 1
_OF_A_THREAD_IN = frozenset({"tgkill", "rt_tgsigqueueinfo"})  # process, thread, signal


def send(world: World, tracee: Tracee, call: Call) -> None:
    place = 2 if call.name in _OF_A_THREAD_IN else 1
    first, number = int32(call.arguments[0]), int32(call.arguments[place])
    if call.name in _OF_A_THREAD_IN:
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
    everybody = first == -1 and call.name in ("kill", "rt_sigqueueinfo")
    if not world.in_namespace and (everybody or (not targets and proc.exists(abs(first)))):
        _shield(world, tracee, targets, number)
        return
    for target in targets:
        world.chronicle.sends(tracee.member, number, target)
    world.suspects.update(targets)
    # There the number may be in a siginfo as well, and has to be the same.
    told_twice = call.name == "pidfd_send_signal" and call.arguments[2]
    if world.schedule is not None and number == signal.SIGKILL and not told_twice:
        call.dooms, call.patched = tuple(targets), (place, call.arguments[place])
        ptrace.set_argument(tracee.tid, place, 0)  # whether it may is for the kernel to say
    world.go_on(tracee, to_exit=True)
    if world.controlled and number == signal.SIGKILL and not call.dooms:
        dying = set(map(id, targets))
        for other in list(world.tracees.values()):
            if other is not tracee and id(other.member) in dying:
                world.awaken(other)


def doom(targets: Iterable[Member]) -> None:
    """SIGKILL is on its way to them: each dies in a step of its own, as soon as it is chosen."""
    for target in targets:
        target.doomed = not target.dead


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


def _shield(world: World, tracee: Tracee, targets: list[Member], number: int) -> None:
    """Without a namespace of its own the program could reach everybody on this machine: it must not."""
    for target in targets:
        world.chronicle.sends(tracee.member, number, target)
        if world.schedule is not None and number == signal.SIGKILL:
            doom([target])
        else:
            os.kill(target.pid, number)
    world.suspects.update(targets)
    if not targets:
        world.because("it sends a signal to somebody outside, which the lens keeps from it")
    ptrace.skip_call(tracee.tid, 0 if targets else -_EPERM)
    world.ready(tracee)
