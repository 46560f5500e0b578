"""A world at one moment, as plain facts: what each process is about to do, and all that its next step can depend on.

    state[AT, "P"]            a Place: before `wait4`, after `fork`, ...; with a digest of all that it has seen so far
    state[PENDING, "P"]       signals that wait for it, in the order of their arrival
    state[LIFE, "P.1"]        ALIVE, ("zombie", 3), ("stopped", "untold"); whoever is gone has no facts

A state is a mapping from such facts to values that can be hashed. Two equal states have the same future, whatever
happened before: a process is a function of what it has seen, and everything that it can see comes from these facts.
They are small on purpose. A step touches few of them, so steps that touch none in common can change places
(`forklab.steps.footprint`), and what a step did once it does again where the facts that it touches are the same.

Pure: the world is looked at in `forklab.lens.loop.observing`.
"""

from __future__ import annotations

import signal
import zlib
from collections.abc import Hashable, Iterator, Mapping
from typing import NamedTuple

from forklab.lens.calls import groups as calls
from forklab.lens.world.chronicle import FIRST

Fact = tuple[str, str]  # of what kind, of whom
State = Mapping[Fact, Hashable]

AT = "at"
PENDING = "pending"  # ((signal, code, sender), ...)
MASKS = "masks"  # Signals
LIFE = "life"
PARENT = "parent"  # a name
CHILDREN = (
    "children"  # (how often it has forked, the names of those whom it has not reaped, oldest first)
)
ENDS = "ends"  # ((pipe, "read" or "write"), ...): those that it has open
TIMER = "timer"  # when its timers ring, in virtual nanoseconds
GROUP = "group"  # (process group, session)
PIPE = "pipe"  # (bytes in it, open reading ends, open writing ends)
PRIOR = "prior"  # only where steps are learned: see forklab.explore.learned
CLOCK: Fact = ("clock", "")
ENDING: Fact = ("ending", "")  # the status of the first process, and who was a zombie when it ended

ALIVE = "alive"
PIPE_CAPACITY = 65536

BEFORE, AFTER, INSIDE, STOPPED = "before", "after", "inside", "stopped"


class Place(NamedTuple):
    """Where a process stands: before or after `call`, or asleep inside it; `detail` depends on the call.

    `late`: the clock has moved while it stood there, so it must have entered the call. `seen` is a digest.
    """

    stage: str
    call: str
    detail: tuple[Hashable, ...]
    late: bool
    seen: str


class Signals(NamedTuple):
    """What becomes of signals, as bit masks: bit 0 is signal 1. `flags` are those of the handler for SIGCHLD."""

    blocked: int
    ignored: int
    caught: int
    flags: int


class Move(NamedTuple):
    """A step that can be taken: by `process`, CALL, SIGNAL or RETURN; or the clock's, TIME."""

    process: str
    kind: str


CALL = "call"  # make the call before which it stands
SIGNAL = "signal"  # take what is pending before the call
RETURN = "return"  # go on after a call
TIME = "time"  # nobody can do anything: on to the next deadline

# What nobody minds who has not asked for it: SIGCHLD, SIGCONT, SIGURG, SIGWINCH; and those that stop.
_HARMLESS = sum(1 << number - 1 for number in (17, 18, 23, 28))
_STOPS = sum(1 << number - 1 for number in (19, 20, 21, 22))
KILL, STOP = int(signal.SIGKILL), int(signal.SIGSTOP)


def number_of(name: str) -> int:
    """The pid of a process, the same in every schedule: P is 1000, P.1 1001, P.1.2 1021 (a digit a generation)."""
    places = [int(word) for word in name.split(".")[1:]]
    if len(places) <= 3 and all(place <= 9 for place in places):
        return FIRST + sum(place * int(10**digit) for digit, place in enumerate(places))
    return 2 * FIRST + zlib.crc32(name.encode()) % 30_000


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
    masks = state[MASKS, name]
    assert isinstance(masks, Signals)
    own = masks.blocked if blocked is None else blocked
    return pending(state, name) & ~own & ~masks.ignored & (masks.caught | ~_HARMLESS)


def pending(state: State, name: str) -> int:
    waiting = state[PENDING, name]
    assert isinstance(waiting, tuple)
    mask = 0
    for number, _, _ in waiting:
        mask |= 1 << number - 1
    return mask


def may_disturb(state: State, name: str) -> bool:
    """Whether a signal is pending for it that it would notice, sooner or later."""
    return bool(deliverable(state, name, blocked=0))


def may_be_fatal(state: State, name: str) -> bool:
    """Whether what is pending could end it in its next step.

    Also what is blocked: a handler may be about to return.
    """
    return bool(_uncaught(state, name) & ~_STOPS)


def may_stop(state: State, name: str) -> bool:
    """Whether what is pending could stop it in its next step."""
    return bool(_uncaught(state, name) & _STOPS)


