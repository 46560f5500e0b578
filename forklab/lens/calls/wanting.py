"""For which descriptors a call waits, and for what: poll(2), select(2), epoll_wait(2) and their like."""

from __future__ import annotations

import select
import struct
from collections.abc import Iterator
from typing import NamedTuple

from forklab.kernel.calls import int32
from forklab.lens.edge import ptrace
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import EPOLLS, SELECTS

_POLLFD = struct.Struct("<ihh")
_MOST = 1024  # descriptors
_ALWAYS = select.POLLERR | select.POLLHUP | select.POLLNVAL
# What makes a descriptor of each set ready: select(2) of the kernel.
_SETS = (
    (select.POLLIN | select.POLLRDNORM | select.POLLRDBAND, select.POLLHUP | select.POLLERR),
    (select.POLLOUT | select.POLLWRNORM | select.POLLWRBAND, select.POLLERR),
    (select.POLLPRI, 0),
)


class Wanted(NamedTuple):
    """A descriptor, the events that are asked for, and all that end the waiting."""

    descriptor: int
    asked: int
    ends: int


def wanted(tracee: Tracee, call: Call) -> Iterator[Wanted]:
    """For what it waits. Raises OSError where that can't be read."""
    if call.name in EPOLLS:
        yield Wanted(int32(call.arguments[0]), select.POLLIN, select.POLLIN)
        return
    areas = list(areas_of(call))
    contents = [ptrace.read_memory(tracee.tid, address, size) for address, size in areas]
    if call.name not in SELECTS:
        for content in contents:
            for number, asked, _ in _POLLFD.iter_unpack(content):
                if number >= 0:
                    yield Wanted(number, asked, asked | _ALWAYS)
        return
    addresses = [address for address, _ in areas]
    for place, (asked, others) in enumerate(_SETS):
        if (address := call.arguments[1 + place]) in addresses:
            bits = int.from_bytes(contents[addresses.index(address)], "little")
            for number in range(min(int32(call.arguments[0]), _MOST)):
                if bits >> number & 1:
                    yield Wanted(number, asked, asked | others)


def areas_of(call: Call) -> Iterator[tuple[int, int]]:
    """Where it stands for what it waits: addresses and sizes."""
    if call.name in SELECTS:
        size = (min(max(int32(call.arguments[0]), 0), _MOST) + 63) // 64 * 8
        yield from ((address, size) for address in call.arguments[1:4] if address and size)
    elif call.name not in EPOLLS and call.arguments[1]:
        yield call.arguments[0], min(call.arguments[1], _MOST) * _POLLFD.size
