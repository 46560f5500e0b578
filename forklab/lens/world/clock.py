"""Virtual time: a clock that stands still while somebody can run, and jumps when nobody can.

Pure: the world asks it for the time, for deadlines, and for the bytes of the structures that programs pass to the
kernel. All times are integers, nanoseconds since the start of the program, so that nothing depends on rounding.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SECOND = 1_000_000_000
NEVER = 1 << 62

# When a program starts, it is 2030-01-01 09:00 UTC, so that no file is from the future, and the machine has been up for
# 1000 s.
_EPOCH = 1_893_488_400 * SECOND
_UPTIME = 1000 * SECOND

REALTIME, MONOTONIC = 0, 1
# CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI; see clock_gettime(2).
_WALL_CLOCKS = frozenset({0, 5, 8, 11})
_PROCESSOR_CLOCKS = frozenset({2, 3})  # of the process, of the thread; negative numbers too
# Readings in a row that take no time; then each takes a microsecond, and twice as long after each further hundred.
_PATIENCE, _DOUBLES = 500, 100

TIMESPEC = struct.Struct("<qq")
ITIMERVAL = struct.Struct("<4q")


def is_virtual(clock: int) -> bool:
    """Whether it is a clock of time, not one of processor time."""
    return 0 <= clock < 1 << 31 and clock not in _PROCESSOR_CLOCKS


@dataclass(eq=False)
class Clock:
    """The one clock of a world, in nanoseconds since its start.

    `row` numbers its readings in a row: another one begins when time jumps, or when somebody does something else.
    `stamp` is another number as soon as its next reading is another one. `wall` is what its wall clocks showed at its
    start, as they are set now.
    """

    now: int = 0
    row: int = 0
    stamp: int = 0
    wall: int = _EPOCH
    _readings: int = 0  # in this row

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

    def looked_away(self) -> None:
        """Somebody has done something else than to look at the clock."""
        self.row += 1
        if self._readings:
            self._readings = 0
            self.stamp += 1

    @property
    def watched(self) -> bool:
        """Whether somebody does nothing but look at it."""
        return self._readings > _PATIENCE

    def read(self, clock: int) -> int:
        """What `clock` shows. A program that does nothing but look at it sees it move in the end: it waits that way."""
        step, _ = self.ahead()
        self.was_read(1, step)
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
        return self.now + _UPTIME

    def set_wall(self, time: int) -> None:
        """Of the program's world alone: the machine's clock stays as it is."""
        self.wall = time - self.now
        self.stamp += 1

    def deadline(self, duration: int, *, absolute_on: int | None = None) -> int:
        """When `duration` is over; with `absolute_on` it is a time on that clock."""
        if absolute_on is not None:
            return max(self.now, duration - self._start_of(absolute_on))
        return min(NEVER, self.now + max(0, duration))

    def _start_of(self, clock: int) -> int:
        return self.wall if clock in _WALL_CLOCKS else _UPTIME


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


def from_timeval(content: bytes) -> int:
    if len(content) < TIMESPEC.size:
        raise ValueError("no timeval")
    seconds, rest = TIMESPEC.unpack_from(content)
    if seconds < 0 or rest < 0:
        raise ValueError("not a valid timeval")
    return int(min(NEVER, seconds * SECOND + rest * 1000))
