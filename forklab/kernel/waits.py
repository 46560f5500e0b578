"""wait4(2) and waitid(2): for whom they are, and whether they have to wait.

The tracer, which sees real children, and the explorer, which knows of them by facts, ask the same two questions here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from forklab.kernel.calls import int32

WNOHANG, WSTOPPED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x01000000
P_ALL, P_PID, P_PGID, P_PIDFD = 0, 1, 2, 3


class WaitFor(NamedTuple):
    """The children of one wait: `kind` is P_ALL, P_PID, P_PGID or P_PIDFD, `which` the id, as waitid(2) has them."""

    kind: int
    which: int
    options: int


def wait_for(call: str, arguments: Sequence[int]) -> WaitFor:
    """Of wait4 and waitid alike. The group 0 is the caller's own."""
    if call == "waitid":
        kind, which, _, options = arguments[:4]
        return WaitFor(int32(kind), int32(which), options)
    which, options = int32(arguments[0]), arguments[2] | WEXITED
    if which == -1:
        return WaitFor(P_ALL, 0, options)
    if which > 0:
        return WaitFor(P_PID, which, options)
    return WaitFor(P_PGID, -which, options)


def returns_at_once(options: int, news: Collection[int]) -> bool:
    """Whether a wait with these options does not have to wait.

    `news` is what each child that it is for has to tell: WEXITED, WSTOPPED, WCONTINUED, or 0 for nothing. If nobody
    is left who could tell what is wanted, the call fails at once, with ECHILD: zombies are nobody to a waitid(2)
    without WEXITED.
    """
    hopeless = all(told == WEXITED for told in news)
    return bool(options & WNOHANG) or hopeless or any(options & told for told in news)
