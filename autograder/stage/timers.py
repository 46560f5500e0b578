"""What only the calls of a process tell: timers that nobody sees from outside, and who is about to exit.

/proc tells that a process sleeps in pause(2), not that an alarm is going to wake it. So the calls that set such timers
are reported, alarm(2), setitimer(2), timer_settime(2), timerfd_settime(2) and SO_RCVTIMEO: a filter (c/timers.c) holds
the caller until we have read what it asks for, and have let it go on, see seccomp_unotify(2). Who has never set a timer
costs nothing.

We know when a timer was set and for how long, not what has become of it. That is enough: once somebody has slept as
long as its longest timer takes, none of them is left to ring.

Where exits are held, exit_group(2) is reported as well, and exit(2), by which the last thread ends its process too.
Whoever calls it is stopped, with the call still to make when it is continued: so a family that would be gone before
anybody had looked stands still, complete.
"""

from __future__ import annotations

import errno
import fcntl
import math
import os
import select
import signal
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from autograder.stage.users import looking_as, user_of
from autograder.stage.watch import Watched, is_the_last, thread_group
from forklab.kernel.processors import name_of

# struct seccomp_notif: id, pid, flags, then struct seccomp_data: nr, arch, instruction pointer, six arguments.
_REPORT = struct.Struct("QIIiIQ6Q")
_ANSWER = struct.Struct("QqiI")  # struct seccomp_notif_resp: id, value, error, flags
_MOST_AT_A_TIME = 256
_GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
# The kernel's word for a call that a signal has interrupted and that is to be made again: never seen by a program,
# unless there is no signal. Ours is there.
_ERESTARTSYS = 512
_RECEIVE = (3 << 30) | (_REPORT.size << 16) | (ord("!") << 8)
_SEND = (3 << 30) | (_ANSWER.size << 16) | (ord("!") << 8) | 1

_LATE_SECONDS = 0.02  # a timer may be so late: its process is awake then, or never will be
# Limits of sockets are kept in the kernel's timer wheel: they may be late by an eighth (kernel/time/timer.c), and on a
# busy machine what rings there waits its turn with ksoftirqd.
_LATE_PART_OF_WHEEL, _LATE_SECONDS_OF_WHEEL = 1 / 8, 1.0
_UNREADABLE_SECONDS = 2.5  # what we take for granted of a timer whose time we cannot read
_ABSOLUTE = 1  # TIMER_ABSTIME, TFD_TIMER_ABSTIME
_LONG_AGO_SECONDS = 1e8  # the clock of the wall is beyond, that of the machine is not


@dataclass(frozen=True)
class Timer:
    """Set to ring after `first` seconds, and then every `again` seconds, 0: never.

    It was set before `set_at` (monotonic). None: perhaps not yet, for we are told of the call before it is made, and on
    a busy machine its caller may have to wait for a processor.
    `shared`: whoever its process forks may sleep on it too. A limit of a socket is one that may ring at any time.
    """

    call: str
    set_at: float | None
    first: float
    again: float
    shared: bool

    def may_ring(self, now: float) -> bool:
        if self.again > 0 or self.set_at is None:
            return True
        return now < self.set_at + self.first + _LATE_SECONDS

    def set_by(self, now: float) -> Timer:
        return self if self.set_at is not None else replace(self, set_at=now)

    @property
    def longest(self) -> float:
        """How long one may sleep on it at most."""
        return max(self.first, self.again) + _LATE_SECONDS

    @property
    def lateness(self) -> float:
        """By how many seconds more it may be late on a busy machine."""
        if self.call != _SPOKEN["setsockopt"]:
            return 0.0
        return self.first * _LATE_PART_OF_WHEEL + _LATE_SECONDS_OF_WHEEL


