"""To end is not one deed: the kernel closes what a process has open before anybody can tell that it has ended.

Its parent may read the end of a file from a pipe, and then ask with WNOHANG, in vain, whether its child has ended;
SIGCHLD comes later still. A child may get a lock of its parent, and then find that this is still its parent. So,
where somebody can tell, such a process closes all that it has open in a step of its own, and then it exits: a
close_range(2) is put before its exit. Until then it is deaf, as the kernel has it: what is sent to it does nothing.

Who can tell: a parent that asks for its children without waiting for them, waits for any of several, or notices
SIGCHLD; and a child that asks who its parent is. What a signal ends is not cut in two: that is said.
"""

from __future__ import annotations

import functools
from operator import or_

from forklab.kernel import waits
from forklab.kernel.calls import calls_in
from forklab.kernel.signals import CHLD, bit
from forklab.lens.calls import masking
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.loop import attempts
from forklab.lens.loop.ledger import Ledger
from forklab.lens.world.chronicle import Member
from forklab.lens.world.resources import SOMEBODY
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.surroundings import identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import Touch

EXITS = calls_in("exit")
_CLOSES_ALL, _FROM_FIRST_TO_LAST = "close_range", (0, 0xFFFFFFFF, 0, 0, 0, 0)
_MOST_SIGNALS = 65
_SHARED_KINDS = ("pipe:", "socket:", "anon_inode:[eventfd]")
_SEMOPS = frozenset({"semop", "semtimedop"})


def notice_who_can_tell(run: Run, tracee: Tracee, call: Call, wait: waits.WaitFor | None) -> None:
    """At the entry of its call; `wait`: for whom it waits, if it does."""
    member = tracee.member
    mother = member.name.rpartition(".")[0]
    is_orphan = mother and (member.parent is None or member.parent.name != mother)
    if call.name == "getppid" and is_orphan:  # who asks before that has seen nothing of an end
        _can_tell(run, _orphans_of(mother))
    elif wait is not None:
        several = wait.kind not in (waits.P_PID, waits.P_PIDFD) and len(member.children) > 1
        if several or wait.options & waits.WNOHANG:
            _can_tell(run, _ends_told_to(member.name))
    elif masking.notices(tracee, call, CHLD):
        _can_tell(run, _ends_told_to(member.name))


