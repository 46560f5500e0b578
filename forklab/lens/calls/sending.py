"""Signals that the processes send each other: who is meant, and who must wait for its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from forklab.kernel.calls import int32
from forklab.kernel.signals import ENDING_MASK, KILL, bit, signal_name
from forklab.lens.calls.waiting import group_for, group_numbers
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.onward import AT_ONCE, IN_TURN, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee

_EPERM = 1
_OF_A_THREAD_IN = frozenset({"tgkill", "rt_tgsigqueueinfo"})  # process, thread, signal


class Sending(NamedTuple):
    """`number` is the signal, and `place` that of the argument that says so.

    `shielded`: somebody outside of the program is meant too, and must not be reached.
    """

    number: int
    place: int
    targets: list[Member]
    shielded: bool


def send(run: Run, tracee: Tracee, call: Call, *, explored: bool = False) -> Onward:
    """`explored`: it is one of several schedules."""
    sending = announce(run, tracee, call)
    if sending is None:
        run.clock.look()  # with signal 0 one asks who is still there
        return IN_TURN if run.clock.watched else AT_ONCE
    run.clock.looked_away()
    if explored:
        doubt_who_ends_them(run, sending)
    elif (
        sending.targets
        and all(map(_masks_of_the_dying, sending.targets))
        and not says_it_twice(call)
    ):
        return only_ask(tracee, call, sending)
    if sending.shielded:
        return shield(run, tracee, sending, lambda target: os.kill(target.pid, sending.number))
    return INTO_ITS_CALL


def only_ask(tracee: Tracee, call: Call, sending: Sending) -> Onward:
    """Nobody gets the signal; whether it might be sent is for the kernel to say: with number 0 it does no more."""
    call.patched = (sending.place, call.arguments[sending.place])
    ptrace.set_argument(tracee.tid, sending.place, 0)
    return INTO_ITS_CALL


def says_it_twice(call: Call) -> bool:
    """Whether the number is in a siginfo as well, and has to be the same there."""
    return call.name == "pidfd_send_signal" and bool(call.arguments[2])


def doubt_who_ends_them(run: Run, sending: Sending) -> None:
    """The kernel lets the dying have no other signal. That a change of a mask then comes before or after it is no
    longer the same, which the explorer does not know: it goes through both, and claims nothing.
    """
    certain = bit(KILL) | bit(sending.number)  # one of these has come already: so nothing changes
    for target in sending.targets:
        masks = _masks_of_the_dying(target)
        if masks and not masks.harmless(sending.number) and not masks.pending & certain:
            run.because(
                f"{signal_name(sending.number)} is sent to {target.name}, which another signal has ended"
                " already: it is shown with either end"
            )


def _masks_of_the_dying(target: Member) -> proc.Masks | None:
    """Of one whom a signal has ended, though it has not been let go since; None of all others.

    Of a signal that is neither caught, blocked nor ignored, and leaves no core file, the kernel makes an end at the
    moment at which it is sent, whatever comes next (complete_signal() in Linux' kernel/signal.c); but of a process that
    is traced not before it is delivered.
    """
    if target.is_init or target.stopped:
        return None
    masks = proc.masks(target.pid, target.pid)
    if masks is None or not masks.deliverable:
        return None
    return None if masks.deliverable & (masks.caught | ~ENDING_MASK) else masks


def is_dying(target: Member) -> bool:
    """Whether a signal has ended it, though it has not been let go since."""
    return _masks_of_the_dying(target) is not None


def sent(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """It has returned."""
    number = int32(call.arguments[signal_place(call.name)])
    if result == 0 and number != KILL:
        return
    targets = set(_targets(run, tracee, call.name, int32(call.arguments[0])))
    if result < 0:
        run.chronicle.refused(tracee.member, targets)
    await_the_dying(run, (t for t in run.world.tracees.values() if t.member in targets))


def await_the_dying(run: Run, tracees: Iterable[Tracee]) -> None:
    """Of these: who was held when it was killed was woken at once, and its end is awaited.

    A PID 1 that tells its end may stand still again by now, at that.
    """
    for tracee in list(tracees):
        stands = tracee.stand in (Stand.READY, Stand.HELD)
        if stands and (proc.state(tracee.tid) != "t" or ptrace.has_news(tracee.tid)):
            run.world.let(tracee, Stand.RUNNING)


def signal_place(call: str) -> int:
    """Which argument of a call that sends a signal says which."""
    return 2 if call in _OF_A_THREAD_IN else 1


def announce(run: Run, tracee: Tracee, call: Call) -> Sending | None:
    """Writes down who sends what to whom. None: nobody gets anything, and the kernel knows why."""
    place = signal_place(call.name)
    first, number = int32(call.arguments[0]), int32(call.arguments[place])
    if not 0 < number <= 64:
        return None
    targets = _targets(run, tracee, call.name, first)
    everybody = first == -1 and call.name in ("kill", "rt_sigqueueinfo")
    outsiders = everybody or (not targets and proc.exists(abs(first)))
    if tracee.member.spaces:  # beyond its own namespace it reaches nobody
        outsiders = False
    run.chronicle.sends(tracee.member, number, targets)
    run.suspects.update(targets)
    return Sending(number, place, targets, shielded=outsiders and not run.in_namespace)


def shield(run: Run, tracee: Tracee, sending: Sending, deliver: Callable[[Member], None]) -> Onward:
    """Without a namespace of its own the program could reach everybody on this machine: it must not."""
    for target in sending.targets:
        deliver(target)
    if not sending.targets:
        run.because("it sends a signal to somebody outside, which the lens keeps from it")
    ptrace.skip_call(tracee.tid, 0 if sending.targets else -_EPERM)
    return IN_TURN


def _targets(run: Run, tracee: Tracee, call: str, whom: int) -> list[Member]:
    viewer, chronicle = tracee.member, run.chronicle
    if call in _OF_A_THREAD_IN:
        return _one(chronicle.called(viewer, whom))
    if call == "pidfd_send_signal":
        return _one(chronicle.get(descriptors.pidfd_target(tracee.tid, whom) or 0))
    if call == "tkill" and not viewer.spaces:
        return _one(chronicle.get(proc.thread_group(whom) or 0))
    return _reached(run, tracee, whom)


def _one(member: Member | None) -> list[Member]:
    return [member] if member else []


def _reached(run: Run, tracee: Tracee, whom: int) -> list[Member]:
    """Whom kill(2) reaches, in order of birth."""
    viewer = tracee.member
    if whom > 0:
        return _one(run.chronicle.called(viewer, whom))
    alive = sorted({t.member.born: t.member for t in run.world.tracees.values()}.items())
    if whom == -1:  # but for PID 1 and itself
        seen = [member for _, member in alive if member.is_within(viewer)]
        return [m for m in seen if m is not viewer and m.number_for(viewer) != 1]
    numbers = {member: group_numbers(member) for _, member in alive}
    own = [m for _, m in alive if group_for(viewer, m, numbers[m]) == -whom] if whom else [viewer]
    groups = {numbers[member][:1] for member in own}  # also those of it who are elsewhere
    return [member for member, found in numbers.items() if found[:1] in groups]
