"""The same open file as a process has it, with one offset and the same flags, as a descriptor of ours.

By pidfd_getfd(2); where that is refused, as in containers whose processes may not trace everybody, the process hands it
over itself: a message with SCM_RIGHTS through a socket of ours, see unix(7). It does not notice.
"""

from __future__ import annotations

import ctypes
import os
import struct

from forklab.kernel.processors import this_processor
from forklab.lens.edge import injecting

_LIBC = ctypes.CDLL(None, use_errno=True)
_AF_UNIX, _SOCK_DGRAM, _SOCK_CLOEXEC = 1, 2, 0o2000000
_SOL_SOCKET, _SCM_RIGHTS, _MSG_DONTWAIT, _MSG_NOSIGNAL = 1, 1, 0x40, 0x4000
_MESSAGE = struct.Struct("<QI4xQQQQi4x")  # struct msghdr
_CONTROL = struct.Struct("<Qiii4x")  # struct cmsghdr with one descriptor
_VECTOR = struct.Struct("<QQ")  # struct iovec
_CONTENT = bytes(8)


def borrow(pid: int, tid: int, descriptor: int) -> int:
    """A descriptor of the process `pid`, whose thread `tid` stands at a seccomp stop or at the exit of a call.

    Raises OSError.
    """
    try:
        return taken(pid, descriptor)
    except OSError as error:
        if error.errno not in injecting.REFUSED:
            raise
    return _handed_over(tid, descriptor)


def taken(pid: int, descriptor: int) -> int:
    """A descriptor of any process, by pidfd_getfd(2). Raises OSError."""
    process = os.pidfd_open(pid)
    try:
        numbers = (this_processor().calls["pidfd_getfd"], process, descriptor, 0)
        ours: int = _LIBC.syscall(*map(ctypes.c_long, numbers))
        error = ctypes.get_errno()
    finally:
        os.close(process)
    if ours < 0:
        raise OSError(error, f"pidfd_getfd: {os.strerror(error)}")
    return ours


def _handed_over(tid: int, descriptor: int) -> int:
    """It may be in another network, may have no descriptor to spare, or no memory below its stack: OSError."""
    import socket  # here: it takes long to load, and few systems need it

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind("")  # the kernel finds a name, that of no file
        ours.setblocking(False)
        name = struct.pack("<H", _AF_UNIX) + ours.getsockname()
        with injecting.at_its_call(tid) as call:
            theirs = _succeeded(call("socket", _AF_UNIX, _SOCK_DGRAM | _SOCK_CLOEXEC, 0))
            try:
                _send(call, tid, theirs, name, descriptor)
            finally:
                call("close", theirs)
        _, (found,), _, _ = socket.recv_fds(ours, len(_CONTENT), 1)
    os.set_inheritable(found, False)
    return found


def _send(call: injecting.Make, tid: int, theirs: int, name: bytes, descriptor: int) -> None:
    size = _MESSAGE.size + _CONTROL.size + _VECTOR.size + len(_CONTENT) + len(name)
    with injecting.below_its_stack(tid, size) as (message, write):
        control = message + _MESSAGE.size
        vector = control + _CONTROL.size
        content = vector + _VECTOR.size
        called = content + len(_CONTENT)
        length = _CONTROL.size - 4  # without what follows the descriptor
        write(
            _MESSAGE.pack(called, len(name), vector, 1, control, _CONTROL.size, 0)
            + _CONTROL.pack(length, _SOL_SOCKET, _SCM_RIGHTS, descriptor)
            + _VECTOR.pack(content, len(_CONTENT))
            + _CONTENT
            + name
        )
        _succeeded(call("sendmsg", theirs, message, _MSG_DONTWAIT | _MSG_NOSIGNAL))


def _succeeded(result: int) -> int:
    """Raises OSError."""
    if result < 0:
        raise OSError(-result, f"a descriptor handed over: {os.strerror(-result)}")
    return result
