"""A world at one moment, as plain facts: what each process is about to do, and all that its next step can depend on.

    state[AT, "P"]            a Place: before `wait4`, after `fork`, ...; with a digest of all that it has seen so far
    state[PENDING, "P"]       signals that wait for it, those of one number in the order of their arrival
    state[LIFE, "P.1"]        ALIVE, ("zombie", 3), ("stopped", "untold", 19); whoever is gone has no facts
    state[RESOURCE, "files"]  a digest of all that has been done to them

A state is a mapping from such facts to values that can be hashed. Two equal states have the same future, whatever
happened before: a process is a function of what it has seen, and everything that it can see comes from these facts.
They are small on purpose. A step touches few of them, so steps that touch none in common can change places
(`forklab.steps.footprint`), and what a step did once it does again where the facts that it touches are the same.

Pure: the world is looked at in `forklab.lens.loop.observing`.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from forklab.kernel import waits
from forklab.kernel.calls import calls_in
from forklab.numbering import FIRST_PID

_FOR_A_MOMENT = calls_in("sleep", "clock")  # a clock is read in a loop until then

Fact = tuple[str, str]  # of what kind, of whom
State = Mapping[Fact, Hashable]

AT = "at"
PENDING = "pending"  # (Waiting, ...)
MASKS = "masks"  # Signals
LIFE = "life"
PARENT = "parent"  # a name
ADOPTS = "adopts"  # it is a subreaper
CHILDREN = "children"  # how often it has forked, and the names of those that it has not reaped, oldest first
ENDS = (
    "ends"  # ((pipe, "read" or "write"), ...): those that it has open; an End for each of a channel
)
TIMER = "timer"  # when its timers ring, in virtual nanoseconds
GROUP = "group"  # (process group, session, whether it has executed a program)
PIPE = "pipe"  # PipeContent
HOLDERS = "holders"  # of a channel: Holders; of FIFOS: of each, with its name
BRINGS = "brings"  # of a channel: those of which messages in it hold ends
LAST_PID: Fact = ("last pid", "")  # that has been given to anybody; only in a play
SCRIPT: Fact = ("script", "")  # Script: how far a play has come that somebody directs
STIMULUS: Fact = ("stimulus", "")  # Stimulus: a signal that may come from outside at any moment
TALE = "tale"  # only in a play: of one that has ended, how, whether it was reaped, and a digest of all that it has seen
CALLED = "called"  # only in a play: as its director calls it, because of what it executes
HELD_EXIT = "held exit"  # only in a play: it stands before its exit, until the director lets it
RESOURCE = "resource"  # what is in something that processes share, or a digest of all that has been done to it
PRIOR = "prior"  # only where steps are learned: see forklab.explore.learned
CLOCK: Fact = ("clock", "")
ENDING: Fact = ("ending", "")  # the status of the first process, and who was a zombie when it ended

ALIVE = "alive"
BEFORE, AFTER, INSIDE, STOPPED = "before", "after", "inside", "stopped"

READS, WRITES = frozenset({"read", "readv"}), frozenset({"write", "writev"})
PIPE_CAPACITY, PIPE_BUF = 65536, 4096  # bytes; more than PIPE_BUF may be written in pieces: pipe(7)
READ_END, WRITE_END = "read", "write"
SELECTS = frozenset({"select", "pselect6"})
EPOLLS = frozenset({"epoll_wait", "epoll_pwait"})
# Whose detail is a Patience, if that is modelled for what they wait for.
POLLS = SELECTS | EPOLLS | {"poll", "ppoll"}
SENDS = WRITES | {"sendto", "sendmsg", "mq_timedsend"}
RECEIVES = READS | {"recvfrom", "recvmsg", "mq_timedreceive"}
ONE, OTHER = "one", "other"  # sides
TERMINAL = "terminal"  # its foreground, and what is written there
KEYS = "keys"  # of the terminal: what was typed there
FOR_ORDERS = "system call 400"  # by which an actor asks what to do: forklab.lens.calls.cueing
LOOP = "a loop"  # before which it stands that only a signal ends, as if that were a call
MOMENT = "of its end"  # the detail of a call that the kernel makes for it when it ends
TO_OUTPUT = "output"  # what a write's detail begins with, instead of a pipe's name


class PipeContent(NamedTuple):
    """What is in a pipe, how many ends of it are open, and at which sides, READ_END or WRITE_END, O_NONBLOCK is set."""

    content: bytes
    readers: int
    writers: int
    nonblocking: frozenset[str] = frozenset()


class End(NamedTuple):
    """A side of a channel; empty if it has none."""

    channel: str
    side: str


class Holders(NamedTuple):
    """How many have which side of a channel open; `shut`: by shutdown(2) there is no way through though they have."""

    one: int
    other: int
    shut: bool


class Touch(NamedTuple):
    """A call has to do with a resource; `tells`: others can notice it there, else it only asks."""

    resource: str
    tells: bool


class Place(NamedTuple):
    """Where a process stands: before or after `call`, or asleep inside it; `detail` depends on the call.

    `late`: the clock has moved while it stood there, so it must have entered the call. `seen` is a digest. `touches`
    are the shared resources that the call has to do with. `blocked` are values of theirs with which it has to wait, as
    it was tried; None: it was not.
    """

    stage: str
    call: str
    detail: tuple[Hashable, ...]
    late: bool
    seen: str
    touches: tuple[Touch, ...] = ()
    blocked: tuple[Hashable, ...] | None = None

    @property
    def deadline(self) -> int | None:
        """When its waiting ends by itself, if it does."""
        if self.stage not in (BEFORE, INSIDE) or not self.detail:
            return None
        is_patient = self.patience or self.at_semaphore
        if self.stage == BEFORE and self.call not in _FOR_A_MOMENT and not is_patient:
            return None
        deadline = self.detail[0]
        assert deadline is None or isinstance(deadline, int)
        return deadline

    @property
    def has_own_mask(self) -> bool:
        """Other signals are blocked while it waits: none that comes before it waits ends that."""
        return self.patience is not None and self.patience.mask is not None

    @property
    def patience(self) -> Patience | None:
        return self.detail if isinstance(self.detail, Patience) else None

    @property
    def at_semaphore(self) -> AtSemaphore | None:
        return self.detail if isinstance(self.detail, AtSemaphore) else None

    @property
    def writes_output(self) -> bool:
        return self.call in WRITES and self.detail[:1] == (TO_OUTPUT,)

    @property
    def writes_to_pipe(self) -> bool:
        return self.call in WRITES and bool(self.detail) and self.detail[0] != TO_OUTPUT

    @property
    def reads_from_pipe(self) -> bool:
        return self.call in READS and bool(self.detail)


class Script(NamedTuple):
    """A play that somebody directs: how many cues there were, and a digest of what its judge remembers of it.

    `verdict`: it is over, and this came of it. `patience`: nobody who sleeps longer than that, in virtual nanoseconds,
    is waited for before the next cue; None: everybody is.
    """

    cues: int
    memory: str = ""
    verdict: Hashable = None
    patience: int | None = None


class Stimulus(NamedTuple):
    """A signal for the first process, from outside, once it has forked; `is_due`: before the next cue."""

    signal: int
    is_due: bool = False


class Sent(NamedTuple):
    """The detail of a call that sends a signal: `pid` as kill(2) has it, in our numbers."""

    pid: int
    signal: int


class Waiting(NamedTuple):
    """A signal that is pending. The rest only if the process can learn of it: see sigaction(2)."""

    signal: int
    code: int
    sender: str
    value: int  # of sigqueue(3); the status of a child


class Patience(NamedTuple):
    """The detail of a call that waits for descriptors.

    `deadline`: until then, in virtual nanoseconds; None: for ever. `mask`: the signals that it blocks meanwhile,
    instead of those that are blocked; None: the same.
    """

    deadline: int | None
    mask: int | None


class AtSemaphore(NamedTuple):
    """The detail of a function that waits for a POSIX semaphore: until when, and its value if nobody has changed that.

    `deadline` is in virtual nanoseconds; None: for ever.
    """

    deadline: int | None
    initial: int


class Signals(NamedTuple):
    """What becomes of signals, as bit masks: bit 0 is signal 1. `flags` are those of the handler for SIGCHLD.

    `told` are those of which it can learn from whom they come.
    """

    blocked: int
    ignored: int
    caught: int
    flags: int
    told: int


def apply(changes: Iterable[tuple[Fact, Hashable]], state: dict[Fact, Hashable]) -> None:
    """Each fact has this value from now on; None: it is no more."""
    for fact, value in changes:
        if value is None:
            state.pop(fact, None)
        else:
            state[fact] = value


def number_of(name: str) -> int:
    """The pid of a process, the same in every schedule: P is 1000, P.1 1001, P.1.2 1021 (a digit a generation)."""
    places = [int(word) for word in name.split(".")[1:]]
    if len(places) <= 3 and all(place <= 9 for place in places):
        return FIRST_PID + sum(place * int(10**digit) for digit, place in enumerate(places))
    return 2 * FIRST_PID + zlib.crc32(name.encode()) % 30_000


def alive(state: State) -> list[str]:
    """Ancestors first, siblings by age."""
    return sorted((name for what, name in state if what == AT), key=order)


def order(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")[1:]))


def place_of(state: State, name: str) -> Place:
    place = state[AT, name]
    assert isinstance(place, Place)
    return place


def zombie_status(state: State, name: str) -> int | None:
    life = state.get((LIFE, name))
    if isinstance(life, tuple) and life[0] == "zombie":
        status = life[1]
        assert isinstance(status, int)
        return status
    return None


def news_of(state: State, name: str) -> int:
    """What a wait can tell its parent of it, as `forklab.kernel.waits` has it."""
    life = state[LIFE, name]
    if isinstance(life, tuple):
        if life[0] == "zombie":
            return waits.WEXITED
        if life[:2] == ("stopped", "untold"):
            return waits.WSTOPPED
        if life == ("alive", "untold"):
            return waits.WCONTINUED
    return 0


def children(state: State, name: str) -> tuple[str, ...]:
    """Those whom it has not reaped, oldest first."""
    return _children_fact(state, name)[1]


def forks_so_far(state: State, name: str) -> int:
    return _children_fact(state, name)[0]


def _children_fact(state: State, name: str) -> tuple[int, tuple[str, ...]]:
    found = state[CHILDREN, name]
    assert isinstance(found, tuple)
    forks, names = found
    return forks, names


def parent_of(state: State, name: str) -> str:
    parent = state[PARENT, name]
    assert isinstance(parent, str)
    return parent


def now(state: State) -> int:
    moment = state[CLOCK]
    assert isinstance(moment, int)
    return moment


def pipe_of(state: State, pipe: Hashable) -> PipeContent:
    assert isinstance(pipe, str)
    found = state[PIPE, pipe]
    assert isinstance(found, PipeContent)
    return found


def script_of(state: State) -> Script | None:
    """None: nobody directs it."""
    script = state.get(SCRIPT)
    assert script is None or isinstance(script, Script)
    return script


def stimulus_of(state: State) -> Stimulus | None:
    """The signal that may come from outside now, if one may."""
    stimulus = state.get(STIMULUS)
    assert stimulus is None or isinstance(stimulus, Stimulus)
    return stimulus if (AT, "P") in state and forks_so_far(state, "P") else None


def fits(pipe: PipeContent, size: int) -> bool:
    """Whether a write of so many bytes has room in a pipe as a whole."""
    return len(pipe.content) + size <= PIPE_CAPACITY


def meant(state: State, name: str) -> list[str]:
    """Of a process that is in a wait: the children that it is for."""
    kind, which, options = wait_of(state, name)
    mine = children(state, name) if waits.is_for(options) else ()
    if kind in (waits.P_PID, waits.P_PIDFD):
        return [child for child in mine if number_of(child) == which]
    if kind == waits.P_PGID:
        return [child for child in mine if _group(state, child) == which]
    return list(mine)


def wait_of(state: State, name: str) -> waits.WaitFor:
    detail = place_of(state, name).detail
    assert isinstance(detail, waits.WaitFor)
    return detail


def sent_of(state: State, name: str) -> Sent:
    detail = place_of(state, name).detail
    assert isinstance(detail, Sent)
    return detail


def _group(state: State, name: str) -> int:
    group = state[GROUP, name]
    assert isinstance(group, tuple)
    number = group[0]
    assert isinstance(number, int)
    return number
