"""To end is not one deed: the kernel takes back what a process has before anybody can tell that it has ended.

In this order, do_exit() in Linux' kernel/exit.c: who has made it by vfork(2) may go on; SEM_UNDO is done; all that it
has open is closed; and then it is dead. Its parent may read the end of a file from a pipe, and then ask with WNOHANG,
in vain, whether its child has ended; SIGCHLD comes later still. A child may get a lock of its parent, and then find
that this is still its parent. So, where somebody can tell, each of these *moments* is a step of its own: calls that do
the same are put before its exit. From the first one on it is deaf, as the kernel has it: what is sent does nothing.

Who is ended by a signal is led to the same calls (`forklab.lens.loop.killing`); the first one belongs to the step in
which it gets the signal.

Who can tell: a parent that asks for its children without waiting for them, waits for any of several, or notices
SIGCHLD; a child that asks who its parent is; and anybody who asks for a process that the kernel collects by itself.
"""

from __future__ import annotations

import functools
from operator import or_

from forklab.kernel import waits
from forklab.kernel.calls import calls_in, int32
from forklab.kernel.signals import CHLD, bit
from forklab.lens.calls import masking, touching
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.loop import attempts, closings
from forklab.lens.loop.ledger import Ledger, Standing
from forklab.lens.world.chronicle import Member
from forklab.lens.world.resources import SOMEBODY
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import MOMENT, Touch

EXITS, _CLOSING = calls_in("exit"), calls_in("close")
_CLONE_SYSVSEM = 0x40000
_LETS_GO = Call("unshare", (0, 0, 0, 0, 0, 0))
_UNDOES = Call("unshare", (_CLONE_SYSVSEM, 0, 0, 0, 0, 0))
_MOST_SIGNALS = 65
_SEMOPS = frozenset({"semop", "semtimedop"})
_SEMAPHORES = "semaphores"
_NAME_IT_SECOND = frozenset({"getpriority", "setpriority"})
_NAME_A_PROCESS = (
    calls_in("signal") | _NAME_IT_SECOND | {"getpgid", "getsid", "setpgid", "prlimit64"}
)


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
    closings.notice_who_can_tell(run, tracee, call)
    for other in _asked_for(run, tracee, call):
        if _is_collected_by_the_kernel(run, other):
            _can_tell(run, _ends_told_to(other.name.rpartition(".")[0]))


def _asked_for(run: Run, tracee: Tracee, call: Call) -> list[Member]:
    """Of whom it learns whether they are still there."""
    if call.name not in _NAME_A_PROCESS:
        return []
    place = 1 if call.name in _NAME_IT_SECOND else 0
    pid = int32(call.arguments[place])
    if call.name == "pidfd_send_signal":
        pid = descriptors.pidfd_target(tracee.tid, pid) or 0
        found = run.chronicle.latest(pid)
    elif pid > 0:
        found = run.chronicle.latest_called(tracee.member, pid)
    else:  # a group: any of it may be the last one
        return [member for member in run.chronicle.everybody if member is not tracee.member]
    return [] if found is None or found is tracee.member else [found]


def _is_collected_by_the_kernel(run: Run, member: Member) -> bool:
    """Whether nobody has to wait for it to have it go: as its parent wants no zombies, or is gone."""
    parent = member.parent
    return parent is None or parent.dead or run.dispositions.wants_no_zombies(parent)


