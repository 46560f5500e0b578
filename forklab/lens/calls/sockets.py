"""Time limits of sockets, in virtual time: SO_RCVTIMEO and SO_SNDTIMEO, see socket(7).

As soon as one is set the world takes it over, and the kernel, which has checked and rounded it, waits for ever.
"""

from __future__ import annotations

import errno
import os
import stat

from forklab.kernel.calls import calls_in, int32
from forklab.lens.calls import paths
from forklab.lens.edge import proc, ptrace
from forklab.lens.edge.borrowing import borrow
from forklab.lens.world import clock as clocks
from forklab.lens.world.onward import AT_ONCE, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_SOL_SOCKET = 1
AF_UNIX = 1
_INTERNET = (2, 10)  # AF_INET, AF_INET6
_AT_NAME, _LONGEST_ADDRESS = 2, 110  # of a struct sockaddr_un
_LIMITS = {
    20: False,
    21: True,
    66: False,
    67: True,
}  # SO_RCVTIMEO and SO_SNDTIMEO, of old and of new programs: whether it is about sending
SENDS = frozenset({"sendto", "sendmsg", "sendmmsg"})
_SENDING = calls_in("write") | SENDS | {"connect"}
_ACCEPTING = frozenset({"accept", "accept4"})
_ERESTARTSYS = 512


def use_option(run: Run, tracee: Tracee, call: Call) -> Onward:
    """At the entry of setsockopt(2) or getsockopt(2): the kernel shall do it."""
    return INTO_ITS_CALL if _is_limit(call) else AT_ONCE


def used_option(run: Run, tracee: Tracee, call: Call) -> None:
    """At its exit, if it was successful."""
    if not _is_limit(call):
        return
    number, option, address = int32(call.arguments[0]), int32(call.arguments[2]), call.arguments[3]
    sends = _LIMITS[option]
    if call.name == "getsockopt":
        limit = run.socket_limits.get(_socket(tracee, number), sends=sends)
        if limit:
            length = int.from_bytes(ptrace.read_memory(tracee.tid, call.arguments[4], 4), "little")
            ptrace.write_memory(tracee.tid, address, clocks.timeval(limit)[:length])
        return
    try:
        ours = borrow(tracee.member.pid, tracee.tid, number)
    except OSError:  # some containers forbid it
        run.kernel_keeps_time = True
        run.because("it uses time limits of sockets that run in real time")
        return
    import socket  # here: it takes long to load, and hardly any program has time limits of sockets

    with socket.socket(fileno=ours) as same:
        content = same.getsockopt(_SOL_SOCKET, option, clocks.TIMESPEC.size)
        run.socket_limits.set(_socket(tracee, number), clocks.from_timeval(content), sends=sends)
        if any(content):
            same.setsockopt(_SOL_SOCKET, option, bytes(clocks.TIMESPEC.size))


def limit(run: Run, tracee: Tracee, call: Call) -> None:
    """At the entry of a call on a socket: until when does it wait?"""
    found = 0
    if run.socket_limits:
        own = _socket(tracee, int32(call.arguments[0]))
        found = run.socket_limits.get(own, sends=call.name in _SENDING)
    if not found:
        return
    call.by_socket = True
    call.expires = -errno.EAGAIN
    if call.name == "connect" and _of_the_internet(tracee, call):
        call.expires = -errno.EINPROGRESS
    if not call.again or tracee.deadline is None:
        tracee.deadline = run.clock.deadline(found)


def was_broken_off(tracee: Tracee, result: int) -> bool:
    """At its exit: a handler is about to run. Where there is a limit, no call begins anew after that: signal(7)."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    return result == -_ERESTARTSYS and masks is not None and bool(masks.deliverable)


def accepted(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """At the exit of accept(2): a connection of the internet has the limits of the socket at which it has come."""
    if call.name in _ACCEPTING and run.socket_limits:
        listening = int32(call.arguments[0])
        if _domain(tracee, listening) in _INTERNET:
            run.socket_limits.inherited(_socket(tracee, listening), _socket(tracee, result))


def name_called(tracee: Tracee, call: Call) -> int | None:
    """At the entry of connect(2) or bind(2): where the name stands, if it is one in the file system."""
    return path_of(tracee, call.arguments[1], int32(call.arguments[2]))


def path_of(tracee: Tracee, address: int, length: int) -> int | None:
    """Where in a struct sockaddr_un the path stands, if the name has one: unix(7)."""
    length = min(length + 1, _LONGEST_ADDRESS)  # the kernel adds a NUL if there is none
    try:
        content = ptrace.read_memory(tracee.tid, address, length) if length > _AT_NAME else b""
    except OSError:
        return None
    is_of_files = int.from_bytes(content[:_AT_NAME], "little") == AF_UNIX
    return address + _AT_NAME if is_of_files and b"\0" in content[_AT_NAME + 1 :] else None


def calls_nobody(tracee: Tracee, call: Call) -> bool:
    """Whether connect(2) calls a name that nobody has: so a C library asks for nscd(8) before it looks for a user.

    Nothing has come from outside then, no more than by open(2) with a name that is not there.
    """
    name = name_called(tracee, call)
    path = paths.text(tracee, name) if name is not None else ""
    if not path:
        return False
    return not os.path.lexists(paths.found_from_here(tracee, paths.AT_FDCWD, path))


def _is_limit(call: Call) -> bool:
    return int32(call.arguments[1]) == _SOL_SOCKET and int32(call.arguments[2]) in _LIMITS


def _socket(tracee: Tracee, number: int) -> int:
    """Its inode; 0 if it is none."""
    try:
        about = os.stat(f"/proc/{tracee.tid}/fd/{number}")
    except OSError:
        return 0
    return about.st_ino if stat.S_ISSOCK(about.st_mode) else 0


def _of_the_internet(tracee: Tracee, call: Call) -> bool:
    try:
        family = int.from_bytes(ptrace.read_memory(tracee.tid, call.arguments[1], 2), "little")
    except OSError:
        return False
    return family in _INTERNET


def _domain(tracee: Tracee, number: int) -> int:
    try:
        ours = borrow(tracee.member.pid, tracee.tid, number)
    except OSError:
        return 0
    import socket  # here: see above

    with socket.socket(fileno=ours) as same:
        return same.family
