"""Births, programs and deaths: what becomes of a process, and of its children when it is gone."""

from __future__ import annotations

import os

from forklab.kernel.signals import KILL
from forklab.lens.calls import waiting
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop import threads
from forklab.lens.loop.loop import Loop
from forklab.lens.world.chronicle import Member
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.onward import AT_ONCE, IN_TURN
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Tracee

_CALLS_FOR_A_BIRTH = 10  # that take as long


def gave_birth(loop: Loop, tracee: Tracee, event: int) -> None:
    run, tid = loop.run, ptrace.event_message(tracee.tid)
    run.clock.called(_CALLS_FOR_A_BIRTH)
    if event == ptrace.EVENT_CLONE and proc.thread_group(tid) == tracee.member.pid:
        run.because("it has several threads")
        run.threaded.add(tracee.member)
        child = run.world.new(tid, tracee.member)
    else:
        member = run.chronicle.forked(tracee.member, tid)
        child = run.world.new(tid, member)
        run.dispositions.inherited(tracee.member, member)
        child.seen = tracee.seen
        child.saw("born", member.name)
        tracee.saw(member.name)
    if tid not in loop.early:
        loop.await_report(tid)
    loop.early.discard(tid)
    if len(run.world.tracees) > run.limits.processes:
        raise EndOfRunError(
            f"It had more than {run.limits.processes} processes. Does it fork in an endless loop?"
        )
    if event == ptrace.EVENT_VFORK:
        tracee.unfinished_birth = True
        loop.goes_on(tracee, AT_ONCE)
        run.world.let(tracee, Stand.INSIDE)
    else:
        loop.goes_on(tracee, IN_TURN)
    loop.goes_on(child, IN_TURN)


def executed(loop: Loop, tracee: Tracee) -> None:
    """The other threads are gone; a thread that is not the first one takes over the pid of the process."""
    run, member = loop.run, tracee.member
    for other in threads.others(run, tracee):
        run.world.let(other, Stand.GONE)
    run.alarms.drop(member, all_of_them=False)
    run.resources.gone(member)  # as far as it was held by descriptors that are closed now
    run.dispositions.changed(member)
    loop.policy.begins(loop, tracee)
    run.chronicle.executed(member, proc.command_line(member.pid))
    loop.goes_on(tracee, IN_TURN)


def died(loop: Loop, tracee: Tracee, status: int) -> None:
    run, member = loop.run, tracee.member
    waiting.has_reaped(run, tracee)
    run.world.let(tracee, Stand.GONE)
    if not tracee.is_leader:
        threads.one_is_gone(run, member)
        return
    run.alarms.drop(member, all_of_them=True)
    run.resources.gone(member)
    run.threaded.discard(member)
    run.dispositions.changed(member)
    run.suspects.discard(member)
    code = os.waitstatus_to_exitcode(status)
    if code == -KILL:  # there is no stop at its delivery
        run.chronicle.signalled(member, KILL, run.chronicle.killer_of(member))
    run.chronicle.died(member, code)
    if member is run.chronicle.first:
        zombies = (m.name for m in run.chronicle.everybody if m.zombie and m is not member)
        run.findings.unreaped = sorted(zombies)
    _orphan(loop, member)
    if member.parent is None:
        run.chronicle.reaped(member)
    else:
        if not proc.exists(member.pid):  # the parent ignores SIGCHLD
            run.chronicle.reaped(member)
        run.tell_parent(member)


def _orphan(loop: Loop, dead: Member) -> None:
    """The kernel tells who has adopted the children of the dead."""
    run = loop.run
    children = list(dead.children)
    for child in children:
        run.chronicle.reparented(child, dead, _adopter(run, child, dead))
    for child in children:
        if not child.zombie:
            continue
        if child.parent is None:
            try:
                loop.hear_stranger(*loop.await_report(child.pid))
            except (
                ChildProcessError
            ):  # another init than ours had it, of a namespace within, and has reaped it
                run.chronicle.reaped(child)
        elif not proc.exists(child.pid):
            run.chronicle.reaped(child)
        else:
            run.tell_parent(child)


def _adopter(run: Run, child: Member, dead: Member) -> Member | None:
    adopter = proc.parent(child.pid)
    new = run.chronicle.get(adopter) if adopter is not None else None
    return None if new is dead else new
