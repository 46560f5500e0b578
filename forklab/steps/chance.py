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
_CALL = 31_013  # nanoseconds
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
# Numbers of those for whom the lecture has none: `number_of`.
_FIRST_OF_THE_FAR, _FAR = 2 * FIRST_PID, 30_000


class Kind(StrEnum):
    """A kind of chance. What is behind it, in words, says how programs come to depend on it."""

    HASHES = "the order of Python's sets, or hashes: they differ from run to run (PYTHONHASHSEED)"
    ADDRESSES = "where in memory something is, or on random bytes from the kernel"
    NUMBERS = "the numbers that the kernel gives to processes, terminals or System V objects"
    TIME = "the time at which it is started"
    PACE = "how long it takes to do something"
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
        """In place of the lecture's: as wide as those, and otherwise as the kernel may have it.

        Parents have smaller ones than their children, and siblings are in the order of their births. Of others it
        differs who comes first.
        """
        if number < FIRST_PID or not self.has(Kind.NUMBERS):
            return number
        if number >= _FIRST_OF_THE_FAR:
            later = number - _FIRST_OF_THE_FAR + _PID_STEP * self.number
            return _FIRST_OF_THE_FAR + later % _FAR
        first = 2 * FIRST_PID + _PID_STEP * (self.number % _MANY)
        return first + self._rank(str(number - FIRST_PID)) * _APART[self.number % len(_APART)]

    def _rank(self, digits: str) -> int:
        """One of three orders; the digits are places among siblings, the own one first and then those of ancestors."""
        match self.number % 3:
            case 0:  # with all of its descendants before its next sibling is born
                return int(digits[::-1].ljust(3, "0"))
            case 1:  # who is born last is the first to have children
                return int(digits[0] + "".join(str(9 - int(digit)) for digit in digits[1:]))
            case _:
                return int(digits)

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
    def pace(self) -> int:
        """How many nanoseconds clocks go on with each call. In the world of a search they stand still meanwhile."""
        return _CALL * (1 + self.number % 9)

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
