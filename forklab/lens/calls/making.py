"""Channels get their names when they are made: see `forklab.lens.world.channels`."""

from __future__ import annotations

import struct

from forklab.kernel.calls import calls_in, int32
from forklab.lens.calls import paths, sockets
from forklab.lens.edge import ptrace
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

MAKING = calls_in("eventfd", "socketpair", "mq_open", "socket") | {"bind"}
_PAIR = struct.Struct("<ii")
_AF_UNIX, _SOCK_STREAM = 1, 1
_TYPE = 0xF  # of a socket; above it are flags, see socket(2)


def has_made(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """At its exit."""
    if result < 0:
        return
    if call.name == "mq_open":
        name = paths.text(tracee, call.arguments[0])
        run.channels.opened_queue(tracee.member, result, f"/{name}")
        return
    if call.name == "bind":
        _bound(run, tracee, call)
    elif call.name == "socketpair":
        _made_pair(run, tracee, call)
    elif call.name == "socket":
        if int32(call.arguments[0]) == _AF_UNIX:
            run.surroundings.made_sockets(tracee.member.pid, [result])
    else:
        run.channels.made_eventfd(tracee.member, result)


def _bound(run: Run, tracee: Tracee, call: Call) -> None:
    name = sockets.name_called(tracee, call)
    path = paths.text(tracee, name) if name is not None else None
    if path:
        found = paths.found_from_here(tracee, paths.AT_FDCWD, path)
        run.channels.bound(tracee.member, int32(call.arguments[0]), found)


def _made_pair(run: Run, tracee: Tracee, call: Call) -> None:
    pair = _PAIR.unpack(ptrace.read_memory(tracee.tid, call.arguments[3], _PAIR.size))
    if int32(call.arguments[0]) == _AF_UNIX:
        run.surroundings.made_sockets(tracee.member.pid, pair)
        is_stream = call.arguments[1] & _TYPE == _SOCK_STREAM
        run.channels.made_pair(tracee.member, pair, is_stream=is_stream)
