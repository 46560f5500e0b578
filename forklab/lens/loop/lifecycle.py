"""Births, programs and deaths: what becomes of a process, and of its children when it is gone."""

from __future__ import annotations

import os
import time

from forklab.counted import counted
from forklab.kernel.signals import CHLD, KILL
from forklab.lens.calls import sending, waiting
from forklab.lens.edge import proc, ptrace
from forklab.lens.edge.yielding import give_way
from forklab.lens.loop import threads, vforking
from forklab.lens.loop.loop import Loop
from forklab.lens.world.chronicle import Member
from forklab.lens.world.limits import EndOfRunError, TooManyProcessesError
from forklab.lens.world.onward import AT_ONCE, IN_TURN
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Tracee

_CALLS_FOR_A_BIRTH = 10  # that take as long
_REAPED_SECONDS = 10.0  # on the busiest machine


def gave_birth(loop: Loop, tracee: Tracee, event: int) -> None:
    run, tid = loop.run, ptrace.event_message(tracee.tid)
    run.clock.called(_CALLS_FOR_A_BIRTH)
    if event == ptrace.EVENT_CLONE and proc.thread_group(tid) == tracee.member.pid:
        run.because("it has several threads")
        run.threaded.add(tracee.member)
        child = run.world.new(tid, tracee.member)
        child.dial = tracee.dial
    else:
        member = run.chronicle.forked(tracee.member, tid)
        parent = _number(run, tracee.member, member)
        member.mother = tracee.tid
        member.is_clone = event != ptrace.EVENT_FORK and proc.exit_signal(tid) != CHLD
        child = run.world.new(tid, member)
        run.dispositions.inherited(tracee.member, member)
        child.seen = tracee.seen
        child.functions = tracee.functions
        child.twisters = tracee.twisters
        child.dial = tracee.dial.copy() if tracee.dial else None
        child.saw("born", member.name)
        tracee.saw(member.name)
        if parent != tracee.member.pid:
            _give_to(run, tracee.member, member, parent)
    if tid not in loop.early:
        loop.await_report(tid)
    loop.early.discard(tid)
    if tracee.tells_its_end:  # so does whoever it has forked, unless we say something else
        ptrace.stop_at_its_end(tid, child.member is tracee.member)
        child.tells_its_end = child.member is tracee.member
    if len(run.world.tracees) > run.limits.processes:
        raise TooManyProcessesError(
            f"It had more than {counted(run.limits.processes, 'process', 'processes')}, as a fork bomb has."
            " Does it fork in an endless loop?"
        )
    if tracee.vfork is not None:
        vforking.put_back(tracee, tracee.vfork)
        vforking.put_back(child, tracee.vfork)
        tracee.unfinished_birth = child.is_waited_for = True
        run.world.let(tracee, Stand.INSIDE)
    elif event == ptrace.EVENT_VFORK:
        tracee.unfinished_birth = child.is_waited_for = True
        loop.goes_on(tracee, AT_ONCE)
        run.world.let(tracee, Stand.INSIDE)
    else:
        loop.goes_on(tracee, IN_TURN)
    loop.goes_on(child, IN_TURN)


def _number(run: Run, parent: Member, child: Member) -> int:
    """In which PID namespaces of the program's own it is, and under which numbers. Returns whose child it is, by pid.

    In that of its parent if it has as many: nobody gets into another one but further down, see pid_namespaces(7).
    """
    parents_pid, numbers = proc.parent_and_numbers(child.pid)
    child.numbers = numbers[1:]
    if len(child.numbers) == len(parent.spaces):
        child.spaces = parent.spaces
    else:
        space = proc.pid_namespace(child.pid)
        known = (m.spaces for m in run.chronicle.everybody if m.spaces[-1:] == (space,))
        child.spaces = next(known, (*parent.spaces, space))
    child.is_init = child.numbers[-1:] == (1,)
    return parents_pid


def _give_to(run: Run, mother: Member, child: Member, parent: int) -> None:
    """A child whose parent is not who has made it: CLONE_PARENT, see clone(2). It is a sibling then."""
    if proc.state(mother.pid) in ("Z", "X", None):
        return  # it was killed at that moment, and its end is still to be told
    run.chronicle.reparented(child, mother, run.chronicle.get(parent))


