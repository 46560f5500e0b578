"""Calls that wait for descriptors: poll(2), select(2), epoll_wait(2) ... For which, for what, and whether they would.

Whether one would wait is asked of the kernel: the same is polled by descriptors that we have borrowed, without waiting.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from forklab.kernel.calls import PATIENT, LimitForm, Sort, int32
from forklab.lens.calls.subjects import NotModelledError, Touches, is_terminal
from forklab.lens.calls.wanting import areas_of, wanted
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.edge.borrowing import borrow
from forklab.lens.edge.epolls import Watched, watched_by
from forklab.lens.world.pipes import MUCH
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.resources import queue_to
from forklab.steps.state import EPOLLS, KEYS, ONE, OTHER, Touch

_SIZE_OF_EVENT = (
    12 if os.uname().machine == "x86_64" else 16
)  # bytes: struct epoll_event is packed there
_WRITES = select.POLLOUT | select.POLLWRNORM | select.POLLWRBAND
_EVENTS = 0xFFFF  # flags are above them


def touches(run: Run, tracee: Tracee, call: Call) -> Touches:
    """Raises NotModelledError."""
    found: set[Touch] = set()
    try:
        if call.name in EPOLLS:
            found.add(Touch(str(Sort.EPOLLS), tells=True))
            numbers = [one.descriptor for one in _watched(tracee, call)]
        else:
            numbers = [one.descriptor for one in wanted(tracee, call)]
    except OSError:
        return []  # EFAULT, EBADF
    for number in numbers:
        found.update(_of_descriptor(run, tracee, number))
    return sorted(found)


def by_queues(
    run: Run, tracee: Tracee, call: Call, touches: tuple[Touch, ...]
) -> tuple[Touch, ...]:
    """Whether there is something to read is told by the messages to its own side; whether it may write, by all."""
    queues: dict[str, set[str]] = {}
    for one in wanted(tracee, call) if touches and call.name not in EPOLLS else ():
        end = run.channels.at(tracee.member.pid, one.descriptor)
        if end is not None and run.channels.keeps_apart(end.channel):
            sides = {end.side} if not one.asked & _WRITES else {ONE, OTHER}
            queues.setdefault(end.channel, set()).update(queue_to(end.channel, s) for s in sides)
    found = {
        Touch(queue, touch.tells)
        for touch in touches
        for queue in queues.get(touch.resource, {touch.resource})
    }
    return tuple(sorted(found))


def _watched(tracee: Tracee, call: Call) -> list[Watched]:
    """By epoll(7). Raises NotModelledError, or OSError if it is none."""
    watched = watched_by(tracee.member.pid, tracee.tid, int32(call.arguments[0]))
    if watched is None or any(one.events & select.EPOLLET for one in watched):
        raise NotModelledError
    pid = tracee.member.pid
    if any(descriptors.signals_of(pid, one.descriptor) is not None for one in watched):
        raise NotModelledError
    return watched


def _of_descriptor(run: Run, tracee: Tracee, number: int) -> Iterator[Touch]:
    """Raises NotModelledError."""
    pid = tracee.member.pid
    end = run.channels.at(pid, number)
    kind = run.surroundings.kind_of(pid, number)  # notices what comes from outside
    if end is not None:
        yield Touch(end.channel, tells=False)
    elif (pipe := run.pipes.find(tracee.member, number)) is not None:
        if len(pipe.content) > MUCH:
            run.because("it waits for a pipe with much in it, where room is counted in pages")
        yield Touch(f"pipe {pipe.name}", tells=False)
    elif descriptors.signals_of(pid, number) is not None:
        yield Touch(str(Sort.SIGNALFDS), tells=False)
        yield Touch(f"pending {tracee.member.name}", tells=False)
    elif stat.S_ISCHR(kind):
        file = identity(f"/proc/{pid}/fd/{number}")
        if file and file == run.surroundings.terminal:
            yield Touch(KEYS, tells=False)
            return
        known = run.surroundings.outputs | run.surroundings.foreign
        if file is not None and is_terminal(file) and file not in known:
            raise NotModelledError
    elif not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)) and descriptors.link(pid, number):
        raise NotModelledError


def would_wait(tracee: Tracee, call: Call) -> bool:
    """Whether none of what it waits for is the case right now. Where it is an error, it does not wait."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    pending = masks.pending if masks else 0
    poll = select.poll()
    ends: dict[int, int] = {}
    with ExitStack() as borrowed:
        try:
            for one in wanted(tracee, call):
                signals = descriptors.signals_of(tracee.member.pid, one.descriptor)
                if signals is not None:  # if we polled it, it would tell of our own
                    if one.asked & select.POLLIN and signals & pending:
                        return False
                    continue
                ours = borrow(tracee.member.pid, tracee.tid, one.descriptor)
                borrowed.callback(os.close, ours)
                poll.register(ours, one.asked)
                ends[ours] = one.ends
        except OSError:
            return False
        return not any(events & ends[ours] for ours, events in poll.poll(0))


def tells_of_several(tracee: Tracee, call: Call) -> bool:
    """Whether more than one descriptor is ready: epoll(7) tells of them in the order in which they have become so."""
    if call.name not in EPOLLS:
        return False
    poll = select.poll()
    with ExitStack() as borrowed:
        try:
            for one in _watched(tracee, call):
                ours = borrow(tracee.member.pid, tracee.tid, one.descriptor)
                borrowed.callback(os.close, ours)
                poll.register(ours, one.events & _EVENTS)
        except (OSError, NotModelledError):
            return False
        return len(poll.poll(0)) > 1


def told(tracee: Tracee, call: Call, result: int) -> tuple[bytes, ...]:
    """What the kernel has written of it, at its exit; but for the time that is left."""
    areas = list(areas_of(call))
    if call.name in EPOLLS:
        areas = [(call.arguments[1], result * _SIZE_OF_EVENT)]
    return tuple(ptrace.read_memory(tracee.tid, address, size) for address, size in areas)


def own_mask(tracee: Tracee, call: Call) -> int | None:
    """The signals that it blocks while it waits, instead of those that are blocked; None: the same."""
    address = 0
    if call.name == "ppoll":
        address = call.arguments[3]
    elif call.name == "epoll_pwait":
        address = call.arguments[4]
    elif call.name == "pselect6" and call.arguments[5]:
        address = ptrace.read_word(tracee.tid, call.arguments[5])
    return ptrace.read_word(tracee.tid, address) if address else None


def is_over(tracee: Tracee, call: Call) -> None:
    """At its entry: its time is over, so it shall look, and not wait."""
    limit = PATIENT[call.name]
    if limit.form is LimitForm.MILLISECONDS:
        call.patched = (limit.place, call.arguments[limit.place])
        ptrace.set_argument(tracee.tid, limit.place, 0)
    else:  # that nothing is left of it the kernel would have written there, if it could: else it waits so long
        with suppress(OSError):
            ptrace.write_memory(tracee.tid, call.arguments[limit.place], bytes(16))
