"""The end of a process with several threads: who has to be heard before whom.

exit_group(2), execve(2) and a fatal signal end all threads but one, also those that the world holds at that moment.
Each must be reaped by its tracer; only then does the kernel report the end of the first thread, which stands for that
of the process, or finish the exec. See "Threads" in ptrace(2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forklab.lens.edge import proc, ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.tracee import Stand, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World


def others(world: World, tracee: Tracee) -> list[Tracee]:
    """The other threads of its process."""
    return [other for other in _all(world, tracee.member) if other is not tracee]


def wait(world: World, tracee: Tracee, *, block: bool = True) -> tuple[int, int] | None:
    """Its next report, as ptrace.wait() has it."""
    try:
        return ptrace.wait(tracee.tid, block=block)
    except ChildProcessError:
        if tracee.is_leader:
            raise
        _take_over(world, tracee)
        return ptrace.wait(tracee.tid, block=block)


def _take_over(world: World, tracee: Tracee) -> None:
    """A thread that is not the first one has executed a program: it has the first one's id now, which is gone."""
    world.forget(tracee)
    if first := world.tracees.get(tracee.member.pid):
        world.forget(first)
    tracee.tid = tracee.member.pid
    world.tracees[tracee.tid] = tracee
    world.let(tracee, Stand.RUNNING)


def other_has_ended(world: World, tracee: Tracee) -> Tracee | None:
    """One whose end has to be heard before anything more can come from this thread."""
    return next((t for t in others(world, tracee) if ptrace.has_ended(t.tid)), None)


def stands_at_its_end(world: World, tracee: Tracee, letter: str | None) -> bool:
    """The first thread has ended and others have not: they may live on, or are about to end as well."""
    if letter != "Z" or not tracee.is_leader or not others(world, tracee):
        return False
    world.let(tracee, Stand.ENDED)
    _await_the_dying(world, tracee.member)
    return True


def one_is_gone(world: World, member: Member) -> None:
    """A thread has ended that is not the first one: was it the last that the first had to wait for?"""
    first = world.tracees.get(member.pid)
    if first and first.stand is Stand.ENDED:
        world.let(first, Stand.RUNNING)
    _await_the_dying(world, member)


def _await_the_dying(world: World, member: Member) -> None:
    """Those that were to end with a thread that has ended were woken at once, even if they were held."""
    for tracee in _all(world, member):
        if tracee.stand in (Stand.READY, Stand.HELD) and proc.state(tracee.tid) != "t":
            world.let(tracee, Stand.RUNNING)


def _all(world: World, member: Member) -> list[Tracee]:
    return [tracee for tracee in world.tracees.values() if tracee.member is member]
