"""Whether somebody who is not of the program can end a wait: who types its input, or the other side of a socket."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from forklab.kernel.calls import calls_in, int32
from forklab.lens.edge import ptrace
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Tracee

_BY_DESCRIPTOR = calls_in("read", "write")
_POLLS, _SELECTS = frozenset({"poll", "ppoll"}), frozenset({"select", "pselect6"})
_EPOLLS = frozenset({"epoll_wait", "epoll_pwait", "epoll_pwait2"})
_POLLFD = struct.Struct("<ihh")
_MOST = 1024  # descriptors


def can_end_it(run: Run, tracee: Tracee) -> bool:
    """It sleeps in a call."""
    call = tracee.call
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
    arguments = call.arguments
    if call.name in _BY_DESCRIPTOR:
        yield int32(arguments[0])
    elif call.name in _POLLS:
        size = min(arguments[1], _MOST) * _POLLFD.size
        for number, _, _ in _POLLFD.iter_unpack(ptrace.read_memory(tracee.tid, arguments[0], size)):
            yield number
    elif call.name in _SELECTS:
        count = min(int32(arguments[0]), _MOST)
        for address in filter(None, arguments[1:4]):
            content = ptrace.read_memory(tracee.tid, address, (count + 7) // 8)
            bits = int.from_bytes(content, "little")
            yield from (number for number in range(count) if bits >> number & 1)
