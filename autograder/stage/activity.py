"""What a process is doing right now: running, or blocked in which system call, for ever or for how long.

/proc/PID/syscall is exact where the state letter is not: it says "running" also of a process that is between two
calls of a loop that never sleeps, while its state may read S. See proc(5).
"""

from __future__ import annotations

import functools
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from autograder.stage.watch import Watched
from forklab.history import Remark, State
from forklab.kernel.calls import (
    CALLS,
    FOR_EVER_SECONDS,
    FUTEX_ABSOLUTE_WAITS,
    FUTEX_CLOCK_REALTIME,
    FUTEX_COMMAND,
    LimitForm,
    WaitLimit,
    calls_in,
    int32,
    spoken_name,
)
from forklab.kernel.processors import this_processor

# Whoever sets a timer is on its way, though we hold it up for a moment: we are told of timers (timers.py).
_ON_ITS_WAY = calls_in("exit", "timer", "timerfd") | {"setsockopt"}
# In which functions of the kernel one sleeps that waits for the child of its vfork(2). The same call may sleep
# elsewhere for a moment, as every fork may.
_IN_VFORK = frozenset({"kernel_clone", "_do_fork", "do_fork", "wait_for_vfork_done"})
# What students call them where that is not how the kernel does; wait4 keeps its name: its pid tells whom it is for.
_SPOKEN = {"rt_sigtimedwait": "sigwaitinfo", "pselect6": "pselect", "wait4": "wait4"}
_ABSOLUTE = 1  # TIMER_ABSTIME, clock_nanosleep(2)
_LOWEST_ADDRESS = 65536  # vm.mmap_min_addr; a number below is none
_FUTEX_PRIVATE = 128
_TROUBLE = "no judge: "  # as in c/line_socket.c
_UNTIL_A_MOMENT = frozenset({"mq_timedsend", "mq_timedreceive", "futex_wait", "futex_waitv"})


class Posture(Enum):
    """How a process is."""

    RUNNING = "running"
    ASLEEP = "asleep"  # blocked until something from outside happens
    TIMED = "timed"  # blocked, but it will wake up by itself
    STUCK = "stuck"  # nothing can wake it, neither a signal nor the time
    UNKNOWN = "unknown"  # the kernel does not let us look


@dataclass(frozen=True)
class Activity:
    """`call` is the system call in which it is blocked, with `arguments` as the kernel shows them.

    `limit`: the seconds after which it wakes up by itself, if it is TIMED and that can be known.
    """

    posture: Posture
    call: str = ""
    arguments: tuple[int, ...] = ()
    limit: float | None = None

    @property
    def waits_for(self) -> int | None:
        """The pid argument of wait4(2), in the caller's PID namespace: -1 is any child; None: not in it."""
        return int32(self.arguments[0]) if self.call == "wait4" else None

    @property
    def waits_for_children(self) -> bool:
        return self.call in ("wait4", "waitid")

    def remark(self) -> Remark:
        """For a drawing; whom a wait4 is for is left to the caller, who knows names."""
        if self.posture is Posture.RUNNING:
            return Remark(words="running without a pause")
        if self.posture is Posture.UNKNOWN:
            return Remark()
        if self.waits_for_children:
            return Remark(state=State.WAITING, words="waiting for any child")
        timed = " with a timeout" if self.posture is Posture.TIMED else ""
        return Remark(words=f"asleep in {self.call}{timed}")


def activity_of(
    process: Watched, *, uninterruptible: bool = False, stopped: bool = False
) -> Activity:
    """What a process is doing: the busiest of its threads. ASLEEP in no call if it is gone, stopped or a zombie.

    `uninterruptible`: its state letter is D. That is nothing to worry about for who has called vfork(2), as
    posix_spawn(3) does, and waits for its child. `stopped`: whatever call it is in, it is not on its way to anything.
    """
    try:
        threads = [_parse(call, process, stopped) for call in process.system_calls() if call]
    except PermissionError:
        return Activity(Posture.UNKNOWN)
    except ProcessLookupError:
        return Activity(Posture.ASLEEP)
    for posture in (Posture.RUNNING, Posture.TIMED):
        for thread in threads:
            if thread.posture is posture:
                return thread
    if uninterruptible and not process.functions() & _IN_VFORK:
        return Activity(Posture.STUCK, next((thread.call for thread in threads if thread.call), ""))
    # A first thread that has ended is in no call, and tells nothing.
    return next((thread for thread in threads if thread.call), Activity(Posture.ASLEEP))


