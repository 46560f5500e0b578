"""Whether somebody who is not of the program can end a wait: who types its input, or the other side of a socket.

Or the kernel, where it keeps a time limit that could not be taken from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from forklab.kernel.calls import calls_in, int32
from forklab.lens.calls.wanting import wanted
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Tracee
from forklab.steps.state import EPOLLS, POLLS

_BY_DESCRIPTOR = calls_in("read", "write")
_EPOLLS = EPOLLS | {"epoll_pwait2"}


def can_end_it(run: Run, tracee: Tracee) -> bool:
    """It sleeps in a call."""
    call = tracee.call
    if run.kernel_keeps_time:
        return True
    if call is None or not run.surroundings.reach_outside:
        return False
    if call.name in _EPOLLS:
        return True  # the kernel alone knows for what it waits there
    try:
        awaited = list(_awaited(tracee))
    except OSError:
        return False
    return any(run.surroundings.comes_from_outside(tracee.tid, number) for number in awaited)


def _awaited(tracee: Tracee) -> Iterator[int]:
    """The descriptors for which it waits."""
    call = tracee.call
    assert call is not None
    if call.name in _BY_DESCRIPTOR:
        yield int32(call.arguments[0])
    elif call.name in POLLS:
        yield from (one.descriptor for one in wanted(tracee, call))
