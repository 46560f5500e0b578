"""Open files of a process under the lens, as /proc and kcmp(2) tell of them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import struct

from forklab.kernel.processors import this_processor

_LIBC = ctypes.CDLL(None, use_errno=True)
_KCMP_FILE = 0


def inherited() -> list[int]:
    """Our own that a program gets, besides the standard ones: opened by whoever has started us, as by `3<file`."""
    found = []
    for number in sorted(map(int, os.listdir("/proc/self/fd"))):
        with contextlib.suppress(OSError):  # that of the folder itself
            if number > 2 and os.get_inheritable(number):
                found.append(number)
    return found


def link(pid: int, descriptor: int) -> str | None:
    """What it is open on: a path, "pipe:[123]", "anon_inode:[eventfd]" ...; None if it is not open."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")
    except OSError:
        return None


def flags(pid: int, descriptor: int) -> int:
    """As open(2) has them; 0 if it is not open."""
    return int(_about(pid, descriptor, "flags:") or "0", 8)


def position(pid: int, descriptor: int) -> int:
    """Where in a file it is; 0 if it is not open."""
    return int(_about(pid, descriptor, "pos:") or "0")


def clock_of(pid: int, descriptor: int) -> int | None:
    """Of a timer of timerfd_create(2): which clock it goes by. None for anything else."""
    told = _about(pid, descriptor, "clockid:")
    return None if told is None else int(told)


def eventfd_of(pid: int, descriptor: int) -> str | None:
    """Which eventfd it is, by a number of the kernel's. None for anything else, and before Linux 5.2."""
    return _about(pid, descriptor, "eventfd-id:")


def eventfd_count(pid: int, descriptor: int) -> int:
    """What is in an eventfd."""
    return int(_about(pid, descriptor, "eventfd-count:") or "0", 16)


def signals_of(pid: int, descriptor: int) -> int | None:
    """Of a descriptor of signalfd(2): which signals can be read there, as a bit mask. None for anything else."""
    if link(pid, descriptor) != "anon_inode:[signalfd]":
        return None
    return int(_about(pid, descriptor, "sigmask:") or "0", 16)


def pidfd_target(tid: int, descriptor: int) -> int | None:
    """The process that a descriptor of pidfd_open(2) stands for."""
    told = _about(tid, descriptor, "Pid:")
    return None if told is None else int(told)


def _about(pid: int, descriptor: int, word: str) -> str | None:
    """What /proc tells of an open file after this word."""
    try:
        with open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            return next(line.split()[1] for line in file if line.startswith(word))
    except (OSError, StopIteration):
        return None


def lets_wait(ours: int) -> bool:
    """Whether who reads or writes there may have to wait: O_NONBLOCK is not set."""
    return not fcntl.fcntl(ours, fcntl.F_GETFL) & os.O_NONBLOCK


def has_news(ours: int) -> bool:
    """Whether there is something to read, or an end, or an error to hear of."""
    poll = select.poll()
    poll.register(ours, select.POLLIN)
    return bool(poll.poll(0))


def let_wait(ours: int, *, wait: bool) -> None:
    """Of a descriptor that we have borrowed: take O_NONBLOCK away, or set it, for all who have the open file."""
    flags = fcntl.fcntl(ours, fcntl.F_GETFL) & ~os.O_NONBLOCK
    fcntl.fcntl(ours, fcntl.F_SETFL, flags if wait else flags | os.O_NONBLOCK)


def set_timer(descriptor: int, nanoseconds: int) -> None:
    """Of a timer of timerfd_create(2) that is ours too: it rings once after this time; 0: not at all."""
    value = struct.pack("<4q", 0, 0, 0, nanoseconds)
    call = this_processor().calls["timerfd_settime"]
    _LIBC.syscall(ctypes.c_long(call), ctypes.c_long(descriptor), ctypes.c_long(0), value, None)


def timer_left(descriptor: int) -> int:
    """Of such a timer: how long until it rings, in nanoseconds; 0 if it has rung or is stopped."""
    value = ctypes.create_string_buffer(32)
    call = this_processor().calls["timerfd_gettime"]
    _LIBC.syscall(ctypes.c_long(call), ctypes.c_long(descriptor), value)
    _, _, seconds, nanoseconds = struct.unpack("<4q", value.raw)
    return int(seconds * 1_000_000_000 + nanoseconds)


def all_of(pid: int) -> list[int]:
    try:
        return sorted(map(int, os.listdir(f"/proc/{pid}/fd")))
    except OSError:
        return []


def is_ours(pid: int, descriptor: int, ours: int) -> bool:
    """Whether it is the same open file as a descriptor of ours, while nobody else changes its flags."""
    order = _order(pid, descriptor, os.getpid(), ours)
    return order == 0 if order >= 0 else _goes_with(pid, descriptor, ours)


def _goes_with(pid: int, descriptor: int, ours: int) -> bool:
    """Where kcmp(2) is forbidden: O_NONBLOCK belongs to an open file, and /proc shows it as soon as it changes."""
    waits, seen = lets_wait(ours), []
    for wait in (not waits, waits):
        let_wait(ours, wait=wait)
        seen.append(not flags(pid, descriptor) & os.O_NONBLOCK)
    return seen == [not waits, waits] and link(pid, descriptor) is not None


def are_one(pid: int, descriptor: int, other_pid: int, other: int) -> bool:
    """Whether both are the same open file, with one offset and the same flags. Where nobody may tell: maybe, so yes."""
    return _order(pid, descriptor, other_pid, other) in (0, -1)


def _order(pid: int, descriptor: int, other_pid: int, other: int) -> int:
    """Of two open files, as kcmp(2) has it: 0 if they are one, -1 if nobody may tell."""
    call = this_processor().calls["kcmp"]
    numbers = (call, pid, other_pid, _KCMP_FILE, descriptor, other)
    order: int = _LIBC.syscall(*map(ctypes.c_long, numbers))
    return order
