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

import operator
import zlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from signal import SIGRTMIN
from typing import NamedTuple

from forklab.kernel import waits
from forklab.kernel.calls import calls_in
from forklab.kernel.signals import (
    CHLD,
    HARMLESS_MASK,
    SA_NOCLDWAIT,
    STOPPING_MASK,
    bit,
    deliverable_of,
)
from forklab.numbering import FIRST_PID

_FOR_A_MOMENT = calls_in("sleep", "clock")  # a clock is read in a loop until then

Fact = tuple[str, str]  # of what kind, of whom
State = Mapping[Fact, Hashable]

AT = "at"
PENDING = "pending"  # (Waiting, ...)
MASKS = "masks"  # Signals
LIFE = "life"
PARENT = "parent"  # a name
CHILDREN = "children"  # how often it has forked, and the names of those that it has not reaped, oldest first
ENDS = (
    "ends"  # ((pipe, "read" or "write"), ...): those that it has open; an End for each of a channel
)
TIMER = "timer"  # when its timers ring, in virtual nanoseconds
GROUP = "group"  # (process group, session, whether it has executed a program)
PIPE = "pipe"  # PipeContent
HOLDERS = "holders"  # of a channel: Holders; of FIFOS: of each, with its name
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
FIFOS = "fifos"  # are one, as which one is opened by a name is for others to change
# What is told in a channel is told to whoever reads there. So their names begin; if it has sides, it matters who has
# which of them open.
SIDED = frozenset({"socketpair", "fifo", FIFOS})
_ALWAYS_SHARED = {"pipe": PIPE, "pending": PENDING, "life": LIFE}
CHANNELS = SIDED | {"eventfd", "queue", "pending"}
ONE, OTHER = "one", "other"  # sides
LOOP = "a loop"  # before which it stands that only a signal ends, as if that were a call
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


def deliverable(state: State, name: str, *, blocked: int | None = None) -> int:
    """The pending signals that would have an effect right now, as a bit mask.

    `blocked` is another mask than its own.
    """
    masks = signals_of(state, name)
    own = masks.blocked if blocked is None else blocked
    return deliverable_of(pending(state, name), own, masks.ignored, masks.caught)


def signals_of(state: State, name: str) -> Signals:
    masks = state[MASKS, name]
    assert isinstance(masks, Signals)
    return masks


def pending(state: State, name: str) -> int:
    mask = 0
    for sent in signals_waiting(state, name):
        mask |= bit(sent.signal)
    return mask


def signals_waiting(state: State, name: str) -> tuple[Waiting, ...]:
    """What is pending."""
    waiting = state[PENDING, name]
    assert isinstance(waiting, tuple)
    return waiting


