"""What a process is doing right now: running, or blocked in which system call, for ever or for a time.

/proc/PID/syscall is exact where the state letter is not: it says "running" also of a process that is between two
calls of a loop that never sleeps, while its state may read S. See proc(5) and the system call tables of Linux.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from enum import Enum

from autograder.stage.watch import Watched
from forklab.history import Remark, State

_POINTER, _MILLISECONDS, _ALWAYS = "pointer", "milliseconds", "always"

# Name -> (number on x86-64, number on aarch64, which argument is a timeout, how it says "for ever").
_CALLS: dict[str, tuple[int | None, int | None, int, str]] = {
    "read": (0, 63, -1, ""),
    "wait4": (61, 260, -1, ""),
    "waitid": (247, 95, -1, ""),
    "pause": (34, None, -1, ""),
    "sigsuspend": (130, 133, -1, ""),
    "sigwaitinfo": (128, 137, 2, _POINTER),
    "poll": (7, None, 2, _MILLISECONDS),
    "ppoll": (271, 73, 2, _POINTER),
    "select": (23, None, 4, _POINTER),
    "pselect": (270, 72, 4, _POINTER),
    "epoll_wait": (232, None, 3, _MILLISECONDS),
    "epoll_pwait": (281, 22, 3, _MILLISECONDS),
    "epoll_pwait2": (441, 441, 3, _POINTER),
    "nanosleep": (35, 101, 0, _ALWAYS),
    "clock_nanosleep": (230, 115, 0, _ALWAYS),
    "futex": (202, 98, 3, _POINTER),
}
_EXITS = {"x86_64": {60, 231}, "aarch64": {93, 94}}.get(platform.machine(), set())
_NAMES = {
    number: name
    for name, (x86_64, aarch64, _, _) in _CALLS.items()
    if (number := {"x86_64": x86_64, "aarch64": aarch64}.get(platform.machine())) is not None
}


class Posture(Enum):
    """How a process is."""

    RUNNING = "running"
    ASLEEP = "asleep"  # blocked until something from outside happens
    TIMED = "timed"  # blocked, but it will wake up by itself
    UNKNOWN = "unknown"  # the kernel does not let us look


@dataclass(frozen=True)
class Doing:
    """`call` is the system call in which it is blocked, with `arguments` as the kernel shows them."""

    posture: Posture
    call: str = ""
    arguments: tuple[int, ...] = ()

    @property
    def waits_for(self) -> int | None:
        """The pid argument of wait4(2), in the caller's PID namespace: -1 is any child; None: not in it."""
        return _signed(self.arguments[0]) if self.call == "wait4" else None

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


def doing(process: Watched) -> Doing:
    """What a process is doing: the busiest of its threads. ASLEEP in no call if it is gone, stopped or a zombie."""
    try:
        threads = [_parse(call) for call in process.system_calls() if call]
    except PermissionError:
        return Doing(Posture.UNKNOWN)
    except OSError:
        return Doing(Posture.ASLEEP)
    for posture in (Posture.RUNNING, Posture.TIMED):
        for thread in threads:
            if thread.posture is posture:
                return thread
    return threads[0] if threads else Doing(Posture.ASLEEP)


def _parse(line: str) -> Doing:
    """`running`, or `NUMBER ARGUMENT*6 SP PC`, or `-1 SP PC` when blocked outside of a system call."""
    words = line.split()
    if not words or words[0] == "running" or int(words[0]) in _EXITS:
        return Doing(Posture.RUNNING)
    number = int(words[0])
    if number < 0:
        return Doing(Posture.ASLEEP)
    arguments = tuple(int(word, 16) for word in words[1:7])
    name = _NAMES.get(number)
    if name is None:
        return Doing(Posture.ASLEEP, f"system call {number}", arguments)
    _, _, position, for_ever = _CALLS[name]
    return Doing(_posture(arguments, position, for_ever), name, arguments)


def _posture(arguments: tuple[int, ...], position: int, for_ever: str) -> Posture:
    if position < 0:
        return Posture.ASLEEP
    match for_ever:
        case "pointer":
            endless = arguments[position] == 0
        case "milliseconds":
            endless = _signed(arguments[position]) < 0
        case _:
            endless = False
    return Posture.ASLEEP if endless else Posture.TIMED


def _signed(argument: int) -> int:
    """An int argument: the kernel shows the whole register, of which only the lower half counts."""
    low = argument & 0xFFFF_FFFF
    return low - (1 << 32) if low >> 31 else low