def doing(name: str, arguments: tuple[int, ...], *, timed: bool) -> Activity:
    """What one is doing who sleeps in this call; `timed`: until a moment."""
    spoken = _SPOKEN.get(name) or spoken_name(name) or name
    return Activity(Posture.TIMED if timed else Posture.ASLEEP, spoken, arguments)


def told_trouble(actor: Watched) -> int | None:
    """The errno that an actor shows by its name (c/line_socket.c); None: it has no trouble.

    It has no other way: it could not reach us, and what it exits with might be taken for the play's.
    """
    try:
        before, told, error = actor.name().partition(_TROUBLE)
    except ProcessLookupError:
        return None
    return int(error) if told and not before and error.isdecimal() else None


def _parse(line: str, process: Watched, stopped: bool) -> Activity:
    """`running`, or `NUMBER ARGUMENT*6 SP PC`, or `-1 SP PC` when blocked outside of a system call."""
    words = line.split()
    if not words or words[0] == "running":
        return Activity(Posture.RUNNING)
    number = int(words[0])
    if number < 0:
        return Activity(Posture.ASLEEP)
    name = _call_names().get(number, "")
    arguments = tuple(int(word, 16) for word in words[1:7])
    if name == "restart_syscall":
        name = _restarted(arguments)
    if name in _ON_ITS_WAY and not stopped:
        return Activity(Posture.RUNNING)
    limit = _limit_of(name, arguments)
    spoken = _SPOKEN.get(name) or spoken_name(name) or f"system call {number}"
    if limit is None:
        return Activity(Posture.ASLEEP, spoken, arguments)
    seconds = _seconds(name, limit, arguments, process)
    if seconds is not None and seconds > FOR_EVER_SECONDS:
        return Activity(Posture.ASLEEP, spoken, arguments)
    return Activity(Posture.TIMED, spoken, arguments, seconds)


def _limit_of(name: str, arguments: tuple[int, ...]) -> WaitLimit | None:
    """How the call was told how long to wait; None if it waits for ever."""
    limit = CALLS[name].limit if name in CALLS else None
    if limit is None or limit.is_for_ever(arguments[limit.place]):
        return None
    return limit


def _restarted(arguments: tuple[int, ...]) -> str:
    """The call that goes on after a stop, see restart_syscall(2). Its registers are still those of its first try.

    Four calls go on like this. They are told apart by what can be an address, and futex(2) by FUTEX_PRIVATE_FLAG.
    """
    first, second, third = arguments[:3]
    if first < _LOWEST_ADDRESS:
        return "clock_nanosleep" if third >= _LOWEST_ADDRESS else "poll"
    if second == 0 or second >= _LOWEST_ADDRESS:
        return "nanosleep"
    return "futex" if second & _FUTEX_PRIVATE else "poll"


def _seconds(
    name: str, limit: WaitLimit, arguments: tuple[int, ...], process: Watched
) -> float | None:
    argument = arguments[limit.place]
    if limit.form is LimitForm.MILLISECONDS:
        return int32(argument) / 1000
    try:
        whole, part = struct.unpack("qq", process.memory(argument, 16))
    except (OSError, struct.error):
        return None
    seconds = float(whole + part / (1e6 if limit.form is LimitForm.TIMEVAL else 1e9))
    clock = _absolute_on(name, arguments)
    try:
        return seconds if clock is None else max(0.0, seconds - time.clock_gettime(clock))
    except OSError:
        return None


def _absolute_on(name: str, arguments: tuple[int, ...]) -> int | None:
    """The clock on which the limit is a moment; None if it is a duration."""
    if name == "clock_nanosleep":
        return int32(arguments[0]) if arguments[1] & _ABSOLUTE else None
    if name == "futex":
        operation = int32(arguments[1])
        if operation & FUTEX_COMMAND not in FUTEX_ABSOLUTE_WAITS:
            return None
        realtime = operation & FUTEX_CLOCK_REALTIME or operation & FUTEX_COMMAND == 6
        return time.CLOCK_REALTIME if realtime else time.CLOCK_MONOTONIC
    return time.CLOCK_REALTIME if name in _UNTIL_A_MOMENT else None


@functools.cache
def _call_names() -> Mapping[int, str]:
    """By number; empty on a processor of which we know no numbers."""
    try:
        return {number: name for name, number in this_processor().calls.items()}
    except OSError:
        return {}