def also_sent(state: State, name: str, others: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    """What is pending if these were sent as well, and is not dropped: it is blocked, or has an effect.

    Of standard signals the first one of a number is kept, see signal(7).
    """
    found = sorted(
        (Counter(signals_waiting(state, name)) | Counter(others)).elements(), key=_number
    )
    signals = signals_of(state, name)
    ignored = signals.ignored | HARMLESS_MASK & ~signals.caught
    once: dict[object, Waiting] = {}
    for place, sent in enumerate(found):
        if bit(sent.signal) & (signals.blocked | ~ignored):
            once.setdefault(sent.signal if sent.signal < SIGRTMIN else (sent, place), sent)
    return tuple(once.values())


_number = operator.attrgetter("signal")


def may_disturb(state: State, name: str) -> bool:
    """Whether a signal is pending for it that it would notice, sooner or later."""
    return bool(deliverable(state, name, blocked=0))


def may_be_fatal(state: State, name: str) -> bool:
    """Whether what is pending could end it in its next step.

    Also what is blocked: a handler may be about to return.
    """
    return bool(_uncaught(state, name) & ~STOPPING_MASK)


def may_stop(state: State, name: str) -> bool:
    """Whether what is pending could stop it in its next step."""
    return bool(_uncaught(state, name) & STOPPING_MASK)


def _uncaught(state: State, name: str) -> int:
    masks = signals_of(state, name)
    caught = masks.caught
    if place_of(state, name).call == "rt_sigaction":
        caught = 0  # not any more, maybe
    return pending(state, name) & ~masks.ignored & ~caught & ~HARMLESS_MASK


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


def wants_no_zombies(state: State, name: str) -> bool:
    """Whether the kernel collects its children by itself: wait(2), NOTES. Not known of init, and not so."""
    if (MASKS, name) not in state:
        return False
    masks = signals_of(state, name)
    return bool(masks.ignored & bit(CHLD) or masks.flags & SA_NOCLDWAIT)


def now(state: State) -> int:
    moment = state[CLOCK]
    assert isinstance(moment, int)
    return moment


def pipe_of(state: State, pipe: Hashable) -> PipeContent:
    assert isinstance(pipe, str)
    found = state[PIPE, pipe]
    assert isinstance(found, PipeContent)
    return found


def is_held(resource: str) -> bool:
    """Whether the end of a process may change it: locks are released, and semaphores by SEM_UNDO, see semop(2)."""
    return resource in ("locks", "semaphores")


def is_channel(resource: str) -> bool:
    return resource.partition(" ")[0] in CHANNELS


def facts_about(resource: str) -> tuple[Fact, ...]:
    """Where the state tells of it."""
    kind, _, name = resource.partition(" ")
    if kind in _ALWAYS_SHARED:
        return ((_ALWAYS_SHARED[kind], name),)
    if kind == "fifo":
        resource = FIFOS
    if kind in SIDED:
        return (RESOURCE, resource), (HOLDERS, resource)
    return ((RESOURCE, resource),)


def is_always_shared(resource: str) -> bool:
    """What becomes of these are steps anyway."""
    return resource.partition(" ")[0] in {*_ALWAYS_SHARED, "semaphore"}


def values_of(state: State, touches: Iterable[Touch]) -> tuple[Hashable, ...]:
    """Of all facts about the resources, in their order."""
    return tuple(state.get(fact) for touch in touches for fact in facts_about(touch.resource))


def semaphore_in(touch: Touch) -> str:
    """The name of the POSIX semaphore that this is; empty for anything else."""
    kind, _, name = touch.resource.partition(" ")
    return name if kind == "semaphore" else ""


def is_free(state: State, name: str) -> bool:
    """Of one that waits for a POSIX semaphore: whether it would not have to."""
    place = place_of(state, name)
    assert place.at_semaphore is not None
    (value,) = values_of(state, place.touches)
    if value is None:
        value = place.at_semaphore.initial
    assert isinstance(value, int)
    return value > 0


def may_be_woken_in_vain(state: State) -> str:
    """A POSIX semaphore that is free, and for which several wait, one of whom gets a signal; empty if there is none.

    The kernel may have chosen that one to be woken. If it ends instead of taking it, nobody wakes the next one.
    """
    waiting: dict[str, list[str]] = {}
    for (what, name), place in state.items():
        if what == AT and isinstance(place, Place) and place.stage == BEFORE and place.at_semaphore:
            waiting.setdefault(semaphore_in(place.touches[0]), []).append(name)
    for semaphore, names in waiting.items():
        gets_signal = any(deliverable(state, name) for name in names)
        if len(names) > 1 and gets_signal and is_free(state, names[0]):
            return semaphore
    return ""


def fits(pipe: PipeContent, size: int) -> bool:
    """Whether a write of so many bytes has room in a pipe as a whole."""
    return len(pipe.content) + size <= PIPE_CAPACITY


def ends_patience(state: State, name: str) -> bool:
    """Whether a signal is pending for one that waits for descriptors, which it lets through meanwhile."""
    patience = place_of(state, name).patience
    if patience is None or patience.mask is None:
        return False
    return bool(deliverable(state, name, blocked=patience.mask))


def would_break_pipe(state: State, name: str) -> bool:
    """Whether it is about to write where nobody can read any more: SIGPIPE, see pipe(7)."""
    place = place_of(state, name)
    if place.writes_to_pipe:
        return not pipe_of(state, place.detail[0]).readers
    if place.call not in SENDS:
        return False
    channels = [state.get((HOLDERS, touch.resource)) for touch in place.touches]
    return any(
        h.shut or not h.one or not h.other for channel in channels for h in _holders(channel)
    )


def _holders(value: Hashable) -> Iterator[Holders]:
    """Of a channel; of several, if they are one."""
    if isinstance(value, Holders):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from _holders(inner)


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
