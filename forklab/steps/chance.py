"""What nobody decides, and what differs from run to run: here it is decided by a number, and differs on purpose.

Without a `Chance` a run finds it the same each time, so that what was learned in one holds in all. With one, it finds
what another machine, or another day, might have: if the same schedule then leads elsewhere, chance has a say in it.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from forklab.numbering import FIRST_PID

_SECOND = 1_000_000_000  # nanoseconds
# From one number to the next: primes, so that what is left when something is divided by a small number differs, too.
_PID_STEP, _OBJECT_STEP, _LATER, _FRACTION = 101, 103, 3_999_971 * _SECOND, 381_967_013
_APART = (
    1,
    3,
    3,
    1,
    2,
    5,
    4,
)  # how far the pids are from each other of those who are next to each other as a rule
_MANY = 17  # then the steps begin anew


class Kind(StrEnum):
    """A kind of chance. What is behind it, in words, says how programs come to depend on it."""

    HASHES = "the order of Python's sets, or hashes: they differ from run to run (PYTHONHASHSEED)"
    ADDRESSES = "where in memory something is, or on random bytes from the kernel"
    NUMBERS = "the numbers that the kernel gives to processes, terminals or System V objects"
    TIME = "the time at which it is started"
    FILES = "what the machine tells of its files and of itself: times, inode numbers, order, room"
    PROCESSOR = "which processor it runs on"


class Chance(NamedTuple):
    """Of these kinds it differs, in a way that follows from `number` (1, 2, 3 ...) as far as it is ours to choose.

    Numbers that follow each other are as different as can be: pids and times are odd and even in turn, and so on.
    """

    number: int
    kinds: frozenset[Kind] = frozenset(Kind)

    def has(self, kind: Kind) -> bool:
        return kind in self.kinds

    def choices(self, what: str) -> random.Random:
        """For what has to be chosen, by its name; the same each time it is asked for."""
        return random.Random(f"{self.number} {what}")

    def pid(self, number: int) -> int:
        """In place of the lecture's: as wide as those, in the same order, and otherwise as the kernel may have it."""
        if not FIRST_PID <= number < 2 * FIRST_PID or not self.has(Kind.NUMBERS):
            return number
        first = 2 * FIRST_PID + _PID_STEP * (self.number % _MANY)
        return first + (number - FIRST_PID) * _APART[self.number % len(_APART)]

    @property
    def parent(self) -> int:
        """The pid of who has started the first process."""
        return self.pid(FIRST_PID) - 3 - 2 * (self.number % 7) - self.number % 2

    @property
    def hash_seed(self) -> str:
        return str(self.choices("hashes").randrange(1, 1 << 32))

    @property
    def delay(self) -> int:
        """By how many nanoseconds later it starts: at most seven years, as 2038 is the end of some clocks."""
        return self.number % 50 * _LATER + self.number * _FRACTION % _SECOND

    @property
    def uptime(self) -> int:
        """How long the machine has been up by then, in nanoseconds."""
        return self.choices("uptime").randrange(100 * _SECOND, 10**6 * _SECOND)

    @property
    def terminals(self) -> int:
        """So many others are in use already."""
        return 1 + self.number % 5

    @property
    def object(self) -> int:
        """The number of the first object of System V."""
        return _OBJECT_STEP * (1 + self.number % 100)

    def inode(self, number: int) -> int:
        """In place of this one, each in that of another one."""
        return number ^ (self.choices("inodes").randrange(1, 1 << 19) << 1 | self.number & 1)

    def one_of(self, processors: Collection[int]) -> int:
        return sorted(processors)[self.number % len(processors)]
