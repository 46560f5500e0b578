"""One thread under the lens, and where it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum

from forklab.lens.world.chronicle import Member
from forklab.lens.world.clock import Clock


class EndOfWorldError(Exception):
    """The program has to be ended; the text says why."""


@dataclass
class Pipe:
    """A pipe of the program, by the name that it has here; `content` is what is in it."""

    name: str
    content: bytes = b""


class Stand(Enum):
    """Where a thread stands, as the world sees it."""

    RUNNING = "running"  # it was let go, and its next report is awaited
    READY = "ready"  # held; it could go on at once
    HELD = "held"  # at the entry of a call that has to wait
    INSIDE = "inside"  # let into a call, and asleep there
    STOPPED = "stopped"  # by job control
    ENDED = "ended"  # the first thread of a process whose other threads have not


@dataclass(slots=True)
class Call:
    """The call that a thread is in. `patched`: the argument that was changed, and what it was."""

    name: str
    arguments: tuple[int, ...]
    patched: tuple[int, int] | None = None
    expired: int | None = None  # what it has to return, now that its time is over
    pipe: Pipe | None = None  # that it writes to or reads from; `content` is what it writes
    content: bytes = b""
    dooms: tuple[Member, ...] = ()  # to whom it sends SIGKILL, where schedules are explored


@dataclass(eq=False, slots=True)
class Tracee:
    """`to_exit` and `signal` are how it goes on when it is let go; `deadline` is in virtual nanoseconds."""

    tid: int
    member: Member
    order: int
    stand: Stand = Stand.RUNNING
    call: Call | None = None
    to_exit: bool = False
    signal: int = 0
    deadline: int | None = None
    interrupted: bool = False  # its last call was, and may start again
    reaping: bool = False  # it has been let into a wait that may reap a child
    unfinished_birth: bool = False  # a vfork: it sleeps until its child has gone its own way
    last_sender: Member | None = None  # of the signal that was delivered last
    # Where schedules are explored (`forklab.lens.loop.scheduled`):
    detail: tuple[
        Hashable, ...
    ] = ()  # of the call before which it is held; see `forklab.steps.state`
    late: bool = False  # the clock has moved while it was held there
    seen: str = ""  # a digest of all that the kernel has told it so far
    moved: bool = True  # it has run since somebody looked
    returns_at_once: bool = False  # it was let into a call that does not have to wait now
    at_once: bool = False  # it makes the call as soon as it comes to it again

    def saw(self, *what: Hashable) -> None:
        """The kernel has told it something."""
        known = f"{self.seen} {what!r}".encode()
        self.seen = hashlib.blake2b(known, digest_size=8).hexdigest()

    @property
    def is_leader(self) -> bool:
        return self.tid == self.member.pid


@dataclass
class Timer:
    """One that rings by a signal, in virtual nanoseconds. No `deadline`: it is not running."""

    number: int  # of the signal
    code: int  # what siginfo says of it
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


@dataclass
class Limits:
    """When to end a program that does not end by itself."""

    processor_seconds: float = 10.0
    virtual_seconds: float = 100_000.0
    processes: int = 500
    output: int = 1_000_000  # bytes; more is thrown away
    real_seconds: float | None = None


@dataclass
class Outcome:
    """What came of it beyond the history. `trouble` says why it was ended, `reasons` why it may come out otherwise."""

    written: int = 0  # bytes
    output: list[str] = field(default_factory=list)
    cut: bool = False
    reasons: dict[str, None] = field(default_factory=dict)
    trouble: str | None = None
    unreaped: list[str] | None = None  # who was a zombie when the first process ended

    def because(self, reason: str) -> None:
        """Why the same seed may not give the same history."""
        self.reasons.setdefault(reason)
