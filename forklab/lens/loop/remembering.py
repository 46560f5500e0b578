"""What a process can still tell of all that it has seen: its memory and its registers, and what the kernel keeps of it.

Processes that have come to stand at the same place in different ways have the same future if they can tell the same. A
handler that has reaped three children, one by one, has forgotten in which order: what it keeps is a count. What is
below the stack pointer nobody can tell, and is left out.

Of what the kernel keeps, much is in facts (masks, pending signals, children, pipes). For all else its past stands:
calls that may have changed it are noted, each with all that the process could tell when it made it. How many steps it
has taken counts too, so that no state ever follows from itself.
"""

from __future__ import annotations

import errno

from forklab.kernel.calls import calls_in, int32
from forklab.kernel.functions import AT_SEMAPHORES, SEM_INIT
from forklab.lens.edge import memory, proc, ptrace
from forklab.lens.edge.memory import Memory
from forklab.lens.edge.seccomp import Stops
from forklab.lens.loop import letting
from forklab.lens.loop.ledger import Ledger
from forklab.lens.world.digests import digest_of
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import READS, WRITES

_MOST = 4 << 20  # bytes of memory
# What they do shows in memory, in registers, or in facts, and nowhere else. Those of the second group are private, and
# no reason to stop.
_LEAVE_NO_TRACE = (
    calls_in("wait", "fork", "exit", "signal", "clock", "sleep")
    | AT_SEMAPHORES | {SEM_INIT}
    | {"pause", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigprocmask", "getppid", "getpgrp", "getpgid", "getsid"}
)  # fmt: skip
_UNSEEN = frozenset(
    {"rt_sigreturn", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "brk", "munmap", "sched_yield"}
)  # fmt: skip
_STATS = {"fstat": 1, "newfstatat": 2}  # with the place of the argument where the answer goes
STOPS = Stops(_UNSEEN, all_but=True)


def takes_a_step(tracee: Tracee) -> None:
    if tracee.seen is not None:
        tracee.seen = tracee.seen._replace(steps=tracee.seen.steps + 1)


def note(ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """It makes this call now."""
    seen, standing = tracee.seen, ledger.of(tracee)
    if seen is None or seen.start is None or call.name in _LEAVE_NO_TRACE:
        return
    if call.name in READS | WRITES and standing.detail:  # a pipe, or the output
        return
    past = digest_of(seen.deeds, seen.since, _look(tracee, seen.start))
    tracee.seen = seen._replace(deeds=past)


def seen_by(ledger: Ledger, tracee: Tracee) -> str:
    """A digest of what it has seen, or can still tell of it. It has come to rest."""
    seen, standing = tracee.seen, ledger.of(tracee)
    if seen is None or not ledger.by_memory:
        return tracee.history
    standing.memory_is_old |= standing.moved
    if standing.memory_is_old and _stands_still(tracee):
        if seen.start is None:
            past = digest_of(seen.deeds, seen.since)
            seen = seen._replace(start=memory.read(tracee.tid, _MOST), deeds=past)
        tracee.seen = seen = seen._replace(since=seen.fresh)
        standing.memory, standing.memory_is_old = _look(tracee, seen.start), False
    return digest_of(standing.memory, seen.since, seen.deeds, seen.steps)


def _look(tracee: Tracee, start: Memory | None) -> str:
    """At its registers, and at how its memory differs from what it was at the start.

    So what is there from the start does not count: libc has kept a time stamp by then, and which processor it is on.
    """
    now, masks = memory.read(tracee.tid, _MOST), proc.masks(tracee.member.pid, tracee.tid)
    if start is None or now is None:
        return tracee.history
    return digest_of(memory.change(start, now), masks and masks.blocked)


def _stands_still(tracee: Tracee) -> bool:
    """Else it sleeps in the kernel, and nobody can look."""
    try:
        ptrace.call(tracee.tid)
    except OSError:
        return False
    return True


def evens_out(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> bool:
    """At the entry of a call whose answer is not the same in each run. Whether it has been let go, to be told the same.

    By rseq(2) the kernel would write which processor it is on; and it may ask which terminal its output is, and when
    that was used last.
    """
    if not ledger.by_memory:
        return False
    if call.name == "rseq":
        ptrace.skip_call(tracee.tid, -errno.ENOSYS)
        letting.go(run, tracee)
        return True
    looks = call.name in _STATS and run.surroundings.is_output(
        tracee.member.pid, int32(call.arguments[0])
    )
    if looks:
        ledger.of(tracee).blurs = True
        letting.go(run, tracee, to_exit=True)
    return looks


def blur(ledger: Ledger, tracee: Tracee, call: Call, result: int) -> None:
    """It has been told of its output, or a random number."""
    if ledger.by_memory and ledger.of(tracee).blurs and call.name in _STATS and result == 0:
        address = call.arguments[_STATS[call.name]]
        # st_ino, the minor number in st_rdev, and all times of a struct stat, as x86-64 has it
        for place, size in ((8, 8), (40, 1), (72, 48)):
            ptrace.write_memory(tracee.tid, address + place, bytes(size))
    elif ledger.by_memory and call.name == "getrandom" and result > 0:
        ptrace.write_memory(tracee.tid, call.arguments[0], bytes(result))
