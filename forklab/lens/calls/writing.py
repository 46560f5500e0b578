"""Output is taken from the writer's memory, so it is known to the byte who wrote what; pipes may make one wait."""

from __future__ import annotations

import errno
import os
import stat
import struct

from forklab.kernel.calls import int32
from forklab.lens.calls import sockets
from forklab.lens.edge import ptrace
from forklab.lens.world.onward import AT_ONCE, IN_TURN, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_IOVEC = struct.Struct("<QQ")
# Bytes; a longer write is a short one, and the program writes the rest by itself.
_MOST_AT_ONCE = 1 << 20
_INTO = {"sendfile": 0, "splice": 2}  # which argument says where to


def write(run: Run, tracee: Tracee, call: Call) -> Onward:
    into = int32(call.arguments[_INTO.get(call.name, 0)])
    if call.name in ("write", "writev") and run.surroundings.is_output(tracee.tid, into):
        try:
            content = written(tracee, call)
        except OSError:
            return AT_ONCE
        run.wrote(tracee, content)
        run.clock.looked_away()
        ptrace.skip_call(tracee.tid, len(content))
        return IN_TURN
    kind = run.surroundings.kind_of(tracee.tid, into)
    if stat.S_ISSOCK(kind):
        sockets.limit(run, tracee, call)
    return INTO_ITS_CALL if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) else AT_ONCE


def read(run: Run, tracee: Tracee, call: Call) -> Onward:
    kind = run.surroundings.kind_of(tracee.tid, int32(call.arguments[0]))
    if stat.S_ISSOCK(kind):
        sockets.limit(run, tracee, call)
    waits = not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)
    return INTO_ITS_CALL if waits or call.name == "flock" else AT_ONCE


def written(tracee: Tracee, call: Call) -> bytes:
    """What it is about to write. Raises OSError if that is nowhere in its memory."""
    address, length = call.arguments[1], call.arguments[2]
    if call.name == "write":
        return ptrace.read_memory(tracee.tid, address, min(length, _MOST_AT_ONCE))
    content = b""
    for base, size in _vector(tracee, call):
        if len(content) + size > _MOST_AT_ONCE:
            return content + ptrace.read_memory(tracee.tid, base, _MOST_AT_ONCE - len(content))
        content += ptrace.read_memory(tracee.tid, base, size) if size else b""
    return content


def size_of(tracee: Tracee, call: Call) -> int:
    """How many bytes a read or a write is about; 0 if it is an error, and nobody has to wait."""
    if call.name in ("read", "write"):
        return call.arguments[2]
    try:
        return sum(size for _, size in _vector(tracee, call))
    except OSError:
        return 0


def _vector(tracee: Tracee, call: Call) -> list[tuple[int, int]]:
    """Addresses and sizes of the pieces of readv(2) or writev(2). Raises OSError if not all of them are there."""
    size = _IOVEC.size * int32(call.arguments[2])
    content = ptrace.read_memory(tracee.tid, call.arguments[1], size)
    if len(content) < size:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
    return list(_IOVEC.iter_unpack(content))
