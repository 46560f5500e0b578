"""Virtual time: a clock that stands still while somebody can run, and jumps when nobody can.

Pure: the world asks it for the time, for deadlines, and for the bytes of the structures that programs pass to the
kernel. All times are integers, nanoseconds since the start of the program, so that nothing depends on rounding.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass

SECOND = 1_000_000_000
NEVER = 1 << 62

# When a program starts, it is 2030-01-01 09:00 UTC, so that no file is from the future, and the machine has been up for
# 1000 s.
EPOCH = 1_893_488_400 * SECOND
_UPTIME = 1000 * SECOND


def _has(clock: int) -> bool:
    """Not every machine has those that wake it up."""
    try:
        time.clock_getres(clock)
    except OSError:
        return False
    return True


REALTIME, MONOTONIC = 0, 1
# CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI; see clock_gettime(2).
_WALL_CLOCKS = frozenset({0, 5, 11} | {clock for clock in {8} if _has(clock)})
# CLOCK_MONOTONIC, its RAW and COARSE, CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM.
_OTHERS = frozenset({1, 4, 6, 7} | {clock for clock in {9} if _has(clock)})
# CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID
PROCESS_PROCESSOR_TIME, _THREAD_PROCESSOR_TIME = 2, 3
OWN_PROCESSOR_TIME = frozenset({PROCESS_PROCESSOR_TIME, _THREAD_PROCESSOR_TIME})
_NOT_FOR_SLEEPS = frozenset({4, 5, 6})
# Looks in a row that take no time; then each takes a microsecond, and twice as long after each further hundred.
_PATIENCE, _DOUBLES = 500, 100
# The same for calls of any kind, while others wait for a moment; it does not become more than they can take in truth.
_BUSY, _BUSY_DOUBLES, _MOST_A_CALL = 2_000, 250, 100_000

TIMESPEC = struct.Struct("<qq")
ITIMERVAL = struct.Struct("<4q")


def is_virtual(clock: int) -> bool:
    """Whether it is a clock of time: not one of processor time, and not none at all."""
    return clock in _WALL_CLOCKS or clock in _OTHERS


def is_wall(clock: int) -> bool:
    """Whether it can be set."""
    return clock in _WALL_CLOCKS


def one_can_sleep_by(clock: int) -> bool:
    return is_virtual(clock) and clock not in _NOT_FOR_SLEEPS


@dataclass(eq=False)
class Clock:
    """The one clock of a world, in nanoseconds since its start.

    `row` numbers its readings in a row: another one begins when time jumps, or when somebody does something else.
    `stamp` is another number as soon as its next reading is another one. `wall` is what its wall clocks showed at its
    start, as they are set now, and `up` how long its machine had been up by then. `pace` is how long a deed takes.
    """

    now: int = 0
    row: int = 0
    stamp: int = 0
    wall: int = EPOCH
    up: int = _UPTIME
    pace: int = 0
    jumps: int = 0  # so often nobody could run, and somebody waited for a moment
    _readings: int = 0  # in this row
    is_late: bool = False  # so much has been done that time ought to have gone by
    _calls: int = 0  # since nobody could run
    _counted: int = 0  # those that have taken time

    @property
    def seconds(self) -> float:
        return self.now / SECOND

    def jump_to(self, time: int) -> None:
        self.catch_up(time)
        self.looked_away()

    def catch_up(self, time: int) -> None:
        """Somebody has seen this time."""
        if time > self.now:
            self.now = time
            self.stamp += 1

    def rests(self) -> None:
        """Nobody can run."""
        self.jumps += 1
        self._calls = self._counted = 0
        self.is_late = False

    def called(self, times: int = 1) -> None:
        """Somebody makes a call, or does what costs as much as several."""
        self._calls += times
        self.is_late = self._calls > _BUSY

    def goes_by(self) -> None:
        """Calls take time after all, when there have been so many of them."""
        calls, self._counted = self._calls - max(self._counted, _BUSY), self._calls
        step = min(_MOST_A_CALL, 1000 << (self._calls - _BUSY) // _BUSY_DOUBLES)
        self.catch_up(self.now + calls * step)

    def looked_away(self) -> None:
        """Somebody has done something else than to look, at it or at what others do."""
        self.row += 1
        if self._readings:
            self._readings = 0
            self.stamp += 1

    @property
    def watched(self) -> bool:
        """Whether somebody does nothing but look."""
        return self._readings > _PATIENCE

    def look(self) -> None:
        """A program that does nothing but look sees it move in the end: it waits that way."""
        step, _ = self.ahead()
        self.was_read(1, step)

    def read(self, clock: int) -> int:
        """What `clock` shows."""
        self.look()
        return self.shows(clock)

    def ahead(self) -> tuple[int, int]:
        """How long the next reading in this row will take, and how many that will take as long are still to come."""
        if self._readings < _PATIENCE:
            return 0, _PATIENCE - self._readings
        doubled, place = divmod(self._readings + 1 - _PATIENCE, _DOUBLES)
        return min(SECOND, 1000 << doubled), _DOUBLES - place

    def was_read(self, times: int, step: int) -> None:
        self._readings += times
        self.now += times * step
        self.stamp += 1

    def shows(self, clock: int) -> int:
        return self.now + self._start_of(clock)

    @property
    def uptime(self) -> int:
        """Since the start of its machine; nobody has looked at the clock by this."""
        return self.now + self.up

    def set_wall(self, time: int) -> int:
        """Of the program's world alone: the machine's clock stays as it is. Answers by how much it was changed."""
        before, self.wall = self.wall, time - self.now
        self.stamp += 1
        return self.wall - before

    def deadline(self, duration: int, *, absolute_on: int | None = None) -> int:
        """When `duration` is over; with `absolute_on` it is a time on that clock. Never in the past."""
        return max(self.now, self.moment(duration, absolute_on))

    def moment(self, duration: int, absolute_on: int | None = None) -> int:
        """The same, also if that has been long ago."""
        if absolute_on is not None:
            return duration - self._start_of(absolute_on)
        return min(NEVER, self.now + max(0, duration))

    def works(self) -> None:
        """Somebody has done something: it shows on the clocks alone, and whoever sleeps wakes when it would have."""
        if self.pace:
            self.wall += self.pace
            self.up += self.pace
            self.stamp += 1

    def left(self, duration: int) -> int:
        """What a program is told of a time that is not over yet: it comes late to hear it."""
        return max(1, duration - self.pace) if duration else 0

    def _start_of(self, clock: int) -> int:
        return self.wall if clock in _WALL_CLOCKS else self.up


def timespec(time: int) -> bytes:
    return TIMESPEC.pack(*divmod(time, SECOND))


def timeval(time: int) -> bytes:
    seconds, rest = divmod(time, SECOND)
    return TIMESPEC.pack(seconds, rest // 1000)


def from_timespec(content: bytes) -> int:
    """Nanoseconds. Raises ValueError for what the kernel calls EINVAL."""
    if len(content) < TIMESPEC.size:
        raise ValueError("no timespec")
    seconds, rest = TIMESPEC.unpack_from(content)
    if not 0 <= rest < SECOND or seconds < 0:
        raise ValueError("not a valid timespec")
    return int(min(NEVER, seconds * SECOND + rest))


def from_timeval(content: bytes, *, strictly: bool = False) -> int:
    """The same; not `strictly`: with as many microseconds as one likes, as select(2) has it."""
    if len(content) < TIMESPEC.size:
        raise ValueError("no timeval")
    seconds, rest = TIMESPEC.unpack_from(content)
    if seconds < 0 or rest < 0 or (strictly and rest >= 1_000_000):
        raise ValueError("not a valid timeval")
    return int(min(NEVER, seconds * SECOND + rest * 1000))