def notice_what_stays(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """At the entry of its call: what the kernel takes back when it ends, or with the last of its descendants."""
    if call.name in _SEMOPS and attempts.undoes(tracee, call):
        ledger.undoers.add(tracee.member)
    elif call.name == "flock":
        _can_tell(run, _locks_of(tracee.member.name))


def moments_before(run: Run, ledger: Ledger, tracee: Tracee) -> tuple[Call, ...]:
    """It is about to end. The calls that it makes before that, if it does not just come from them."""
    member = tracee.member
    if member in ledger.ending or member in run.threaded:
        return ()
    is_told, leaves = _somebody_can_tell(run, member), _has_open(run, member)
    undoes = member in ledger.undoers
    lets_go = tracee.is_waited_for and (is_told or leaves or undoes)
    pieces = closings.in_order(run, member, locks=_locks(run, member)) if leaves else []
    if pieces is None:
        pieces = [closings.all_at_once()]
    if not is_told:  # the last one and the end are one moment
        pieces = pieces[:-1]
    found = (*[_LETS_GO] * lets_go, *[_UNDOES] * (undoes and (is_told or leaves)), *pieces)
    if found and proc.filters(tracee.tid) > ledger.filters:
        run.because(f"{member.name} has a filter for its calls, and ends in one step here")
        return ()
    return found


def begin(ledger: Ledger, tracee: Tracee, moments: tuple[Call, ...]) -> None:
    """At the entry of its exit, or of another call that it never makes: the first of these is to be made instead."""
    assert tracee.call is not None
    standing, call = ledger.of(tracee), moments[0]
    standing.exits_by = ptrace.registers(tracee.tid), tracee.call.arguments[0]
    standing.moments = moments
    tracee.call = Call(call.name, call.arguments)
    ptrace.call_another(tracee.tid, call.name, call.arguments)


def is_at_a_moment(standing: Standing, call: Call) -> bool:
    """Whether it is one of these calls, and not the program's own."""
    return bool(standing.moments) and (call.name, call.arguments[0]) == (
        standing.moments[0].name,
        standing.moments[0].arguments[0],
    )


def exits_with(ledger: Ledger, tracee: Tracee) -> int | None:
    """The status with which it is about to exit, if it is held before that, or before one of its moments."""
    call, standing = tracee.held_call, ledger.of(tracee)
    if call is not None and call.name in EXITS:
        return call.arguments[0] & 0xFF
    if call is not None and standing.exits_by is not None and is_at_a_moment(standing, call):
        return standing.exits_by[1] & 0xFF
    return None


def touched_by(run: Run, tracee: Tracee, call: Call) -> tuple[Touch, ...]:
    """What others notice of one of these calls, beside what is open."""
    if (call.name, call.arguments[0]) == (_UNDOES.name, _UNDOES.arguments[0]):
        found = [Touch(_SEMAPHORES, tells=True)]
    elif call.name in _CLOSING:
        found = touching.closes(run, tracee, call)
        run.resources.note(tracee.member.name, found)
    else:
        return ()
    return run.resources.shared_of(found)


def detail_of(call: Call) -> tuple[str, str]:
    """Of one of these calls, for the state: what it does."""
    if call.name == "close":
        return MOMENT, f"gives up its locks at descriptor {call.arguments[0]}"
    if call.name == "close_range":
        first = call.arguments[0]
        which = f"descriptors from {first} on" if first else "all that is open"
        return MOMENT, f"closes {which}"
    undoes = call.arguments[0] == _UNDOES.arguments[0]
    return MOMENT, "takes back what SEM_UNDO is for" if undoes else "lets its parent go on"


def become_deaf(ledger: Ledger, tracee: Tracee) -> None:
    """It stands still. What it would not notice anyway may wait for it, or be gone."""
    ledger.ending.add(tracee.member)
    ledger.doomed.discard(tracee.member)
    masks = proc.masks(tracee.member.pid, tracee.tid)
    if masks is not None:
        noticed = (number for number in range(1, _MOST_SIGNALS) if not masks.harmless(number))
        ptrace.set_signal_mask(tracee.tid, functools.reduce(or_, map(bit, noticed), masks.blocked))


def has_closed(ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """At the exit of a call: if it was one of these, it goes on to the next, or to its own exit."""
    standing = ledger.of(tracee)
    if standing.exits_by is None or not is_at_a_moment(standing, call):
        return
    registers, first_argument = standing.exits_by
    standing.moments = standing.moments[1:]
    if registers is not None:
        ptrace.set_registers(tracee.tid, registers)
    if standing.moments:
        following = standing.moments[0]
        ptrace.place_arguments(tracee.tid, following.arguments)
        ptrace.call_again(tracee.tid, following.name, following.arguments[0])
    else:
        ptrace.call_again(tracee.tid, "exit_group", first_argument)


def notice_the_killed(run: Run, ledger: Ledger) -> None:
    """Of those whom signals have ended where they could not be led, others see all of these moments at once."""
    for tracee, standing in ledger.all():
        member = tracee.member
        if tracee.stand is not Stand.GONE or not standing.is_watched:
            continue
        standing.is_watched = False
        is_killed = member.dead and member.status is not None and member.status < 0
        if not is_killed or member in ledger.ending:
            continue
        if _leaves_something(run, ledger, tracee) and _somebody_can_tell(run, member):
            run.because(
                f"{member.name} is ended by a signal, and others may see what it had open being closed a moment before"
                " they can tell that it is dead: that is not modelled"
            )


def _somebody_can_tell(run: Run, member: Member) -> bool:
    """That must not depend on who else has ended by now. With a PID 1 all others end, and till then they see it."""
    if member.is_init and member.forks:
        return True
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


def _locks_of(name: str) -> str:
    return f"locks of {name}"


def _has_open(run: Run, member: Member) -> bool:
    """Something of which others may see that it is closed, whoever they are: that must not depend on others."""
    numbers = descriptors.all_of(member.pid)
    return any(closings.is_shared(run, member, number) for number in numbers) or _locks(run, member)


def _locks(run: Run, member: Member) -> bool:
    """It may have locked a file by itself; or one of its ancestors may by flock(2), where it has the same open."""
    touched = run.resources.touched
    if any(member.name in who for name, who in touched.items() if name.startswith("lock ")):
        return True
    names = member.name.split(".")
    ancestors = {_locks_of(".".join(names[:count])) for count in range(1, len(names))}
    run.resources.note(member.name, [Touch(name, tells=False) for name in sorted(ancestors)])
    return not ancestors.isdisjoint(run.resources.shared)


def _leaves_something(run: Run, ledger: Ledger, tracee: Tracee) -> bool:
    member = tracee.member
    stays = _locks(run, member) or member in ledger.undoers or tracee.is_waited_for
    return stays or _open_to_others(run, member)


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
