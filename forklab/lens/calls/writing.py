"""Output is taken from the writer's memory, so it is known to the byte who wrote what; pipes may make one wait."""

from __future__ import annotations

import stat
import struct
from typing import TYPE_CHECKING

from forklab.lens.calls.groups import int32
from forklab.lens.edge import ptrace
from forklab.lens.world.tracee import Call, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_IOVEC = struct.Struct("<QQ")
_MOST_AT_ONCE = (
    1 << 20
)  # bytes; a longer write is a short one, and the program writes the rest by itself
_INTO = {"sendfile": 0, "splice": 2}  # which argument says where to


def write(world: World, tracee: Tracee, call: Call) -> None:
    into = int32(call.arguments[_INTO.get(call.name, 0)])
    if call.name in ("write", "writev") and world.surroundings.is_output(tracee.tid, into):
        try:
            content = written(tracee, call)
        except OSError:
            world.go_on(tracee)
            return
        world.wrote(tracee, content)
        ptrace.skip_call(tracee.tid, len(content))
        world.ready(tracee)
        return
    kind = world.surroundings.kind_of(tracee.tid, into)
    waits = world.controlled and (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind))
    world.go_on(tracee, to_exit=waits)


def read(world: World, tracee: Tracee, call: Call) -> None:
    kind = world.surroundings.kind_of(tracee.tid, int32(call.arguments[0]))
    waits = kind and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)
    world.go_on(tracee, to_exit=bool(waits) or call.name == "flock")


def written(tracee: Tracee, call: Call) -> bytes:
    address, length = call.arguments[1], call.arguments[2]
    if call.name == "write":
        return ptrace.read_memory(tracee.tid, address, min(length, _MOST_AT_ONCE))
    vector = ptrace.read_memory(tracee.tid, address, _IOVEC.size * int32(length))
    content = b""
    for base, size in _IOVEC.iter_unpack(vector):
        if len(content) + size > _MOST_AT_ONCE:
            return content + ptrace.read_memory(tracee.tid, base, _MOST_AT_ONCE - len(content))
        content += ptrace.read_memory(tracee.tid, base, size) if size else b""
    return content