def executed(loop: Loop, tracee: Tracee) -> None:
    """The other threads are gone; a thread that is not the first one takes over the pid of the process."""
    run, member = loop.run, tracee.member
    for other in threads.others(run, tracee):
        run.world.let(other, Stand.GONE)
    run.alarms.drop(member, all_of_them=False)
    run.resources.gone(member)  # as far as it was held by descriptors that are closed now
    run.dispositions.executed(member)
    vforking.release(loop, tracee)
    member.is_clone = False
    words = proc.command_line(member.pid)
    if not ptrace.can_be_read(tracee.tid):
        raise EndOfRunError(
            f"{member.name} executes {words[0] if words else 'a program'}, which may be run but not read: the lens"
            " can't see into it. Whoever owns it can make it readable: chmod +r."
        )
    loop.policy.begins(loop, tracee)
    run.chronicle.executed(member, words)
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
    if member.is_init:  # the kernel has reaped for it
        for child in [c for c in member.children if c.zombie and not proc.exists(c.pid)]:
            run.chronicle.reaped(child)
    code = os.waitstatus_to_exitcode(status)
    if member.fault:
        code = -member.fault
    if code == -KILL:  # there is no stop at its delivery
        killer = run.chronicle.killer_of(member)
        run.chronicle.signalled(member, KILL, killer)
        if killer is member:  # and others with it, maybe: kill(0, SIGKILL)
            sending.await_the_dying(run, run.world.tracees.values())
    run.chronicle.died(member, code)
    if member is run.chronicle.first:
        _notice_who_is_stopped(run, tracee)
        zombies = (m.name for m in run.chronicle.everybody if m.zombie and m is not member)
        run.findings.unreaped = sorted(zombies)
    _orphan(loop, member)
    if member.parent is None:
        _leave_to_others(run, member)
        run.chronicle.reaped(member)
    else:
        _leave_to_parent(loop, member, member.parent)
    if tracee.is_waited_for:
        vforking.release(loop, tracee)


def _notice_who_is_stopped(run: Run, first: Tracee) -> None:
    """The first process ends. Below a shell its group had a parent in it until now, and the kernel gets those going who
    are stopped in a group that loses its last one: setpgid(2). Here it had none.
    """
    stopped = (m for m in run.chronicle.everybody if m.stopped and not m.dead)
    for member in (m for m in stopped if proc.group(m.pid) == first.member.pid):
        difference = f"{member.name} is stopped when P ends: below a shell it would get SIGHUP and SIGCONT then"
        run.remark(difference)
        if first.seen is not None:
            run.because(difference)


def _orphan(loop: Loop, dead: Member) -> None:
    """The kernel tells who has adopted the children of the dead."""
    run = loop.run
    children = list(dead.children)
    if children:  # the kernel sends them what they have asked for: PR_SET_PDEATHSIG, see prctl(2)
        run.suspects.update(children)
        orphans = set(children)
        sending.await_the_dying(run, (t for t in run.world.tracees.values() if t.member in orphans))
    for child in children:
        run.chronicle.reparented(child, dead, _adopter(run, child, dead))
    for child in children:
        if not child.zombie:
            continue
        if child.parent is None:
            try:
                loop.hear_stranger(*loop.await_report(child.pid))
            except ChildProcessError:  # somebody of whom we do not know had it, and has reaped it
                _leave_to_others(run, child)
                run.chronicle.reaped(child)
        else:
            _leave_to_parent(loop, child, child.parent)


def _adopter(run: Run, child: Member, dead: Member) -> Member | None:
    adopter = proc.parent(child.pid)
    if adopter is None:  # it was a zombie, and whoever adopted it wants none
        return _next_reaper(run, dead)
    new = run.chronicle.get(adopter)
    return None if new is dead else new


def _next_reaper(run: Run, dead: Member) -> Member | None:
    """The nearest ancestor in its namespace that lives and is a subreaper, or PID 1 there. None: ours.

    See PR_SET_CHILD_SUBREAPER in prctl(2).
    """
    ancestor = dead.parent
    while ancestor is not None and ancestor.spaces == dead.spaces:
        if ancestor.adopts and not ancestor.dead:
            return ancestor
        ancestor = ancestor.parent
    here = (m for m in run.chronicle.everybody if m.is_init and m.spaces == dead.spaces)
    return next(here, None)


def _leave_to_others(run: Run, orphan: Member) -> None:
    """Whoever it came to reaps it, at once for all that the program can see. Raises EndOfRunError if it does not."""
    if not run.orphans_go_outside or orphan is run.chronicle.first:
        return
    deadline = time.monotonic() + _REAPED_SECONDS
    while proc.exists(orphan.pid):
        if time.monotonic() > deadline:
            raise EndOfRunError(f"Nobody reaps {orphan.name}, an orphan.")
        give_way()


def _leave_to_parent(loop: Loop, member: Member, parent: Member) -> None:
    """It is a zombie of its parent, who may wait for it; or gone at once, if that wants none: wait(2), NOTES.

    The kernel has then collected it when we were told of its end. But a parent that runs free may have waited already.
    """
    run = loop.run
    if not proc.exists(member.pid):
        runs_free = loop.loose or not run.in_virtual_time
        by_kernel = not runs_free or run.dispositions.wants_no_zombies(parent)
        run.chronicle.reaped(member, by_kernel=by_kernel)
    run.tell_parent(member)
