"""How a process is, as the kernel tells it from outside.

An actor is our own program, but it stands behind whatever init has done to it before: what it finds out itself need
not be true. See proc(5).
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from dataclasses import dataclass

from autograder.stage.errors import StageError
from autograder.stage.users import looking_as
from autograder.stage.watch import Watched
from forklab.kernel.processors import this_processor
from forklab.kernel.signals import numbers_in

_LIBC = ctypes.CDLL(None, use_errno=True)
_A_FILE = 0  # KCMP_FILE

# /proc/PID/stat, counted from the state, which is field 3.
_PARENT, _GROUP, _SESSION, _FOREGROUND = 1, 2, 3, 5

_OF_LIBC = frozenset({32, 33})  # nptl(7)


@dataclass(frozen=True)
class Condition:
    """`pid` is the one that the process itself knows; the other ids are as seen from here.

    `foreground` is the group in the foreground of its terminal; None without a controlling terminal.
    """

    pid: int
    parent: int
    group: int
    session: int
    foreground: int | None
    blocked: frozenset[int]
    ignored: frozenset[int]
    descriptors: frozenset[int]


def condition_of(process: Watched) -> Condition:
    """How a process is that does nothing now. Raises OSError if it is gone, StageError if we may not look."""
    numbers, blocked, ignored, most = process.status("NSpid", "SigBlk", "SigIgn", "FDSize")
    fields = process.fields()
    parent, group, session = (int(fields[place]) for place in (_PARENT, _GROUP, _SESSION))
    foreground = int(fields[_FOREGROUND])
    return Condition(
        int(numbers.split()[-1]),
        parent,
        group,
        session,
        foreground if foreground > 0 else None,
        _signals(blocked),
        _signals(ignored),
        _descriptors(process, int(most)),
    )


def _descriptors(process: Watched, most: int) -> frozenset[int]:
    """All that are open, of `most` at most.

    /proc/PID/fd of a program that may be executed but not read is root's. Who is not root but has made the namespace
    that the process is in may still compare its descriptors with one of its own, see kcmp(2).
    """
    with looking_as(process.user):
        try:
            return frozenset(map(int, os.listdir(f"/proc/{process.pid}/fd")))
        except PermissionError:
            return frozenset(number for number in range(most) if _is_open(process, number))


def _is_open(process: Watched, descriptor: int) -> bool:
    call = this_processor().calls["kcmp"]
    arguments = os.getpid(), process.pid, _A_FILE, process.pidfd, descriptor
    if _LIBC.syscall(call, *map(ctypes.c_long, arguments)) >= 0:
        return True
    error = ctypes.get_errno()
    if error == errno.EBADF:
        return False
    if error == errno.ESRCH:
        raise ProcessLookupError(error, os.strerror(error))
    raise StageError(f"this machine does not say what an actor has open: {os.strerror(error)}")


@functools.lru_cache  # most are alike
def _signals(mask: str) -> frozenset[int]:
    """But for the two that libc keeps for itself: GNU make hands them on ignored, and no program can undo that."""
    return frozenset(numbers_in(int(mask, 16))) - _OF_LIBC
