"""Timers that ring by a signal, in virtual time: the kernel never learns of their deadlines."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from dataclasses import dataclass, field

from forklab.lens.edge import descriptors
from forklab.lens.world.chronicle import Member
from forklab.lens.world.clock import Clock

_LONG_ENOUGH = 1000  # milliseconds, for what takes a microsecond
INTERVAL_TIMER = -1  # a process's ITIMER_REAL, beside those of timer_create(2), which count from 0


@dataclass(eq=False)
class Timer:
    """`number` is the signal's, `code` what siginfo says of it. Times are virtual nanoseconds.

    Without a `deadline` it is not running.
    """

    number: int
    code: int
    clock: int
    deadline: int | None = None
    interval: int = 0

    def start(
        self, clock: Clock, value: int, interval: int = 0, *, absolute_on: int | None = None
    ) -> None:
        """Ring after `value`, then after each `interval`; a value of 0 stops it."""
        self.interval = interval
        self.deadline = clock.deadline(value, absolute_on=absolute_on) if value else None

    def left(self, now: int) -> int:
        return 0 if self.deadline is None else max(1, self.deadline - now)

    def rings(self) -> None:
        """It does so now: when will it be the next time?"""
        if self.deadline is not None:
            self.deadline = self.deadline + self.interval if self.interval else None


@dataclass(eq=False)
class TimerFile:
    """A timer of timerfd_create(2). `descriptor` is ours, for the same open file.

    While it can be read, `rang` says when it rang first: how often since then, only who reads it will know.
    """

    descriptor: int
    clock: int
    deadline: int | None = None
    interval: int = 0
    rang: int | None = None

    def start(self, clock: Clock, value: int, interval: int, *, absolute: bool) -> None:
        on = self.clock if absolute else None
        self.interval, self.rang = interval, None
        self.deadline = clock.deadline(value, absolute_on=on) if value else None
        descriptors.set_timer(self.descriptor, 0)

    def left(self, now: int) -> int:
        following = self.deadline
        if self.rang is not None and self.interval:
            following = self.rang + self._count(now) * self.interval
        return 0 if following is None else max(1, following - now)

    def ring(self) -> None:
        """It can be read from now on, and who waits for that is awake when this returns."""
        self.rang, self.deadline = self.deadline, None
        descriptors.set_timer(self.descriptor, 1)
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        poll.poll(_LONG_ENOUGH)

    def read(self, now: int) -> int:
        """How often it has rung; from now on it counts anew."""
        if self.rang is None:
            return 1
        count = self._count(now)
        self.deadline = self.rang + count * self.interval if self.interval else None
        self.rang = None
        return count

    def _count(self, now: int) -> int:
        assert self.rang is not None
        return 1 + (now - self.rang) // self.interval if self.interval else 1


@dataclass(eq=False)
class Alarms:
    """The timers of all processes, by process and by the number that it knows them by; `files` are nobody's own."""

    timers: dict[tuple[Member, int], Timer] = field(default_factory=dict)
    files: list[TimerFile] = field(default_factory=list)
    # Signals that are on their way, and the code that siginfo shall have.
    _ringing: dict[tuple[Member, int], int] = field(default_factory=dict)

    @property
    def on_their_way(self) -> bool:
        """Whether one has rung whose signal has not been delivered."""
        return bool(self._ringing)

    def deadlines(self) -> Iterator[tuple[Member, int]]:
        for (member, _), timer in self.timers.items():
            if timer.deadline is not None:
                yield member, timer.deadline

    def file_deadlines(self) -> Iterator[int]:
        """Of those that are open somewhere, or were."""
        return (timer.deadline for timer in self.files if timer.deadline is not None)

    def close(self) -> None:
        for timer in self.files:
            os.close(timer.descriptor)
        self.files.clear()

    def ring_the_due(self, now: int) -> Iterator[Member]:
        """Sends the signals of those whose time has come; answers to whom."""
        for (member, _), timer in list(self.timers.items()):
            if timer.deadline is not None and timer.deadline <= now:
                timer.rings()
                self._ringing[member, timer.number] = timer.code
                os.kill(member.pid, timer.number)
                yield member
        for file in self.files:
            if file.deadline is not None and file.deadline <= now:
                file.ring()

    def delivered(self, member: Member, number: int) -> int | None:
        """The code for a signal that is delivered now, if it comes from one of these."""
        return self._ringing.pop((member, number), None)

    def drop(self, member: Member, *, keep: int | None = None) -> None:
        """All of a process but one."""
        for key in [key for key in self.timers if key[0] is member and key[1] != keep]:
            del self.timers[key]
