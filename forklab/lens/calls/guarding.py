"""Anonymous memory that processes share, as long as there is nothing in it but POSIX semaphores: see sem_init(3).

Nobody may read or write there; only while one of their functions runs it is open, for that process. Whoever does, or
has the kernel do so, is found out: then this run does not count, and from then on it is memory like any other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NoReturn

from forklab.kernel.calls import calls_in
from forklab.kernel.functions import SEM_FUNCTIONS, SEM_INIT
from forklab.lens.edge import injecting, memory, ptrace
from forklab.lens.edge.memory import Area
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import Touch

_MEMORY = "memory"  # a resource that is shared as soon as it has not to do with semaphores alone
_PROT_NONE, _PROT_READ_AND_WRITE = 0, 3
_MAP_SHARED, _MAP_TYPE, _MAP_ANONYMOUS = 1, 0xF, 0x20
_PROTECTION = 2  # the place of that argument of mmap(2)
_IOVEC = struct.Struct("<QQ")
_MOST = 1024  # of those, and of the words of a program
_EXECS = calls_in("exec")
# The places of the arguments that are addresses, of some calls. Of others all may be, also what is left in registers
# of arguments that they do not have.
_ADDRESSES: dict[str, tuple[int, ...]] = {
    name: places
    for places, names in (
        ((), calls_in("fork", "exit", "close") | {"kill", "pause", "alarm", "mmap", "lseek", "setpgid", "setsid"}),
        ((), {"getpid", "getppid", "gettid", "getpgid", "getpgrp", "getsid"}),
        ((0,), {"open", "unlink", "access", "mkdir", "rmdir", "chdir", "pipe", "pipe2"}),
        ((0,), {"mprotect", "futex", "getrandom", "rt_sigsuspend"}),
        ((0, 1), {"nanosleep", "time", "gettimeofday", "link", "rename", "symlink", "stat", "lstat"}),
        ((1,), {"read", "write", "readv", "writev", "openat", "unlinkat", "fstat", "clock_gettime"}),
        ((0, 1, 2), {"execve"}),
        ((1, 2), {"rt_sigaction", "rt_sigprocmask", "newfstatat", "setitimer"}),
        ((1, 3), {"wait4"}),
        ((2, 3), {"clock_nanosleep"}),
        ((2, 4), {"waitid"}),
    )
    for name in names
}  # fmt: skip
# They are told of memory in several steps.
_BY_MESSAGES = frozenset({"sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "vmsplice", "io_submit"})


def begin(run: Run, tracee: Tracee, call: Call) -> bool:
    """At the entry of a mmap(2) that shares memory: whether it is kept from everybody."""
    knows = any(trap.name == SEM_INIT for trap in tracee.functions.traps.values())
    flags = call.arguments[3]
    is_plain = flags & _MAP_TYPE == _MAP_SHARED and call.arguments[2] == _PROT_READ_AND_WRITE
    if not (knows and is_plain and flags & _MAP_ANONYMOUS) or _MEMORY in run.resources.shared:
        return False
    call.patched = (_PROTECTION, call.arguments[_PROTECTION])
    ptrace.set_argument(tracee.tid, _PROTECTION, _PROT_NONE)
    run.semaphores.guards = True
    return True


def at(run: Run, tid: int, address: int) -> Area | None:
    """The memory that is kept from everybody, if there is such a one."""
    area = memory.area_at(tid, address) if run.semaphores.guards else None
    return area if area is not None and area.is_closed else None


def open_it(tracee: Tracee, area: Area) -> None:
    """For a function; `close` when that is over."""
    size = area.end - area.start
    injecting.make(tracee.tid, "mprotect", area.start, size, _PROT_READ_AND_WRITE)


def close(tracee: Tracee, area: Area) -> None:
    injecting.make(tracee.tid, "mprotect", area.start, area.end - area.start, _PROT_NONE)


def give_up(run: Run, tracee: Tracee) -> NoReturn:
    """Raises EndOfRunError."""
    run.resources.note(tracee.member.name, [Touch(_MEMORY, tells=True)], waits=True)
    raise EndOfRunError("It shares memory.")


def notice(run: Run, tracee: Tracee, call: Call) -> None:
    """At the entry of a call: would the kernel read or write there? Raises EndOfRunError."""
    if not run.semaphores.guards or call.name in SEM_FUNCTIONS:
        return
    if call.name in _BY_MESSAGES:
        give_up(run, tracee)
    areas = memory.closed(tracee.tid)
    places = _ADDRESSES.get(call.name, range(len(call.arguments)))
    for address in (*(call.arguments[place] for place in places), *_further(tracee, call)):
        if any(area.start <= address < area.end for area in areas):
            give_up(run, tracee)


def _further(tracee: Tracee, call: Call) -> Iterator[int]:
    """Addresses that a call is told in memory."""
    address, content = call.arguments[1], b""
    try:
        if call.name in _EXECS:
            content = ptrace.read_memory(tracee.tid, address, 8 * _MOST)
        elif call.name.startswith(("readv", "writev", "preadv", "pwritev", "process_vm")):
            count = min(call.arguments[2], _MOST)
            content = ptrace.read_memory(tracee.tid, address, _IOVEC.size * count)
    except OSError:
        return
    for (word,) in struct.iter_unpack("<Q", content[: len(content) // 8 * 8]):
        if word == 0 and call.name in _EXECS:
            return
        yield word
