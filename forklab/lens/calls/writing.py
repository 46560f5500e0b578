"""Output is taken from the writer's memory, so it is known to the byte who wrote what; pipes may make one wait."""

from __future__ import annotations

import errno
import os
import stat
import struct

from forklab.kernel.calls import int32
from forklab.lens.calls import hiding, sockets
from forklab.lens.edge import ptrace
from forklab.lens.world.onward import AT_ONCE, IN_TURN, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_IOVEC = struct.Struct("<QQ")
# Bytes; a longer write is a short one, and the program writes the rest by itself.
_MOST_AT_ONCE = 1 << 20
_PAGE = 4096
# Which arguments say where to and where from.
_BOTH_ENDS = {"sendfile": (0, 1), "splice": (2, 0), "tee": (1, 0)}
_UNSEEN = frozenset({"vmsplice", "pwritev2"})
_FILES = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISBLK)


def write(run: Run, tracee: Tracee, call: Call) -> Onward:
    if call.name in _BOTH_ENDS:
        return move(run, tracee, call)
    into = int32(call.arguments[0])
    if call.name in _UNSEEN:
        _notice(run, tracee, call, into)
    if call.name in ("write", "writev") and run.surroundings.is_output(tracee.tid, into):
        try:
            content = written(tracee, call)
        except OSError:
            hiding.notice(run, tracee)
            return AT_ONCE
        run.wrote(tracee, content)
        run.clock.looked_away()
        ptrace.skip_call(tracee.tid, len(content))
        return IN_TURN
    kind = run.surroundings.kind_of(tracee.tid, into)
    if stat.S_ISSOCK(kind):
        sockets.limit(run, tracee, call)
    return AT_ONCE if stat.S_ISCHR(kind) or _is_file(kind) else INTO_ITS_CALL


def move(run: Run, tracee: Tracee, call: Call) -> Onward:
    """sendfile(2), splice(2), tee(2): it may have to wait at either end."""
    ends = [int32(call.arguments[place]) for place in _BOTH_ENDS[call.name]]
    _notice(run, tracee, call, ends[0])
    kinds = [run.surroundings.kind_of(tracee.tid, end) for end in ends]
    return AT_ONCE if all(map(_is_file, kinds)) else INTO_ITS_CALL


def _notice(run: Run, tracee: Tracee, call: Call, into: int) -> None:
    """What it writes is not in its memory, or the explorer does not know that call."""
    if run.surroundings.is_output(tracee.tid, into):
        unseen = f"what {tracee.member.name} writes by {call.name} is not seen"
        run.remark(unseen)
        if tracee.seen is not None:
            run.because(unseen)


def read(run: Run, tracee: Tracee, call: Call) -> Onward:
    kind = run.surroundings.kind_of(tracee.tid, int32(call.arguments[0]))
    if stat.S_ISSOCK(kind):
        sockets.limit(run, tracee, call)
    return AT_ONCE if _is_file(kind) and call.name != "flock" else INTO_ITS_CALL


def _is_file(kind: int) -> bool:
    """Nobody has to wait there. What has no kind may be an eventfd, a timer ...: see anon_inode in proc(5)."""
    return any(is_one(kind) for is_one in _FILES)


def written(tracee: Tracee, call: Call) -> bytes:
    """What it is about to write. Raises OSError if that is nowhere in its memory.

    A page that it can't fill is not written at all: pipes and terminals take whole ones.
    """
    content = b""
    for base, size in pieces(tracee, call):
        wanted = min(size, _MOST_AT_ONCE - len(content))
        piece = _as_far_as_it_goes(tracee, base, wanted) if wanted else b""
        content += piece
        if len(piece) < wanted:
            content = content[: len(content) // _PAGE * _PAGE]
            if not content:
                raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
            break
    return content


def _as_far_as_it_goes(tracee: Tracee, address: int, size: int) -> bytes:
    try:
        return ptrace.read_memory(tracee.tid, address, size)
    except OSError:
        return b""


def size_of(tracee: Tracee, call: Call) -> int:
    """How many bytes a read or a write is about; 0 if it is an error, and nobody has to wait."""
    try:
        return sum(size for _, size in pieces(tracee, call))
    except OSError:
        return 0


def pieces(tracee: Tracee, call: Call) -> list[tuple[int, int]]:
    """Addresses and sizes of what a read or a write is about. Raises OSError."""
    if call.name in ("read", "write"):
        return [(call.arguments[1], call.arguments[2])]
    return _vector(tracee, call)


def _vector(tracee: Tracee, call: Call) -> list[tuple[int, int]]:
    """Addresses and sizes of the pieces of readv(2) or writev(2). Raises OSError if not all of them are there."""
    size = _IOVEC.size * int32(call.arguments[2])
    content = ptrace.read_memory(tracee.tid, call.arguments[1], size)
    if len(content) < size:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
    return list(_IOVEC.iter_unpack(content))