def _uncaught(state: State, name: str) -> int:
    masks = state[MASKS, name]
    assert isinstance(masks, Signals)
    caught = masks.caught
    if place_of(state, name).call == "rt_sigaction":
        caught = 0  # not any more, maybe
    return pending(state, name) & ~masks.ignored & ~caught & ~_HARMLESS


def zombie_status(state: State, name: str) -> int | None:
    life = state.get((LIFE, name))
    if isinstance(life, tuple) and life[0] == "zombie":
        status = life[1]
        assert isinstance(status, int)
        return status
    return None


def moves(state: State) -> list[Move]:
    """All that can happen next. None: it is over, or everybody waits for ever."""
    found = [move for name in alive(state) for move in _of(state, name)]
    if not found and next(_deadlines(state), None) is not None:
        return [Move("", TIME)]
    return found


def _of(state: State, name: str) -> Iterator[Move]:
    place = place_of(state, name)
    if place.stage == AFTER:
        yield Move(name, RETURN)
        return
    due = deliverable(state, name)
    killed = due >> KILL - 1 & 1
    if place.stage == BEFORE:
        ready, woken = _can_return(state, name, place)
        # Who has been killed may still end the call that it is in; it does not wait, and catches nothing.
        may_call = ready or (not killed and (woken or due))
        # fork(2) begins anew after a signal that is pending: it is never the call that comes first.
        if may_call and not (due and place.call in calls.FORKS):
            yield Move(name, CALL)
        if due and (killed or not place.late):
            yield Move(name, SIGNAL)
    elif killed:
        yield Move(name, SIGNAL)


def _can_return(state: State, name: str, place: Place) -> tuple[bool, bool]:
    """Whether the call would not wait; and whether a signal that it lets through would end its waiting."""
    detail = place.detail
    if place.call in calls.WAITS:
        return _would_reap(state, name, detail), False
    if place.call == "pause":
        return False, False
    if place.call == "rt_sigsuspend":
        (blocked,) = detail
        assert isinstance(blocked, int)
        return False, bool(deliverable(state, name, blocked=blocked))
    if place.call == "rt_sigtimedwait":
        (wanted,) = detail
        assert isinstance(wanted, int)
        return bool(pending(state, name) & wanted), False
    if place.call in calls.SLEEPS:
        (deadline,) = detail
        now = state[CLOCK]
        assert isinstance(deadline, int) and isinstance(now, int)
        return deadline <= now, False
    if place.call in ("read", "readv"):
        content, _, writers = _pipe(state, detail[0])
        return bool(content) or not writers, False
    if place.call in ("write", "writev") and detail[0] != "output":
        content, readers, _ = _pipe(state, detail[0])
        size = detail[1]
        assert isinstance(size, int)
        return not readers or len(content) + size <= PIPE_CAPACITY, False
    return True, False


def _pipe(state: State, pipe: Hashable) -> tuple[bytes, int, int]:
    assert isinstance(pipe, str)
    found = state[PIPE, pipe]
    assert isinstance(found, tuple)
    return found


def would_break_pipe(state: State, name: str) -> bool:
    """Whether it is about to write into a pipe from which nobody can read: SIGPIPE, see pipe(7)."""
    place = place_of(state, name)
    if place.call not in ("write", "writev") or place.detail[0] == "output":
        return False
    _, readers, _ = _pipe(state, place.detail[0])
    return not readers


def children(state: State, name: str) -> tuple[str, ...]:
    """Those whom it has not reaped, oldest first."""
    found = state[CHILDREN, name]
    assert isinstance(found, tuple)
    names: tuple[str, ...] = found[1]
    return names


def _would_reap(state: State, name: str, detail: tuple[Hashable, ...]) -> bool:
    kind, which, options = detail
    assert isinstance(which, int) and isinstance(options, int)
    wanted = [child for child in children(state, name) if _is_meant(state, child, kind, which)]
    if options & calls.WNOHANG or not wanted:
        return True
    lives = [state[LIFE, child] for child in wanted]
    return any(
        (isinstance(life, tuple) and life[0] == "zombie" and options & _WEXITED)
        or (life == ("stopped", "untold") and options & calls.WSTOPPED)
        or (life == ("alive", "untold") and options & calls.WCONTINUED)
        for life in lives
    )


_WEXITED = 4


def _is_meant(state: State, child: str, kind: Hashable, which: int) -> bool:
    if kind in (calls.P_PID, calls.P_PIDFD):
        return number_of(child) == which
    if kind == calls.P_PGID:
        group = state[GROUP, child]
        assert isinstance(group, tuple)
        return bool(group[0] == which)
    return True


def _deadlines(state: State) -> Iterator[int]:
    for (what, _), value in state.items():
        if what == TIMER:
            assert isinstance(value, tuple)
            yield from value
        elif what == AT and isinstance(value, Place) and _waits_for_time(value):
            (deadline,) = value.detail
            assert isinstance(deadline, int)
            yield deadline


def _waits_for_time(place: Place) -> bool:
    asleep = place.stage == BEFORE and place.call in calls.SLEEPS
    return bool(place.detail) and (asleep or place.stage == INSIDE)
