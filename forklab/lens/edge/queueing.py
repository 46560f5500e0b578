"""Signals that say of themselves that a timer has sent them: sigqueue(3), without the rights of the kernel."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from forklab.kernel.processors import this_processor

SI_QUEUE, SI_TIMER, SI_KERNEL = -1, -2, 0x80  # what a siginfo_t says of where its signal comes from
_LIBC = ctypes.CDLL(None, use_errno=True)
# Of siginfo_t, see sigaction(2): signal, error, code; of a timer its number, overruns, and the value of its sigevent.
_SIGINFO = struct.Struct("<3i4x2iQ88x")


def ring(pid: int, number: int, timer: int, value: int, thread: int | None = None) -> None:
    """For the process, or for this one of its threads. It may be gone already."""
    information = _SIGINFO.pack(number, 0, SI_TIMER, timer, 0, value)
    name = "rt_sigqueueinfo" if thread is None else "rt_tgsigqueueinfo"
    to_whom = (pid,) if thread is None else (pid, thread)
    call = (this_processor().calls[name], *to_whom, number)
    if _LIBC.syscall(*map(ctypes.c_long, call), information) != 0:
        error = ctypes.get_errno()
        if error != errno.ESRCH:
            raise OSError(error, f"{name}: {os.strerror(error)}")
