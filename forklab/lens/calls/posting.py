"""Messages that stay apart, at sockets of unix(7): to whom one goes, what it brings, who has taken it.

`forklab.lens.world.packets` keeps them. Sockets that were bound to a name in a folder are mailboxes: whoever knows the
name may send a datagram there. That nobody outside does is assumed, as it is of files.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from forklab.kernel.calls import int32
from forklab.lens.calls import paths, sockets, writing
from forklab.lens.calls.subjects import NotModelledError
from forklab.lens.edge import descriptors, ptrace
from forklab.lens.world.packets import Packet
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.resources import channel_of, queue_to
from forklab.steps.state import ONE, OTHER, READS, RECEIVES, SENDS, WRITES, End, Touch

# Of a struct msghdr: a name, its length; pieces, how many; what is beside them, its length.
_MSGHDR = struct.Struct("<QI4xQQQQ")
_CMSGHDR = struct.Struct("<Qii")
_IOVEC = struct.Struct("<QQ")
_MOST_PIECES = 64
_OF_MESSAGES = (SENDS | RECEIVES) - {"mq_timedsend", "mq_timedreceive"}


class Address(NamedTuple):
    """Where a name stands: in memory, and how long it is."""

    at: int
    length: int


def sends_to(tracee: Tracee, call: Call) -> Address | None:
    """The name to which sendto(2) or sendmsg(2) sends; None: to whom the socket is connected. Raises OSError."""
    if call.name == "sendto":
        found = Address(call.arguments[4], int32(call.arguments[5]))
    elif call.name == "sendmsg":
        at, length, *_ = _header(tracee, call)
        found = Address(at, length)
    else:
        return None
    return found if found.at else None


def mailbox(run: Run, tracee: Tracee, address: Address) -> tuple[int, str]:
    """Where in memory the path of this name stands, and the mailbox there; "": there is nothing.

    Raises NotModelledError for a name without a path, and for sockets that are not the program's.
    """
    name = sockets.path_of(tracee, address.at, address.length)
    path = paths.text(tracee, name) if name is not None else None
    if name is None or not path:
        raise NotModelledError
    file = identity(paths.found_from_here(tracee, paths.AT_FDCWD, path))
    if file is None:
        return name, ""
    end = run.channels.bound_to(file)
    if end is None:
        raise NotModelledError
    return name, end.channel


def brought(run: Run, tracee: Tracee, call: Call) -> tuple[End, ...]:
    """The ends of channels that sendmsg(2) sends along with its text; files may come along, too.

    Raises NotModelledError for anything else that is beside the text, and for ends of pipes.
    """
    *_, beside, length = _header(tracee, call)
    if not beside or not length:
        return ()
    content = ptrace.read_memory(tracee.tid, beside, length)
    size, level, kind = _CMSGHDR.unpack_from(content)
    if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS) or size + 8 < length:
        raise NotModelledError  # several, or none that is known
    numbers = struct.unpack_from(f"<{(size - _CMSGHDR.size) // 4}i", content, _CMSGHDR.size)
    found = set()
    for number in numbers:
        end = run.channels.at(tracee.member.pid, number)
        link = descriptors.link(tracee.member.pid, number) or ""
        if end is None and not link.startswith("/"):
            raise NotModelledError
        if end is not None and end.side:
            found.add(end)
    return tuple(sorted(found))


def by_queues(
    run: Run, tracee: Tracee, call: Call, touches: tuple[Touch, ...]
) -> tuple[Touch, ...]:
    """Who sends or gets a message there has to do with those that go the same way, and not with the others."""
    found = [
        Touch(queue_to(touch.resource, _side(run, tracee, call, touch.resource)), tells=True)
        if is_one(run, call, touch)
        else touch
        for touch in touches
    ]
    return tuple(sorted(found))


def _side(run: Run, tracee: Tracee, call: Call, channel: str) -> str:
    """To which side of it a message goes."""
    mine = run.channels.at(tracee.member.pid, int32(call.arguments[0]))
    if mine is None or mine.channel != channel:
        return ONE  # of a mailbox
    if call.name in RECEIVES or channel.startswith("mailbox "):
        return mine.side
    return ONE if mine.side == OTHER else OTHER


def is_one(run: Run, call: Call, touch: Touch) -> bool:
    """Whether this call sends or receives a message there."""
    channel = channel_of(touch.resource)
    return touch.tells and call.name in _OF_MESSAGES and run.channels.keeps_apart(channel)


def told_by_all_of(run: Run, call: Call, touches: Iterable[Touch]) -> list[Touch]:
    """Those of whose whole past it may tell: of messages it can tell no more than the one that it gets."""
    return [touch for touch in touches if not is_one(run, call, touch)]


def told(run: Run, tracee: Tracee, call: Call, touch: Touch, result: int) -> None:
    """At its exit: it has sent or got one, heard of an error, or done something else."""
    channel, packets = channel_of(touch.resource), run.channels.packets
    queue = End(channel, _side(run, tracee, call, channel))
    name = sends_to(tracee, call)
    if name is not None and channel != mailbox(run, tracee, name)[1]:
        return
    if result < 0 or call.name not in _OF_MESSAGES:
        run.channels.noted(channel, tracee.member.name, tracee.history, call.name)
    elif call.name in SENDS:
        ends = brought(run, tracee, call) if call.name == "sendmsg" else ()
        text = run.chronicle.in_our_numbers(_text(tracee, call, result))
        packets.send(queue, Packet(text, tracee.member.name, ends))
    else:
        found = packets.receive(queue, leave=bool(_flags(call) & socket.MSG_PEEK))
        tracee.saw(found)
        if found is None and result:  # it was sent before anybody looked
            run.channels.noted(channel, tracee.member.name, tracee.history, call.name)
            tracee.saw(run.resources.values([touch]))
    run.resources.is_now(queue_to(*queue), *packets.at(queue))
    if channel in run.channels.past:
        run.resources.is_now(channel, run.channels.past[channel])


def _text(tracee: Tracee, call: Call, size: int) -> str:
    if call.name in WRITES:
        areas = writing.pieces(tracee, call)
    elif call.name == "sendto":
        areas = [(call.arguments[1], size)]
    else:
        _, _, pieces, count, *_ = _header(tracee, call)
        content = ptrace.read_memory(tracee.tid, pieces, min(count, _MOST_PIECES) * _IOVEC.size)
        areas = list(_IOVEC.iter_unpack(content))
    text = b"".join(ptrace.read_memory(tracee.tid, *area) for area in areas if area[1])
    return os.fsdecode(text[:size])


def _flags(call: Call) -> int:
    if call.name in READS:
        return 0
    return call.arguments[3 if call.name == "recvfrom" else 2]


def _header(tracee: Tracee, call: Call) -> tuple[int, ...]:
    """Of a struct msghdr. Raises OSError."""
    content = ptrace.read_memory(tracee.tid, call.arguments[1], _MSGHDR.size)
    try:
        return _MSGHDR.unpack(content)
    except struct.error as error:
        raise OSError from error
