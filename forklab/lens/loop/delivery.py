"""Signals on their way in: whom they have an effect on, and whom they get out of a call."""

from __future__ import annotations

import os

from forklab.kernel.calls import PATIENT, calls_in
from forklab.kernel.signals import (
    CHLD,
    KILL,
    SEGV,
    STOP,
    STOPPING_MASK,
    bit,
    signal_name,
    signal_number,
)
from forklab.lens.calls import awaiting, cueing, masking, sleeping, waiting
from forklab.lens.edge import proc, ptrace, timestamps
from forklab.lens.edge.queueing import SI_KERNEL, SI_QUEUE, SI_TIMER
from forklab.lens.loop.loop import Loop
from forklab.lens.world import stands
from forklab.lens.world.chronicle import Member
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.onward import AT_ONCE, IN_TURN, Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Tracee
from forklab.steps.state import LOOP

NOTHING_TOLD = (0, "", 0)
EXITS = calls_in("exit")  # where somebody may be held who is about to exit
_OF_TERMINAL = frozenset(map(signal_number, ("SIGTSTP", "SIGTTIN", "SIGTTOU")))
_OF_A_CHILD = (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)  # it has ended: the last signal of one
# A handler ends these for good, with SA_RESTART too: signal(7), "Interruption of system calls".
_NOT_MADE_AGAIN = (calls_in("sleep") | PATIENT.keys()) - {"futex"}
_FAULTS = frozenset(
    map(signal_number, ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"))
)


def deliver(loop: Loop, tracee: Tracee, number: int) -> None:
    """A signal is about to be delivered."""
    run, member = loop.run, tracee.member
    if tracee.dies_by == number:  # that has been told
        loop.goes_on(tracee, Onward(Turn.AT_ONCE, with_signal=number))
        return
    if (
        run.stops_at_time_stamps
        and number == SEGV
        and timestamps.answer(tracee.tid, run.clock.uptime)
    ):
        loop.goes_on(tracee, AT_ONCE)
        return
    masks = run.dispositions.of(tracee)
    stops = bit(number) & STOPPING_MASK  # told when it has stopped: it does not have to
    if masks and masks.harmless(number) and not stops and not run.alarms.timers:
        loop.goes_on(tracee, Onward(Turn.AT_ONCE, with_signal=number))
        return
    info = ptrace.signal_info(tracee.tid)
    rung = run.alarms.delivered(run.clock, member, info)
    if rung is not None and rung.is_stale:
        loop.goes_on(tracee, AT_ONCE)
        return
    if rung is not None:
        if rung.overruns is None:
            ptrace.disguise_signal(tracee.tid, SI_KERNEL)
        else:
            ptrace.set_overruns(tracee.tid, rung.overruns)
    sender = None if rung is not None else _sender(run, member, info)
    tracee.last_sender = sender
    if masks and masks.catches(number) and tracee.call and tracee.call.name in _NOT_MADE_AGAIN:
        tracee.deadline, tracee.interrupted = None, False
    if number == STOP and member.is_init and (sender is not None or info.code in _OF_A_CHILD):
        loop.goes_on(tracee, AT_ONCE)  # the kernel drops it, but not on the way to a tracer
        return
    if (
        member.is_init
        and number in _FAULTS
        and info.code > 0
        and masks
        and not masks.catches(number)
    ):
        if member is run.chronicle.first:
            _end_by_fault(run, member, number)
            return
        raise EndOfRunError(
            f"{member.name}, a PID 1, has a fault, {signal_name(number)}: while it is traced, that does not end it."
        )
    if tracee.seen is not None and masks and not bit(number) & (masks.caught | masks.ignored):
        _notice_no_shell(run, member, number)
    if masks and (masks.catches(number) if stops else not _is_harmless(member, masks, number)):
        run.chronicle.signalled(member, number, sender)
        tracee.saw(number, *what_it_says(run, member, info))
    loop.goes_on(tracee, Onward(Turn.AT_ONCE, with_signal=number))
    if masks and masks.catches(number):  # once, if it has said so by SA_RESETHAND
        run.dispositions.changed(member)


def _end_by_fault(run: Run, member: Member, number: int) -> None:
    """A PID 1 above whom is nobody of the program: it is killed in the fault's stead, which would not end it."""
    run.chronicle.signalled(member, number, None)
    member.fault = number
    os.kill(member.pid, KILL)
    for tracee in run.world.threads_of(member):
        tracee.at_its_end = True


def _notice_no_shell(run: Run, member: Member, number: int) -> None:
    """A signal of the terminal stops nobody whose group is orphaned, setpgid(2). At a shell it is not."""
    if number in _OF_TERMINAL and proc.group(member.pid) == run.chronicle.first.pid:
        run.because(
            f"{signal_name(number)} does not stop {member.name} here, as there is no shell above its group"
        )


def what_it_says(run: Run, member: Member, info: ptrace.SignalInfo) -> tuple[int, str, int]:
    """Code, sender and value of a signal, if the process can learn of them."""
    if not masking.is_told(run, member, info.number):
        return NOTHING_TOLD
    sender = _sender(run, member, info)
    value = info.value if info.code == SI_QUEUE or info.number == CHLD else 0
    return info.code, sender.name if sender else "", value


def _sender(run: Run, member: Member, info: ptrace.SignalInfo) -> Member | None:
    """Who has sent it, if somebody of the program has, and this one can see whom."""
    sent = (info.code <= 0 and info.code != SI_TIMER) or info.number == CHLD
    return run.chronicle.latest_called(member, info.sender) if sent else None


def _is_harmless(member: Member, masks: proc.Masks, number: int) -> bool:
    """Whether the signal does nothing to it: to a PID 1, none does that it does not catch, see pid_namespaces(7).

    But for those from outside that nobody can catch; and for faults, which are no signals that somebody has sent.
    """
    if member.is_init and bit(number) & ~STOPPING_MASK:
        return not masks.catches(number)
    return masks.harmless(number)


def job_control(loop: Loop, tracee: Tracee, number: int) -> None:
    """A signal stops it, or it is told again that it is stopped."""
    run, member = loop.run, tracee.member
    if not member.stopped:
        run.chronicle.signalled(member, number, tracee.last_sender)
        run.chronicle.stopped(member, number)
        run.tell_parent(member)
    ptrace.listen(tracee.tid)
    run.world.let(tracee, stands.STOPPED)


def continued(loop: Loop, tracee: Tracee) -> None:
    """SIGCONT has come for somebody who was stopped."""
    if tracee.member.stopped:
        loop.run.chronicle.continued(tracee.member)
        loop.run.tell_parent(tracee.member)
    loop.goes_on(tracee, IN_TURN)


def settle_suspects(loop: Loop) -> None:
    """Of those for whom something has happened: who can go on now?"""
    run = loop.run
    if not run.suspects:
        return
    suspects, run.suspects = run.suspects, set()
    for tracee in [t for t in run.world.tracees.values() if t.member in suspects]:
        call = tracee.call
        if tracee.stand is not stands.HELD or call is None:
            continue
        if waiting.can_return(tracee):
            loop.goes_on(tracee, waiting.reap(tracee, call))
            continue
        if awaiting.is_one(call):
            if awaiting.would_return(tracee, call):
                loop.goes_on(tracee, Onward(Turn.IN_TURN, to_exit=True))
            continue
        masks = proc.masks(tracee.member.pid, tracee.tid)
        due = masks.due(is_init=tracee.member.is_init) if masks else 0
        if call.name in EXITS and masks:  # held there: it runs nothing more of its own
            due &= ~masks.caught & ~STOPPING_MASK
        if due and call.name == LOOP:
            loop.goes_on(tracee, IN_TURN)
        elif due and (
            call.name == cueing.NAME or call.name in EXITS
        ):  # it comes, and then it asks again
            ptrace.rewind_call(tracee.tid)
            loop.goes_on(tracee, IN_TURN)
        elif due:
            sleeping.let_in(tracee)  # the kernel itself interrupts it
            loop.goes_on(tracee, Onward(Turn.IN_TURN, to_exit=True))