class Timers:
    """Those of one play. `listener` is what the filter reports to; None where the kernel cannot.

    The kernel lets a play have one such filter, so this one also holds whoever calls connect(2), where sockets of
    others are in reach: only those whose pid `may_connect` go on. A rule on addresses would not do: they are in memory,
    which a submission changes while somebody looks at it.
    """

    def __init__(self, listener: int | None, may_connect: Callable[[int], bool]) -> None:
        self.listener = listener
        self._may_connect = may_connect
        # By process, call and what the call is about: each of these can be set again, or switched off.
        self._set: dict[tuple[int, str, int], Timer] = {}
        self._held: dict[int, int] = {}  # with what those are going to exit who are held
        self._may_exit: set[int] = set()

    def held(self, pid: int) -> int | None:
        """With what this process is going to exit, if it is held at that; else None."""
        return self._held.get(pid)

    def let_exit(self, process: Watched) -> None:
        """Lets one exit that is held, or will be. Who is not held yet may stand still for another reason, its own."""
        self._may_exit.add(process.pid)
        if process.pid in self._held:
            process.send(signal.SIGCONT)

    def close(self) -> None:
        if self.listener is not None:
            os.close(self.listener)
            self.listener = None

    def attend(self) -> bool:
        """Takes in the reports that have come, and lets the callers go on. Whether there was one.

        Not without an end: a submission can make such calls as fast as we answer.
        """
        attended = False
        for _ in range(_MOST_AT_A_TIME):
            if self.listener is None or not (events := _events(self.listener)):
                break
            if not events & select.POLLIN:  # nobody is left who could set a timer
                self.close()
                break
            attended = True
            report = bytearray(_REPORT.size)
            try:
                fcntl.ioctl(self.listener, _RECEIVE, report)
            except OSError as error:
                if error.errno == errno.ENOENT:  # it was killed meanwhile
                    continue
                break
            number, pid, _, call, _, _, *arguments = _REPORT.unpack(report)
            name = name_of(call) or ""
            try:
                refusal = self._refusal(pid, name, arguments)
                answer = (number, 0, -refusal, 0) if refusal else (number, 0, 0, _GO_ON)
                fcntl.ioctl(self.listener, _SEND, _ANSWER.pack(*answer))
            except OSError:
                continue  # gone as well
        return attended

    def _refusal(self, thread: int, call: str, arguments: list[int]) -> int:
        """What the caller gets instead of its call; 0 if it makes it. Raises OSError if it is gone."""
        if call == "connect":
            return 0 if self._may_connect(thread) else errno.EACCES
        if call == "exit_group" or (call == "exit" and is_the_last(thread)):
            pid = thread_group(thread)
            if pid in self._may_exit:
                self._may_exit.remove(pid)  # somebody else may get the number
                self._held.pop(pid, None)
                return 0
            self._held[pid] = arguments[0] & 0xFF
            os.kill(pid, signal.SIGSTOP)  # before the answer, or the call would fail for good
            return _ERESTARTSYS
        if call == "exit":
            return 0
        self._note(thread, call, arguments)
        return 0

    def of(self, pid: int, *, sleeps_on_files: bool = True) -> list[Timer]:
        """Those on which this process may sleep that may still ring.

        Everybody sleeps now: who has told of a timer has set it.
        """
        if not self._set:
            return []
        now = time.monotonic()
        self._set = {key: timer.set_by(now) for key, timer in self._set.items()}
        self._set = {key: timer for key, timer in self._set.items() if timer.may_ring(now)}
        return [
            timer
            for (owner, _, _), timer in self._set.items()
            if (sleeps_on_files if timer.shared else owner == pid)
        ]

    def _note(self, thread: int, call: str, arguments: list[int]) -> None:
        pid = thread_group(thread)
        about = 0 if call == "alarm" else arguments[0]
        first, again = _seconds_of(thread, call, arguments)
        key = (pid, call, about)
        if first <= 0:
            self._set.pop(key, None)
            return
        shared = call in ("timerfd_settime", "setsockopt")
        if call == "setsockopt":
            again = first
        self._set[key] = Timer(_SPOKEN.get(call, call), None, first, again, shared)


def _events(listener: int) -> int:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return next((events for _, events in poll.poll(0)), 0)


_SPOKEN = {"setsockopt": "SO_RCVTIMEO"}


def _seconds_of(thread: int, call: str, arguments: list[int]) -> tuple[float, float]:
    """When it rings first, 0: never; and every so many seconds after that."""
    if call == "alarm":
        return float(arguments[0] & 0xFFFFFFFF), 0.0
    place = {"setitimer": 1, "setsockopt": 3}.get(call, 2)
    pairs = 1 if call == "setsockopt" else 2
    small = 1e6 if call in ("setitimer", "setsockopt") else 1e9
    try:
        with (
            looking_as(user_of(thread)),
            open(f"/proc/{thread}/mem", "rb", buffering=0) as memory,
        ):
            content = os.pread(memory.fileno(), 16 * pairs, arguments[place])
        words = struct.unpack(f"{2 * pairs}q", content)
    except (OSError, struct.error, OverflowError):
        return (0.0, 0.0) if arguments[place] == 0 else (_UNREADABLE_SECONDS, 0.0)
    first = words[-2] + words[-1] / small
    again = words[0] + words[1] / small if pairs == 2 else 0.0
    if call != "setitimer" and pairs == 2 and arguments[1] & _ABSOLUTE and first > 0:
        clock = time.CLOCK_REALTIME if first > _LONG_AGO_SECONDS else time.CLOCK_MONOTONIC
        first = max(1e-9, first - time.clock_gettime(clock))
    return (first, again) if math.isfinite(first) else (0.0, 0.0)
