"""One thread under the lens, and the call that it is in; or the function of libc, where that counts as one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.lens.edge.memory import Area, Memory
from forklab.lens.world import stands
from forklab.lens.world.chronicle import Member
from forklab.lens.world.dials import Dial
from forklab.lens.world.digests import digest_of
from forklab.lens.world.stands import Stand


class Action(NamedTuple):
    """What rt_sigaction(2) is given: the address of the handler, 0 for the default and 1 for ignored, and its flags."""

    handler: int
    flags: int


@dataclass(slots=True)
class Call:
    """The call that a thread is in. `again`: it has been in it before, and a signal has got it out.

    `patched`: the argument that was changed, and what it was; `expires`: what it returns when its time is over;
    `expired`: that it is. `by_socket`: the socket limits it. `returns`: it does so at once, as what it waits for is
    there. `signals`: for which it waits, or which are blocked meanwhile, as a mask. `looks_at`: it reads a file of
    /proc that tells how somebody stands; its path, whose it is, and which. `action`: what it gives to rt_sigaction(2),
    once that has been read; `idle`: it changes nothing by that.
    """

    name: str
    arguments: tuple[int, ...]
    again: bool = False
    patched: tuple[int, int] | None = None
    expires: int = 0
    expired: int | None = None
    by_socket: bool = False
    returns: bool = False
    signals: int = 0
    looks_at: tuple[str, int, str] | None = None
    action: Action | None = None
    idle: bool = False


class Twister(NamedTuple):
    """A random generator of Python's that nobody has used: how it is `fresh`, and its `address`, 0 if not known yet."""

    fresh: bytes
    address: int = 0


class Trap(NamedTuple):
    """A breakpoint: what it is for, a name, and what stood there before."""

    name: str
    before: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """A function that a process is in. `stack` is its stack pointer when it has returned there, to `returns_to`.

    `before` is what stood there. `is_whole`: nothing comes between its beginning and its end; `blocked` are the signals
    that were blocked before they were kept off for that, None if none had to be. `is_broken_off`: it waits for nothing
    but a signal that has come already. `area` is open for it meanwhile: see `forklab.lens.calls.guarding`.
    """

    call: Call
    returns_to: int
    stack: int
    before: bytes
    is_whole: bool = True
    blocked: int | None = None
    is_broken_off: bool = False
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Functions:
    """Of one process: its `traps` by address, and the functions that it is in, the innermost last."""

    traps: Mapping[int, Trap] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()

    @property
    def whole(self) -> Frame | None:
        """The one that it is in, if nothing comes between."""
        return self.frames[-1] if self.frames and self.frames[-1].is_whole else None


class Seen(NamedTuple):
    """Digests of what the kernel has told a thread: `all` of it, `since` its memory was looked at, since it was let go.

    What is `fresh` like that is not in its memory yet. `deeds` is about calls that have changed what the kernel keeps
    of it. It has taken so many `steps`. `start` is its memory when its program began.
    """

    all: str = ""
    since: str = ""
    fresh: str = ""
    deeds: str = ""
    steps: int = 0
    start: Memory | None = None


@dataclass(eq=False, slots=True)
class Tracee:
    """`to_exit` and `signal` are how it goes on when it is let go; `deadline` is in virtual nanoseconds.

    `seen` is what the kernel has told it so far; None where nobody asks for it. `dial`: where it reads the clock by
    itself, if it does. `functions`: where it stops at functions of libc. `twisters`: see
    `forklab.lens.calls.twisting`. `tells_its_end`: it stops when it is about to end, and is `at_its_end` then.
    `dies_by`: this signal ends it already, though it still makes calls for us.
    """

    tid: int
    member: Member
    stand: Stand = Stand.RUNNING
    tells_its_end: bool = False
    at_its_end: bool = False
    dies_by: int = 0
    call: Call | None = None
    to_exit: bool = False
    signal: int = 0
    deadline: int | None = None
    interrupted: bool = False  # its last call was, and may start again
    reaping: bool = False  # it has been let into a wait that may reap a child
    unfinished_birth: bool = False  # a vfork: it sleeps until its child has gone its own way
    vfork: Call | None = None  # the call of that, if we hold it there instead of the kernel
    is_waited_for: bool = False  # it is such a child, and has not done so
    may_sleep: bool = True  # in the call that it was let into, if it was let into one
    last_sender: Member | None = None  # of the signal that was delivered last
    seen: Seen | None = None
    dial: Dial | None = None
    functions: Functions = Functions()
    twisters: tuple[Twister, ...] = ()
    order: int = field(init=False)  # threads take turns in the order of their processes' birth

    def __post_init__(self) -> None:
        self.order = self.member.born

    @property
    def held_call(self) -> Call | None:
        """The call before which it is held; None if it is not held."""
        return self.call if self.stand is stands.HELD else None

    def saw(self, *what: Hashable) -> None:
        """The kernel has told it something."""
        if (seen := self.seen) is not None:
            self.seen = seen._replace(
                all=digest_of(seen.all, *what),
                since=digest_of(seen.since, *what),
                fresh=digest_of(seen.fresh, *what),
            )

    def passed(self, call: str) -> None:
        """It makes this call without a step: nothing is told by it, but elsewhere it may be one."""
        if (seen := self.seen) is not None:
            self.seen = seen._replace(all=digest_of(seen.all, call))

    @property
    def history(self) -> str:
        """A digest of all that the kernel has told it."""
        return self.seen.all if self.seen else ""

    def went_on(self) -> None:
        """What it was told is in its memory when it stops again."""
        if (seen := self.seen) is not None and seen.fresh:
            self.seen = seen._replace(fresh="")

    @property
    def letters_of_sleep(self) -> str:
        """How /proc shows it that it sleeps in its call: who waits for the child of its vfork cannot be disturbed."""
        return "SD" if self.unfinished_birth else "S"

    @property
    def is_leader(self) -> bool:
        return self.tid == self.member.pid
