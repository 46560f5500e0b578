"""As root, a submission runs under a uid that nobody else has: it could signal and read us otherwise.

Root in a container is not all-powerful: Docker takes CAP_SYS_PTRACE away, without which what /proc tells of a process
is for its own user alone. So we look at a play as the user that it runs as, see credentials(7) and ptrace(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import os
from collections.abc import Iterator

from forklab.kernel.processors import this_processor
from forklab.lens.edge.proc import has_capability

_LIBC = ctypes.CDLL(None)
# What it takes to give a folder to another user, to become one, and to end its processes: see capabilities(7).
_CAP_CHOWN, _CAP_KILL, _CAP_SETGID, _CAP_SETUID, _CAP_SYS_PTRACE = 0, 5, 6, 7, 19
_TO_HAVE_ANOTHER_USER = (_CAP_CHOWN, _CAP_KILL, _CAP_SETGID, _CAP_SETUID)
_AS_IT_IS = -1

# No pid is above 4,194,304, see proc_sys_kernel(5): so no two graders in one PID namespace share a uid, and each fits
# into an int.
_FIRST_PRIVATE_UID = 2_000_000
_UIDS_OF_A_GRADER = 100
_turn = itertools.count()


def private_uids() -> range:
    """The users that this process runs submissions as, one after the other, where it is root."""
    first = _FIRST_PRIVATE_UID + os.getpid() * _UIDS_OF_A_GRADER
    return range(first, first + _UIDS_OF_A_GRADER)


def private_user() -> int | None:
    """A user, and group, that nobody else is and as which root can start a process; None if we are not allowed to."""
    uid = private_uids()[next(_turn) % _UIDS_OF_A_GRADER]
    return uid if may_become(uid) else None


def may_become(uid: int) -> bool:
    """Whether we can start processes as this user, and end them.

    In a user namespace root may have no other users, and in a container no right to become one.
    """
    with open("/proc/self/uid_map") as lines:
        ranges = [tuple(map(int, line.split())) for line in lines]
    return (
        os.geteuid() == 0
        and any(first <= uid < first + count for first, _, count in ranges)
        and all(has_capability(os.getpid(), number) for number in _TO_HAVE_ANOTHER_USER)
    )


@functools.cache
def may_see_everybody() -> bool:
    """Whether /proc hides nothing from us of a process of another user."""
    return has_capability(os.getpid(), _CAP_SYS_PTRACE)


@contextlib.contextmanager
def looking_as(user: int) -> Iterator[None]:
    """For this thread: what /proc shows to `user` and its group of their own processes can be read.

    Only root changes anything for that, and only where it has to. No file of ours should be opened meanwhile.
    """
    if os.geteuid() != 0 or user == 0 or may_see_everybody():
        yield
        return
    _become_effectively(user, "setresgid", "setresuid")
    try:
        yield
    finally:
        _become_effectively(0, "setresuid", "setresgid")


def _become_effectively(number: int, *calls: str) -> None:
    """The calls themselves: the C library's functions of these names change all threads."""
    for call in calls:
        _LIBC.syscall(this_processor().calls[call], _AS_IT_IS, number, _AS_IT_IS)


def user_of(pid: int) -> int:
    """The effective user of a process, which everybody may know; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/status") as lines:
            return next(int(line.split()[2]) for line in lines if line.startswith("Uid:"))
    except OSError:
        return 0
