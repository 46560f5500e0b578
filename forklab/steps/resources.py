"""Which facts of a state tell of something that processes share, and what it means for those who are at it.

A resource has a name of two parts, its kind and which one it is: "fifo /tmp/a" (see `forklab.lens.calls.touching`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from forklab.steps.pending import deliverable
from forklab.steps.state import (
    AT,
    BEFORE,
    BRINGS,
    CHILDREN,
    HOLDERS,
    KEYS,
    LIFE,
    PENDING,
    PIPE,
    RESOURCE,
    SENDS,
    Fact,
    Holders,
    Place,
    State,
    Touch,
    pipe_of,
    place_of,
)

FIFOS = "fifos"  # are one, as which one is opened by a name is for others to change
# What is told in a channel is told to whoever reads there. So their names begin; if it has sides, it matters who has
# which of them open.
SIDED = frozenset({"socketpair", "mailbox", "fifo", FIFOS})
_ALWAYS_SHARED = {"pipe": PIPE, "pending": PENDING, "life": LIFE, "children": CHILDREN}
_WITH_QUEUES, _TO = ("socketpair ", "mailbox "), " to "
CHANNELS = SIDED | {"eventfd", "queue", "pending", KEYS}


def is_held(resource: str) -> bool:
    """Whether the end of a process may change it: locks are released, and semaphores by SEM_UNDO, see semop(2)."""
    return resource in ("locks", "semaphores")


def is_channel(resource: str) -> bool:
    return resource.partition(" ")[0] in CHANNELS


def queue_to(channel: str, side: str) -> str:
    """The messages that are on their way to one side of a channel that keeps them apart, as a resource of their own."""
    return f"{channel}{_TO}{side}"


def may_have_queues(resource: str) -> bool:
    """Whether it is a channel that may keep messages apart, or such a queue in one."""
    return resource.startswith(_WITH_QUEUES)


def channel_of(resource: str) -> str:
    """The channel in which this queue is; anything else is what it is."""
    return resource.partition(_TO)[0] if may_have_queues(resource) else resource


def facts_about(resource: str) -> tuple[Fact, ...]:
    """Where the state tells of it."""
    kind, _, name = resource.partition(" ")
    if kind == "children":  # there is nothing to be read of who is gone
        return (CHILDREN, name), (LIFE, name)
    if kind in _ALWAYS_SHARED:
        return ((_ALWAYS_SHARED[kind], name),)
    if kind == "fifo":
        resource = FIFOS
    if kind in SIDED:
        channel = channel_of(resource)
        about = (RESOURCE, channel), (HOLDERS, channel), (BRINGS, channel)
        return about if channel == resource else (*about, (RESOURCE, resource))
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


def would_break_pipe(state: State, name: str) -> bool:
    """Whether it is about to write where nobody can read any more: SIGPIPE, see pipe(7)."""
    place = place_of(state, name)
    if place.writes_to_pipe:
        return not pipe_of(state, place.detail[0]).readers
    if place.call not in SENDS:
        return False
    ends = [touch.resource for touch in place.touches if not touch.resource.startswith("mailbox ")]
    channels = [state.get((HOLDERS, channel_of(end))) for end in ends]
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
