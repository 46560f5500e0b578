"""What a descriptor of epoll_create(2) waits for, as /proc and kcmp(2) tell of it."""

from __future__ import annotations

import ctypes
import errno
import struct
from typing import NamedTuple

from forklab.kernel.processors import this_processor
from forklab.lens.edge import injecting

_LIBC = ctypes.CDLL(None, use_errno=True)
_KCMP_EPOLL_TFD = 7
_ADD, _DELETE = 1, 2
_EVENT = bytes(16)  # a struct epoll_event that asks for nothing


class Watched(NamedTuple):
    """What an epoll(7) waits for: the descriptor under which it was added, and the events, with flags above them."""

    descriptor: int
    events: int


def watched_by(pid: int, tid: int, epoll: int) -> list[Watched] | None:
    """None if it waits for a file that this process has not got there any more. Its thread stands at a call.

    Raises OSError.
    """
    found: list[Watched] = []
    with open(f"/proc/{pid}/fdinfo/{epoll}") as file:
        for line in file:
            if line.startswith("tfd:"):
                words = line.split()
                found.append(Watched(int(words[1]), int(words[3], 16)))
    has_all = all(_has(pid, tid, epoll, one.descriptor) for one in found)
    return found if has_all else None


def _has(pid: int, tid: int, epoll: int, descriptor: int) -> bool:
    """Whether it waits for the very file that the process has under this number now."""
    slot = struct.pack("<3I", epoll, descriptor, 0)
    numbers = (this_processor().calls["kcmp"], pid, pid, _KCMP_EPOLL_TFD, descriptor)
    if _LIBC.syscall(*map(ctypes.c_long, numbers), slot) == 0:
        return True
    return ctypes.get_errno() in injecting.REFUSED and _cannot_add(tid, epoll, descriptor)


def _cannot_add(tid: int, epoll: int, descriptor: int) -> bool:
    """The process tries to add it. The kernel refuses what is there already, and changes nothing: see epoll_ctl(2)."""
    with (
        injecting.at_its_call(tid) as call,
        injecting.below_its_stack(tid, len(_EVENT)) as (address, write),
    ):
        write(_EVENT)
        result = call("epoll_ctl", epoll, _ADD, descriptor, address)
        if result == 0:
            call("epoll_ctl", epoll, _DELETE, descriptor, address)
    return result == -errno.EEXIST
