"""Calls that wait for descriptors: poll(2), select(2) and their like. For which, for what, and whether they would wait.

Whether one would wait is asked of the kernel: the same is polled by descriptors that we have borrowed, without waiting.
"""

from __future__ import annotations

import os
import select
import stat
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

from forklab.kernel.calls import PATIENT, LimitForm, int32
from forklab.lens.calls.touching import NotModelledError, Touches
from forklab.lens.edge import descriptors, ptrace
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import POLLS, SELECTS, Touch

_POLLFD = struct.Struct("<ihh")
_POINTER = struct.Struct("<Q")
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


def touches(run: Run, tracee: Tracee, call: Call) -> Touches:
    """Raises NotModelledError."""
    try:
        everything = list(wanted(tracee, call))
    except OSError:
        return []  # EFAULT
    return sorted({touch for one in everything for touch in _of_descriptor(run, tracee, one)})


def _of_descriptor(run: Run, tracee: Tracee, one: Wanted) -> Iterator[Touch]:
    """Raises NotModelledError."""
    pid, number = tracee.member.pid, one.descriptor
    end = run.channels.at(pid, number)
    kind = run.surroundings.kind_of(pid, number)  # notices what comes from outside
    if end is not None:
        yield Touch(end.channel, tells=False)
    elif (pipe := run.pipes.find(tracee.member, number)) is not None:
        yield Touch(f"pipe {pipe.name}", tells=False)
    elif (kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISCHR(kind))) or (
        not kind and descriptors.link(pid, number) is not None
    ):
        raise NotModelledError


def would_wait(tracee: Tracee, call: Call) -> bool:
    """Whether none of what it waits for is the case right now. Where it is an error, it does not wait."""
    poll = select.poll()
    ends: dict[int, int] = {}
    with ExitStack() as borrowed:
        try:
            for one in wanted(tracee, call):
                ours = descriptors.borrow(tracee.member.pid, one.descriptor)
                borrowed.callback(os.close, ours)
                poll.register(ours, one.asked)
                ends[ours] = one.ends
        except OSError:
            return False
        return not any(events & ends[ours] for ours, events in poll.poll(0))


def told(tracee: Tracee, call: Call) -> tuple[bytes, ...]:
    """What the kernel has written of it, at its exit; but for the time that is left."""
    return tuple(
        ptrace.read_memory(tracee.tid, address, size) for address, size in _areas(tracee, call)
    )


def own_mask(tracee: Tracee, call: Call) -> int | None:
    """The signals that it blocks while it waits, instead of those that are blocked; None: the same."""
    address = 0
    if call.name == "ppoll":
        address = call.arguments[3]
    elif call.name == "pselect6" and call.arguments[5]:
        (address,) = _POINTER.unpack(ptrace.read_memory(tracee.tid, call.arguments[5], 8))
    if not address:
        return None
    return int.from_bytes(ptrace.read_memory(tracee.tid, address, 8), "little")


def is_over(tracee: Tracee, call: Call) -> None:
    """At its entry: its time is over, so it shall look, and not wait."""
    limit = PATIENT[call.name]
    if limit.form is LimitForm.MILLISECONDS:
        call.patched = (limit.place, call.arguments[limit.place])
        ptrace.set_argument(tracee.tid, limit.place, 0)
    else:  # that nothing is left of it the kernel would have written there
        ptrace.write_memory(tracee.tid, call.arguments[limit.place], bytes(16))


def wanted(tracee: Tracee, call: Call) -> Iterator[Wanted]:
    """For what it waits. Raises OSError where that can't be read."""
    areas = list(_areas(tracee, call))
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


def _areas(tracee: Tracee, call: Call) -> Iterator[tuple[int, int]]:
    """Where it stands for what it waits: addresses and sizes."""
    if call.name in SELECTS:
        size = (min(max(int32(call.arguments[0]), 0), _MOST) + 63) // 64 * 8
        yield from ((address, size) for address in call.arguments[1:4] if address and size)
    elif call.name in POLLS and call.arguments[1]:
        yield call.arguments[0], min(call.arguments[1], _MOST) * _POLLFD.size
