"""Where processes read the world's clock by themselves, without a stop: `forklab.lens.edge.vdso` has the mechanism.

A dial is set before its process goes on, if the time is another, for as many readings as are foreseen by the clock:
mostly they take no time. In the end somebody who does nothing but look at it has to see it move. Then the dial moves
with each reading as the clock itself would, and what came of that is read back as soon as the process stops.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from forklab.lens.edge.vdso import Face
from forklab.lens.world.clock import MONOTONIC, REALTIME, Clock


@dataclass(eq=False, slots=True)
class Dial:
    """`given` is for how many readings it was set, `step` how long each takes; the rest says when that was.

    `old`: it has to be set again. `covered`: nobody can read it, but it is as it was.
    """

    face: Face
    given: int = 0
    step: int = 0
    row: int = 0
    now: int = 0
    wall: int = 0
    old: bool = True
    covered: bool = False

    @property
    def moves(self) -> bool:
        """Whether time passes as it is read."""
        return self.step > 0

    def copy(self) -> Dial:
        """That of a child, whose memory is a copy."""
        was = (self.given, self.step, self.row, self.now, self.wall)
        return Dial(self.face, *was, self.old, self.covered)

    def is_right(self, clock: Clock) -> bool:
        """Whether its next reading is what the clock's would be."""
        same = self.now == clock.now and self.wall == clock.wall
        return same and not self.old and not clock.watched

    def set(self, tid: int, clock: Clock, step: int, readings: int) -> None:
        """For a thread that is stopped."""
        self.given, self.step, self.row = readings, step, clock.row
        self.now, self.wall = clock.now, clock.wall
        self.old = self.covered = False
        end = step * readings
        with contextlib.suppress(OSError):  # it has been killed: its end is reported
            self.face.set(
                tid, clock.shows(REALTIME) + end, clock.shows(MONOTONIC) + end, step, readings
            )

    def cover(self, tid: int) -> None:
        """Of one that runs: its next reading shall be a system call."""
        if not self.covered:
            self.covered = True
            self.face.ask(tid, shall_ask=True)

    def uncover(self, tid: int) -> None:
        if self.covered:
            self.covered = False
            self.face.ask(tid, shall_ask=False)

    def takes_one(self, tid: int) -> bool:
        """A system call reads the clock. Whether that is one of the readings for which this is set."""
        left = 0 if self.step else self._left(tid)
        if left:
            self.face.set_left(tid, left - 1)
        return left > 0

    def read_back(self, tid: int, clock: Clock) -> None:
        """What has been read of it, which the clock has not heard of yet."""
        left = self._left(tid)
        shown = self.now + self.step * (self.given - left)
        if self.row == clock.row:
            clock.was_read(self.given - left, self.step)
        clock.now = max(clock.now, shown)
        self.given, self.step, self.old = 0, 0, True

    def _left(self, tid: int) -> int:
        """An exec has taken its memory away, and another stack begins with zeros: then none is."""
        try:
            return min(self.given, self.face.left(tid))
        except OSError:
            return 0
