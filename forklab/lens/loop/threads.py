"""The end of a process with several threads: who has to be heard before whom.

exit_group(2), execve(2) and a fatal signal end all threads but one, also those that the world holds at that moment.
Each must be reaped by its tracer; only then does the kernel report the end of the first thread, which stands for that
of the process, or finish the exec. See "Threads" in ptrace(2).
"""

from __future__ import annotations

from forklab.lens.calls import sending
from forklab.lens.edge import ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Tracee


def others(run: Run, tracee: Tracee) -> list[Tracee]:
    """The other threads of its process."""
    return [other for other in run.world.threads_of(tracee.member) if other is not tracee]


def wait(run: Run, tracee: Tracee, *, block: bool = True) -> tuple[int, int] | None:
    """Its next report, as ptrace.wait() has it."""
    try:
        return ptrace.wait(tracee.tid, block=block)
    except ChildProcessError:
        if tracee.is_leader:
            raise
        _take_over(run, tracee)
        return ptrace.wait(tracee.tid, block=block)


def _take_over(run: Run, tracee: Tracee) -> None:
    """A thread that is not the first one has executed a program: it has the first one's id now, which is gone."""
    if first := run.world.tracees.get(tracee.member.pid):
        run.world.let(first, Stand.GONE)
    run.world.rename(tracee, tracee.member.pid)


def other_has_ended(run: Run, tracee: Tracee) -> Tracee | None:
    """One whose end has to be heard before anything more can come from this thread."""
    return next((t for t in others(run, tracee) if ptrace.has_ended(t.tid)), None)


def stands_at_its_end(run: Run, tracee: Tracee, letter: str | None) -> bool:
    """The first thread has ended and others have not: they may live on, or are about to end as well."""
    if letter != "Z" or not tracee.is_leader or not others(run, tracee):
        return False
    run.world.let(tracee, Stand.ENDED)
    sending.await_the_dying(run, run.world.threads_of(tracee.member))
    return True


def one_is_gone(run: Run, member: Member) -> None:
    """A thread has ended that is not the first one: was it the last that the first had to wait for?"""
    first = run.world.tracees.get(member.pid)
    if first and first.stand is Stand.ENDED:
        run.world.let(first, Stand.RUNNING)
    # Those that were to end with it were woken at once, even if they were held.
    sending.await_the_dying(run, run.world.threads_of(member))