def notice_undo(ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """At the entry of its call: the kernel takes some of that back when it ends."""
    if call.name in _SEMOPS and attempts.undoes(tracee, call):
        ledger.undoers.add(tracee.member)


def closes_first(run: Run, ledger: Ledger, tracee: Tracee) -> Call | None:
    """It is about to exit. The call that it makes before that, if it does not just come from it."""
    member = tracee.member
    if not ledger.cuts_ends or member in ledger.ending:
        return None
    _notice_vfork(run, tracee)
    if (
        run.resources.may_have_locked(member)
        and not _has_open(run, member)
        and _somebody_can_tell(run, member)
    ):
        run.because(
            f"{member.name} exits, and what it has inherited may be unlocked a moment before anybody can tell that:"
            " that is not modelled"
        )
    if member in ledger.undoers and _somebody_can_tell(run, member):
        run.because(
            f"{member.name} exits, and SEM_UNDO is done a moment before anybody can tell that: that is not modelled"
        )
    if not _has_open(run, member):
        return None
    return Call(_CLOSES_ALL, _FROM_FIRST_TO_LAST) if _somebody_can_tell(run, member) else None


def begin(ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """At the entry of its exit: another call is to be made instead."""
    assert tracee.call is not None
    ledger.of(tracee).exits_by = ptrace.registers(tracee.tid), tracee.call.arguments[0]
    tracee.call = call
    ptrace.call_another(tracee.tid, call.name, call.arguments)


def closes(ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """It has been chosen. If it is that other call, nobody can disturb it from now on."""
    if ledger.of(tracee).exits_by is not None and call.name == _CLOSES_ALL:
        ledger.ending.add(tracee.member)
        masks = proc.masks(tracee.member.pid, tracee.tid)
        if masks is not None:  # what it would not notice anyway may wait for it, or be gone
            noticed = (number for number in range(1, _MOST_SIGNALS) if not masks.harmless(number))
            ptrace.set_signal_mask(
                tracee.tid, functools.reduce(or_, map(bit, noticed), masks.blocked)
            )


def has_closed(ledger: Ledger, tracee: Tracee) -> None:
    """At the exit of a call: if it was that one, it goes on to its own exit."""
    exits_by = ledger.of(tracee).exits_by
    if exits_by is not None and tracee.member in ledger.ending:
        registers, first_argument = exits_by
        ptrace.set_registers(tracee.tid, registers)
        ptrace.call_again(tracee.tid, "exit_group", first_argument)


def notice_the_killed(run: Run, ledger: Ledger) -> None:
    """Of those whom signals have ended, others see what they had open being closed, and that they are dead, at once."""
    for tracee, standing in ledger.all():
        member = tracee.member
        if not (ledger.cuts_ends and tracee.stand is Stand.GONE and standing.is_watched):
            continue
        standing.is_watched = False
        is_killed = member.dead and member.status is not None and member.status < 0
        if not is_killed or member in ledger.ending:
            continue
        _notice_vfork(run, tracee)
        if _leaves_something(run, ledger, member) and _somebody_can_tell(run, member):
            run.because(
                f"{member.name} is ended by a signal, and others may see what it had open being closed a moment before"
                " they can tell that it is dead: that is not modelled"
            )


def _notice_vfork(run: Run, tracee: Tracee) -> None:
    """It ends. After vfork(2) its parent goes on a moment before it can tell that."""
    if tracee.is_waited_for and _somebody_can_tell(run, tracee.member):
        run.because(
            f"{tracee.member.name} ends after vfork, and its parent goes on a moment before it can tell that: that is"
            " not modelled"
        )


def _somebody_can_tell(run: Run, member: Member) -> bool:
    """That must not depend on who else has ended by now."""
    mother = member.name.rpartition(".")[0]
    adopters = (
        m.name
        for m in run.chronicle.everybody
        if m.adopts and f"{mother}.".startswith(f"{m.name}.")
    )
    told = {_orphans_of(member.name), *map(_ends_told_to, (mother, *adopters))}
    if member.parent is not None:
        parent = run.world.tracees.get(member.parent.pid)
        masks = run.dispositions.of(parent) if parent is not None else None
        if masks is not None and masks.caught & bit(CHLD):  # maybe since before it was born
            _can_tell(run, _ends_told_to(member.parent.name))
    run.resources.note(member.name, [Touch(name, tells=False) for name in sorted(told)])
    return not told.isdisjoint(run.resources.shared)


def _can_tell(run: Run, resource: str) -> None:
    run.resources.note(SOMEBODY, [Touch(resource, tells=True)])


def _ends_told_to(name: str) -> str:
    return f"ends of children of {name}"


def _orphans_of(name: str) -> str:
    return f"orphans of {name}"


def _has_open(run: Run, member: Member) -> bool:
    """Something of which others may see that it is closed, whoever they are: that must not depend on others."""
    for number in descriptors.all_of(member.pid):
        path = f"/proc/{member.pid}/fd/{number}"
        link = descriptors.link(member.pid, number) or ""
        if link.startswith(_SHARED_KINDS) and identity(path) not in run.surroundings.outputs:
            return True
        if run.channels.at(member.pid, number) is not None:
            return True
    return _locks(run, member)


def _locks(run: Run, member: Member) -> bool:
    """It may have locked a file by itself."""
    touched = run.resources.touched
    return any(member.name in who for name, who in touched.items() if name.startswith("lock "))


def _leaves_something(run: Run, ledger: Ledger, member: Member) -> bool:
    locks = _locks(run, member) or run.resources.may_have_locked(member)
    return locks or member in ledger.undoers or _open_to_others(run, member)


def _open_to_others(run: Run, member: Member) -> bool:
    """A side of something that it alone had open when somebody looked last, and another one has the other side."""
    others = {tracee.member for tracee in run.world.tracees.values()} - {member}
    theirs = {end for other in others if not other.dead for end in _ends_of(run, other)}
    return any(
        end not in theirs and any(name == end[0] for name, _ in theirs)
        for end in _ends_of(run, member)
    )


def _ends_of(run: Run, member: Member) -> set[tuple[str, str]]:
    pipes = run.pipes.ends.get(member, ())
    return {*pipes, *((end.channel, end.side) for end in run.channels.ends_of(member))}
