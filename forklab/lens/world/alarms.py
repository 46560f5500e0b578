"""Timers that ring by a signal, in virtual time: the kernel never learns of their deadlines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from forklab.lens.world.chronicle import Member
from forklab.lens.world.clock import Clock

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
class Alarms:
    """The timers of all processes, by process and by the number that it knows them by."""

    timers: dict[tuple[Member, int], Timer] = field(default_factory=dict)
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

    def ring_the_due(self, now: int) -> Iterator[Member]:
        """Sends the signals of those whose time has come; answers to whom."""
        for (member, _), timer in list(self.timers.items()):
            if timer.deadline is not None and timer.deadline <= now:
                timer.rings()
                self._ringing[member, timer.number] = timer.code
                os.kill(member.pid, timer.number)
                yield member

    def delivered(self, member: Member, number: int) -> int | None:
        """The code for a signal that is delivered now, if it comes from one of these."""
        return self._ringing.pop((member, number), None)

    def drop(self, member: Member, *, keep: int | None = None) -> None:
        """All of a process but one."""
        for key in [key for key in self.timers if key[0] is member and key[1] != keep]:
            del self.timers[key]
