"""Listening: until everybody who was let go has stopped again, or sleeps in the kernel.

What a stop means is elsewhere; here it is only handed on.
"""

from __future__ import annotations

from forklab.kernel.calls import calls_in
from forklab.kernel.signals import SEGV, STOPPING_MASK, TRAP, bit
from forklab.lens.calls import dispatch, waiting
from forklab.lens.edge import proc, ptrace
from forklab.lens.edge.yielding import give_way
from forklab.lens.loop import delivery, lifecycle, threads
from forklab.lens.loop.loop import Loop, Report
from forklab.lens.world import stands
from forklab.lens.world.onward import AT_ONCE, IN_TURN
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Tracee
from forklab.lens.world.world import in_order

_NEVER_WAIT = calls_in("signal")
_AT_WILL = 20_000  # looks at one that has been let into the kernel, before the watchdog takes over


def until_quiet(loop: Loop) -> None:
    """Until nobody runs any more, but for those that sleep in the kernel."""
    world, threaded = loop.run.world, loop.run.threaded
    running = world.running
    while running:
        if loop.loose:
            hear(loop, ptrace.wait())
            if world.queue:
                return
            continue
        first = next(iter(running.values()))
        if len(running) > 1:
            first = in_order(running.values())[0]
        if _may_sleep(first) or first.member in threaded or _may_end_as_init(loop, first):
            _watch(loop, first)
        else:
            hear(loop, ptrace.wait(first.tid))
    loop.loose = False
    if not world.asleep:
        return
    sleepers = in_order(world.asleep.values())
    for tracee in sleepers:
        if tracee.tid in world.asleep:
            _look_at(loop, tracee)
    # Whoever has died in its sleep, as the stopped do by SIGKILL, may have woken one that we had looked at before.
    if world.running or any(tracee.stand is stands.GONE for tracee in sleepers):
        until_quiet(loop)


def hear(loop: Loop, report: Report | None) -> None:
    """A report, as ptrace.wait() has it; None: the alarm rang instead."""
    if report is None:
        loop.alarm()
        return
    if loop.watchdog.rung:
        loop.look_up()
    loop.silent_alarms = 0
    tid, status = report
    tracee = loop.run.world.tracees.get(tid)
    if tracee is None:
        loop.hear_stranger(tid, status)
    elif status & 0x7F != 0x7F:
        lifecycle.died(loop, tracee, status)
    else:
        try:
            _stopped(loop, tracee, status >> 8 & 0xFF, status >> 16)
        except ProcessLookupError:  # killed under our feet: its end is reported
            loop.run.world.let(tracee, stands.RUNNING)


def _stopped(loop: Loop, tracee: Tracee, number: int, event: int) -> None:
    if tracee.reaping:
        waiting.has_reaped(loop.run, tracee)
    if tracee.dial is not None and tracee.dial.moves:
        tracee.dial.read_back(tracee.tid, loop.run.clock)
    if event == ptrace.EVENT_SECCOMP:
        _enters_a_call(loop, tracee)
    elif number == ptrace.SYSCALL_STOP:
        _comes_out_of_a_call(loop, tracee)
    elif event in ptrace.BIRTHS:
        lifecycle.gave_birth(loop, tracee, event)
    elif event == ptrace.EVENT_EXEC:
        lifecycle.executed(loop, tracee)
    elif event == ptrace.EVENT_STOP and bit(number) & STOPPING_MASK:
        delivery.job_control(loop, tracee, number)
    elif event == ptrace.EVENT_VFORK_DONE:
        tracee.unfinished_birth = False
        loop.goes_on(tracee, IN_TURN)
    elif event == ptrace.EVENT_EXIT:
        tracee.at_its_end = True
        loop.goes_on(tracee, AT_ONCE)
    elif not event and number in (TRAP, SEGV) and loop.policy.trapped(loop, tracee):
        pass
    elif not event:
        delivery.deliver(loop, tracee, number)
    elif tracee.stand is stands.STOPPED:
        delivery.continued(loop, tracee)
    else:
        loop.goes_on(tracee, AT_ONCE)


def _enters_a_call(loop: Loop, tracee: Tracee) -> None:
    call = dispatch.begin(loop.run, tracee)
    if not loop.policy.holds(loop, tracee, call):
        loop.goes_on(tracee, dispatch.make(loop.run, tracee, call))


def _comes_out_of_a_call(loop: Loop, tracee: Tracee) -> None:
    result = dispatch.result_of(tracee)
    if dispatch.goes_back(loop.run, tracee, result):
        loop.goes_on(tracee, AT_ONCE)
        return
    result = dispatch.returned(loop.run, tracee, result)
    loop.policy.returned(loop, tracee, result)
    loop.goes_on(tracee, IN_TURN)


