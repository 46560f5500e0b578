"""Timers that ring by a signal, in virtual time: the kernel never learns of their deadlines."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.kernel.signals import bit
from forklab.lens.edge import descriptors, proc, queueing
from forklab.lens.edge.ptrace import SignalInfo
from forklab.lens.world.chronicle import Member
from forklab.lens.world.clock import Clock, is_wall

_A_MILLISECOND, _LONG_ENOUGH = 1, 1000  # so many of them, for what takes a microsecond
_MOST_OVERRUNS = (1 << 31) - 1  # DELAYTIMER_MAX, see timer_getoverrun(2)
_FIRST_THAT_QUEUES = 32  # signal: of those below only one waits for a process


class Rung(NamedTuple):
    """A signal that a timer has sent: with how many `overruns`, where it is one of timer_create(2).

    `is_stale`: the timer has been set anew or deleted since then, and the kernel drops the signal.
    """

    overruns: int | None = None
    is_stale: bool = False


@dataclass(eq=False)
class Timer:
    """`number` is the signal's, 0 if it rings by none. Times are virtual nanoseconds.

    Without a `deadline` it is not running. `whose`: it counts the processor time of that process.
    """

    number: int
    clock: int
    whose: Member | None = None
    deadline: int | None = None
    interval: int = 0
    on_wall: bool = False  # its deadline is a moment that moves when the clock is set

    def start(self, deadline: int | None, interval: int, *, on_wall: bool) -> None:
        """It rings then, and after each interval from then on."""
        self.deadline, self.interval, self.on_wall = deadline, interval, on_wall

    def left(self, now: int) -> int:
        if self.deadline is None:
            return 0
        if self.deadline > now or self.number:
            return max(1, self.deadline - now)
        return self.interval and self.interval - (now - self.deadline) % self.interval


@dataclass(eq=False)
class PosixTimer(Timer):
    """One of timer_create(2): `value` and `thread` as its sigevent(3) has them.

    `rang`: since when its signal is on its way. Meanwhile it does not run; how often it would have rung until the
    signal is delivered are its `overruns`. `is_stale`: it has been set anew or deleted meanwhile, and the kernel drops
    the signal.
    """

    identity: int = 0
    value: int = 0
    thread: int | None = None
    rang: int | None = None
    overruns: int = 0
    is_stale: bool = False

    def start(self, deadline: int | None, interval: int, *, on_wall: bool) -> None:
        super().start(deadline, interval, on_wall=on_wall)
        self.is_stale = self.is_stale or self.rang is not None
        self.rang, self.overruns = None, 0

    def left(self, now: int) -> int:
        if self.rang is None:
            return super().left(now)
        return self.interval and self.interval - (now - self.rang) % self.interval

    def delivered(self, now: int) -> None:
        """Its signal is: from now on it runs again."""
        assert self.rang is not None
        if self.interval:
            missed = (now - self.rang) // self.interval
            self.overruns = min(missed, _MOST_OVERRUNS)
            self.deadline = self.rang + (missed + 1) * self.interval
        self.rang = None


@dataclass(eq=False)
class TimerFile:
    """A timer of timerfd_create(2). `descriptor` is ours, for the same open file.

    While it can be read, `rang` says when it rang first: how often since then, only who reads it will know.
    `cancelled`: the clock was set, and who reads it wanted to know.
    """

    descriptor: int
    clock: int
    deadline: int | None = None
    interval: int = 0
    rang: int | None = None
    on_wall: bool = False
    cancels: bool = False
    cancelled: bool = False

    def start(
        self, clock: Clock, value: int, interval: int, *, absolute: bool, cancels: bool
    ) -> None:
        self.interval, self.rang = interval, None
        self.on_wall = absolute and is_wall(self.clock)
        self.cancels, self.cancelled = cancels and self.on_wall, False
        on = self.clock if absolute else None
        self.deadline = clock.moment(value, on) if value else None
        descriptors.set_timer(self.descriptor, 0)

    def left(self, now: int) -> int:
        following = self.deadline
        if self.rang is not None and self.interval:
            following = self.rang + self._count(now) * self.interval
        return 0 if following is None else max(1, following - now)

    def ring(self) -> None:
        """It can be read from now on, and who waits for that is awake when this returns."""
        self.rang, self.deadline = self.deadline, None
        self._can_be_read()

    def cancel(self) -> None:
        self.cancelled = True
        self._can_be_read()

    def read(self, now: int) -> int | None:
        """How often it has rung; from now on it counts anew. None: it was cancelled."""
        if self.cancelled:
            self.cancelled, self.rang = False, None
            return None
        if self.rang is None:
            return 1
        count = self._count(now)
        self.deadline = self.rang + count * self.interval if self.interval else None
        self.rang = None
        return count

    def _can_be_read(self) -> None:
        """Whoever has waited in read(2) may have taken it before we see that it can be read."""
        descriptors.set_timer(self.descriptor, 1)
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        for _ in range(_LONG_ENOUGH):
            if poll.poll(_A_MILLISECOND) or not descriptors.timer_left(self.descriptor):
                break

    def _count(self, now: int) -> int:
        assert self.rang is not None
        return 1 + (now - self.rang) // self.interval if self.interval else 1


@dataclass(eq=False)
class Alarms:
    """The timers of all processes, by process and by the number that it knows them by; `files` are nobody's own.

    Those of timer_create(2) count from 0, and those of setitimer(2) are below. `processor`: the virtual time in which a
    process could have computed so far, where a timer counts that.
    """

    timers: dict[tuple[Member, int], Timer] = field(default_factory=dict)
    files: list[TimerFile] = field(default_factory=list)
    processor: dict[Member, int] = field(default_factory=dict)
    _until: int = 0  # when `processor` was told last
    _ringing: set[tuple[Member, int]] = field(default_factory=set)  # signals of setitimer(2)
    _deleted: dict[tuple[Member, int], Timer] = field(default_factory=dict)
    _next: list[tuple[Member, PosixTimer]] = field(default_factory=list)  # another has to go first

    def awaited(self, member: Member, number: int) -> int | None:
        """Which one of timer_create(2) has sent this signal, as far as one can tell."""
        for (owner, identity), timer in [*self._deleted.items(), *self.timers.items()]:
            sent = isinstance(timer, PosixTimer) and (timer.is_stale or timer.rang is not None)
            if owner is member and sent and timer.number == number:
                return identity
        return None

    def on_their_way(self) -> Iterator[tuple[Member, int]]:
        """For whom something has rung whose signal has not been delivered, and which signal that is."""
        yield from self._ringing
        for (member, _), timer in self.timers.items():
            if isinstance(timer, PosixTimer) and timer.rang is not None:
                yield member, timer.number

    def time_passes(self, now: int, computes: Callable[[Member], bool]) -> None:
        """`computes` says who of them could be on a processor meanwhile."""
        passed, self._until = now - self._until, now
        if passed:
            for member in filter(computes, self.processor):
                self.processor[member] += passed

    def count(self, member: Member) -> None:
        """From now on, if it was not counted before."""
        self.processor.setdefault(member, 0)

    def now(self, clock: Clock, timer: Timer) -> int:
        """The time that it goes by."""
        return clock.now if timer.whose is None else self.processor[timer.whose]

    def deadlines(
        self, now: int, computes: Callable[[Member], bool]
    ) -> Iterator[tuple[Member, int]]:
        """Of those that will ring if nobody does anything else than now."""
        for (member, _), timer in self.timers.items():
            if timer.deadline is None or not timer.number:
                continue
            if timer.whose is None:
                yield member, timer.deadline
            elif computes(timer.whose):
                yield member, now + timer.deadline - self.processor[timer.whose]

    def single_deadlines(self) -> Iterator[tuple[Member, int]]:
        """Of those that ring once, by the clock of time."""
        for (member, _), timer in self.timers.items():
            if timer.deadline is not None and not timer.interval and timer.whose is None:
                yield member, timer.deadline

    def file_deadlines(self) -> Iterator[int]:
        """Of those that are open somewhere, or were."""
        return (timer.deadline for timer in self.files if timer.deadline is not None)

    def close(self) -> None:
        for timer in self.files:
            os.close(timer.descriptor)
        self.files.clear()

    def ring_the_due(self, clock: Clock) -> Iterator[Member]:
        """Sends the signals of those whose time has come; answers to whom."""
        for (member, _), timer in list(self.timers.items()):
            due = timer.deadline is not None and timer.deadline <= self.now(clock, timer)
            if due and timer.number:
                self._ring(member, timer)
                yield member
        for file in self.files:
            if file.deadline is not None and file.deadline <= clock.now:
                file.ring()

    def _ring(self, member: Member, timer: Timer) -> None:
        assert timer.deadline is not None
        if isinstance(timer, PosixTimer):
            timer.rang, timer.deadline = timer.deadline, None
            self._send(member, timer)
            return
        timer.deadline = timer.deadline + timer.interval if timer.interval else None
        self._ringing.add((member, timer.number))
        os.kill(member.pid, timer.number)

    def _send(self, member: Member, timer: PosixTimer) -> None:
        """Each of them has a signal of its own in the kernel; where that keeps but one of ours, the others follow."""
        masks = proc.masks(member.pid, member.pid)
        waits = masks is not None and masks.pending & bit(timer.number)
        if waits and timer.number < _FIRST_THAT_QUEUES:
            self._next.append((member, timer))
        else:
            queueing.ring(member.pid, timer.number, timer.identity, timer.value, timer.thread)

    def delivered(self, clock: Clock, member: Member, info: SignalInfo) -> Rung | None:
        """A signal is delivered now: None if it comes from none of these."""
        found: Rung | None = None
        timer = self.timers.get((member, info.timer))
        if self.is_stale(member, info):
            found = Rung(is_stale=True)
            if isinstance(timer, PosixTimer):
                timer.is_stale = False
        elif info.code == queueing.SI_TIMER and isinstance(timer, PosixTimer):
            timer.delivered(self.now(clock, timer))
            found = Rung(timer.overruns)
        elif (member, info.number) in self._ringing:
            self._ringing.remove((member, info.number))
            found = Rung()
        follows = [w for w in self._next if w[0] is member and w[1].number == info.number]
        if follows:
            self._next.remove(follows[0])
            self._send(*follows[0])
        return found

    def is_stale(self, member: Member, info: SignalInfo) -> bool:
        """Whether it comes from a timer that has been set anew or deleted since it rang."""
        key = (member, info.timer)
        timer = self.timers.get(key)
        if info.code != queueing.SI_TIMER or (timer is None and key not in self._deleted):
            return False
        return not isinstance(timer, PosixTimer) or timer.rang is None

    def delete(self, member: Member, number: int) -> None:
        """One of timer_create(2)."""
        timer = self.timers.pop((member, number))
        self._next = [waiting for waiting in self._next if waiting[1] is not timer]
        timer.start(None, 0, on_wall=False)
        self._deleted[member, number] = timer

    def clock_was_set(self, by: int) -> None:
        """The wall clock shows so much more than before."""
        for timer in self.timers.values():
            if timer.on_wall and timer.deadline is not None:
                timer.deadline -= by
        for file in self.files:
            if file.on_wall and file.deadline is not None:
                file.deadline -= by
            if file.cancels:
                file.cancel()

    def drop(self, member: Member, *, all_of_them: bool) -> None:
        """Those of a process; or only those that do not outlive execve(2)."""
        for key in [
            key for key in self.timers if key[0] is member and (all_of_them or key[1] >= 0)
        ]:
            del self.timers[key]
        self._next = [waiting for waiting in self._next if waiting[0] is not member]
