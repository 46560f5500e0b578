"""What a process is doing right now: running, or blocked in which system call, for ever or for a time.

/proc/PID/syscall is exact where the state letter is not: it says "running" also of a process that is between two
calls of a loop that never sleeps, while its state may read S. See proc(5).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from autograder.stage.watch import Watched
from forklab.history import Remark, State
from forklab.kernel.calls import PATIENT, calls_in, int32, spoken_name
from forklab.kernel.processors import this_processor

_SLEEPS = calls_in("sleep")
_EXITS = calls_in("exit")
# What students call them where that is not how the kernel does; wait4 keeps its name: its pid tells whom it is for.
_SPOKEN = {"rt_sigtimedwait": "sigwaitinfo", "pselect6": "pselect", "wait4": "wait4"}


class Posture(Enum):
    """How a process is."""

    RUNNING = "running"
    ASLEEP = "asleep"  # blocked until something from outside happens
    TIMED = "timed"  # blocked, but it will wake up by itself
    UNKNOWN = "unknown"  # the kernel does not let us look


@dataclass(frozen=True)
class Activity:
    """`call` is the system call in which it is blocked, with `arguments` as the kernel shows them."""

    posture: Posture
    call: str = ""
    arguments: tuple[int, ...] = ()

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


def activity_of(process: Watched) -> Activity:
    """What a process is doing: the busiest of its threads. ASLEEP in no call if it is gone, stopped or a zombie."""
    try:
        threads = [_parse(call) for call in process.system_calls() if call]
    except PermissionError:
        return Activity(Posture.UNKNOWN)
    except OSError:
        return Activity(Posture.ASLEEP)
    for posture in (Posture.RUNNING, Posture.TIMED):
        for thread in threads:
            if thread.posture is posture:
                return thread
    return threads[0] if threads else Activity(Posture.ASLEEP)


def _parse(line: str) -> Activity:
    """`running`, or `NUMBER ARGUMENT*6 SP PC`, or `-1 SP PC` when blocked outside of a system call."""
    words = line.split()
    if not words or words[0] == "running":
        return Activity(Posture.RUNNING)
    number = int(words[0])
    if number < 0:
        return Activity(Posture.ASLEEP)
    name = _call_names().get(number, "")
    if name in _EXITS:
        return Activity(Posture.RUNNING)
    arguments = tuple(int(word, 16) for word in words[1:7])
    limit = PATIENT.get(name)
    timed = name in _SLEEPS or (limit is not None and not limit.is_for_ever(arguments[limit.place]))
    spoken = _SPOKEN.get(name) or spoken_name(name) or f"system call {number}"
    return Activity(Posture.TIMED if timed else Posture.ASLEEP, spoken, arguments)


@functools.cache
def _call_names() -> Mapping[int, str]:
    """By number; empty on a processor of which we know no numbers."""
    try:
        return {number: name for name, number in this_processor().calls.items()}
    except OSError:
        return {}