def _watch(loop: Loop, tracee: Tracee) -> None:
    """It comes back, or falls asleep in the call that it was let into, or has to wait for its fellow threads."""
    run = loop.run
    threaded = tracee.member in run.threaded
    give_way()  # mostly all that it needs, as we share a processor, and to look costs more
    for _ in range(_AT_WILL):
        if report := threads.wait(run, tracee, block=False):
            hear(loop, report)
            return
        fields = proc.stat(tracee.tid)
        letter = fields[0] if fields else None
        ends = tracee.member.is_init and proc.is_on_its_way_out(fields)
        if ends and _takes_others_along(loop, tracee):
            return
        if letter == "S" and not ends and _may_sleep(tracee) and not _is_disturbed(run, tracee):
            if report := ptrace.wait(tracee.tid, block=False):
                hear(loop, report)
            else:
                run.world.let(tracee, stands.INSIDE)
            return
        if threaded:
            if threads.stands_at_its_end(run, tracee, letter):
                return
            if other := threads.other_has_ended(run, tracee):
                hear(loop, ptrace.wait(other.tid))
                return
        if loop.watchdog.rung:  # it computes, and each look lets it do so for longer
            loop.alarm()
            return
        give_way()
    hear(loop, threads.wait(run, tracee))


def _look_at(loop: Loop, tracee: Tracee) -> None:
    """Whether somebody who sleeps in the kernel has been woken; if so, listen to it."""
    is_stopped = tracee.stand is stands.STOPPED or tracee.vfork is not None
    resting = "tT" if is_stopped else tracee.letters_of_sleep
    for _ in range(_AT_WILL):
        fields = proc.stat(tracee.tid)  # before we ask: whoever is woken in between has a report
        letter = fields[0] if fields else None
        if report := ptrace.wait(tracee.tid, block=False):
            hear(loop, report)
            return
        if tracee.member.is_init and proc.is_on_its_way_out(fields):
            break
        if letter is None or (letter in resting and not _is_disturbed(loop.run, tracee)):
            return
        if threads.stands_at_its_end(loop.run, tracee, letter):
            return
        give_way()
    loop.run.world.let(tracee, stands.RUNNING)


def _may_end_as_init(loop: Loop, tracee: Tracee) -> bool:
    """It may have to wait for the ends of others, as a PID 1 does. With nobody in its namespace it ends by itself.

    One that tells its end is asked only if it has told that; or has told nothing for long: SIGKILL may hide it.
    """
    if not tracee.member.is_init:
        return False
    may_end = not tracee.tells_its_end or tracee.at_its_end or loop.silent_alarms > 0
    return may_end and bool(_doomed(loop, tracee))


def _doomed(loop: Loop, init: Tracee) -> list[Tracee]:
    """Whom the kernel kills when this PID 1 ends."""
    member = init.member
    others = (t for t in loop.run.world.tracees.values() if t.member is not member)
    return [tracee for tracee in others if tracee.member.is_within(member)]


def _takes_others_along(loop: Loop, init: Tracee) -> bool:
    """It ends. If it is the last one of its threads, the kernel kills all others there, and waits for their ends.

    They are heard here, in the order of their births; threads before the first one of their process.
    """
    world = loop.run.world
    doomed = _doomed(loop, init)
    lives = any(other.stand is not stands.ENDED for other in threads.others(loop.run, init))
    if lives or not doomed:
        return False
    doomed.sort(key=lambda tracee: (tracee.order, tracee.is_leader))
    for tracee in doomed:
        world.let(tracee, stands.RUNNING)
    for tracee in doomed:
        while tracee.stand is not stands.GONE:
            hear(loop, loop.await_report(tracee.tid))
    return True


def _may_sleep(tracee: Tracee) -> bool:
    """It was let into a call that may have to wait."""
    if not tracee.to_exit or not tracee.may_sleep or tracee.unfinished_birth:
        return False
    call = tracee.call
    return call is None or not (call.returns or call.name in _NEVER_WAIT)


def _is_disturbed(run: Run, tracee: Tracee) -> bool:
    """Its sleep is about to end: on a busy machine one may see a process between lying down and getting up again."""
    if tracee.stand is stands.STOPPED or tracee.unfinished_birth:
        return False
    if tracee.member in run.threaded:
        return False  # another thread may take the signal
    masks = proc.masks(tracee.member.pid, tracee.tid)
    return masks is not None and bool(masks.pending & ~masks.blocked)
