"""wait4(2) and waitid(2): for whom they are, and whether they have to wait.

The tracer, which sees real children, and the explorer, which knows of them by facts, ask the same two questions here.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from forklab.kernel.calls import int32

WNOHANG, WSTOPPED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x01000000
WNOTHREAD, WALL, WCLONE = 0x20000000, 0x40000000, 0x80000000
P_ALL, P_PID, P_PGID, P_PIDFD = 0, 1, 2, 3
_OF_WAIT4 = WNOHANG | WSTOPPED | WCONTINUED | WNOTHREAD | WALL | WCLONE
_OF_WAITID = _OF_WAIT4 | WEXITED | WNOWAIT
_LEAST_PID = {P_PID: 1, P_PGID: 0, P_PIDFD: 0}
_NO_GROUP = -(1 << 31)  # "the group of -pid" is none then: ESRCH


class WaitFor(NamedTuple):
    """The children of one wait: `kind` is P_ALL, P_PID, P_PGID or P_PIDFD, `which` the id, as waitid(2) has them."""

    kind: int
    which: int
    options: int


@lru_cache(256)  # asked several times of each call
def wait_for(call: str, arguments: tuple[int, ...]) -> WaitFor:
    """Of wait4 and waitid alike. The group 0 is the caller's own. One that is an error is one that does not wait."""
    if call == "waitid":
        kind, which, options = int32(arguments[0]), int32(arguments[1]), arguments[3] & 0xFFFFFFFF
        is_error = (
            options & ~_OF_WAITID
            or not options & (WEXITED | WSTOPPED | WCONTINUED)
            or kind not in (P_ALL, *_LEAST_PID)
            or which < _LEAST_PID.get(kind, which)
        )
        return WaitFor(kind, which, options | WNOHANG if is_error else options)
    which, options = int32(arguments[0]), arguments[2] & 0xFFFFFFFF
    is_error = options & ~_OF_WAIT4 or which == _NO_GROUP
    options |= WEXITED | (WNOHANG if is_error else 0)
    if which == -1:
        return WaitFor(P_ALL, 0, options)
    if which > 0:
        return WaitFor(P_PID, which, options)
    return WaitFor(P_PGID, -which, options)


def is_for(options: int, *, is_clone: bool = False) -> bool:
    """Whether it is for a child of this sort: a clone is one that ends by another signal than SIGCHLD, or by none."""
    return bool(options & WALL) or bool(options & WCLONE) == is_clone


def returns_at_once(options: int, news: Collection[int]) -> bool:
    """Whether a wait with these options does not have to wait.

    `news` is what each child that it is for has to tell: WEXITED, WSTOPPED, WCONTINUED, or 0 for nothing. If nobody
    is left who could tell what is wanted, the call fails at once, with ECHILD: zombies are nobody to a waitid(2)
    without WEXITED.
    """
    if options & WNOHANG:
        return True
    hopeless = True
    for told in news:
        if options & told:
            return True
        hopeless = hopeless and told == WEXITED
    return hopeless
