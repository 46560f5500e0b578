"""The steps that can be taken in a state."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from forklab.kernel import waits
from forklab.kernel.calls import calls_in
from forklab.kernel.signals import KILL, bit
from forklab.steps import state as facts
from forklab.steps.pending import deliverable, ends_patience, may_be_fatal, may_stop, pending
from forklab.steps.resources import is_free, values_of
from forklab.steps.state import AT, FOR_ORDERS, LOOP, READ_END, TIMER, WRITE_END, Place, State

_SLEEPS, _WAITS, _CLOCKS = calls_in("sleep"), calls_in("wait"), calls_in("clock")
_LOOPS = _CLOCKS | {LOOP}
_NEVER_FIRST = calls_in("fork") | _LOOPS


class MoveKind(StrEnum):
    """What a process can do next; TIME is the clock's."""

    CALL = "call"  # make the call before which it stands
    SIGNAL = "signal"  # take what is pending before the call
    RETURN = "return"  # go on after a call
    TIME = "time"  # nobody can do anything: on to the next deadline
    CUE = "cue"  # of a play, when nobody can do anything, not even soon: its director tells the actors what to do
    SEND = "send"  # a signal comes to the first process from outside
    # Only where steps are learned: take a signal right after the call before this one. See forklab.explore.learned.
    EARLY = "early"


CALL, SIGNAL, RETURN = MoveKind.CALL, MoveKind.SIGNAL, MoveKind.RETURN
TIME, EARLY, CUE, SEND = MoveKind.TIME, MoveKind.EARLY, MoveKind.CUE, MoveKind.SEND


class Move(NamedTuple):
    """A step that can be taken by `process`; by the clock, or from outside: their name is empty."""

    process: str
    kind: MoveKind


def moves(state: State) -> list[Move]:
    """All that can happen next. None: it is over, or everybody waits for ever."""
    found = [move for name in facts.alive(state) for move in _of(state, name)]
    script = facts.script_of(state)
    if not found and _comes_soon(state, script.patience if script else None):
        found = [Move("", TIME)]
    return found if script is None else _of_play(state, script, found)


def _of_play(state: State, script: facts.Script, found: list[Move]) -> list[Move]:
    if script.verdict is not None:
        return []
    stimulus = facts.stimulus_of(state)
    if not found and (stimulus is None or not stimulus.is_due):
        found = [Move("", CUE)]
    return found if stimulus is None else [*found, Move("", SEND)]


def _of(state: State, name: str) -> Iterator[Move]:
    place = facts.place_of(state, name)
    if place.stage == facts.AFTER:
        yield Move(name, RETURN)
        return
    due = deliverable(state, name)
    killed = due & bit(KILL)
    if (facts.HELD_EXIT, name) in state:
        if may_be_fatal(state, name) or may_stop(state, name):
            yield Move(name, SIGNAL)
        return
    if place.stage == facts.BEFORE:
        ready, woken = _can_return(state, name, place)
        # Who has been killed may still end the call that it is in; it does not wait, and catches nothing.
        disturbed = due and not place.has_own_mask
        may_call = ready or (not killed and (woken or disturbed))
        # fork(2) begins anew after a signal that is pending: it is never the call that comes first. Nor is a loop.
        if may_call and not (due and place.call in _NEVER_FIRST):
            yield Move(name, CALL)
        if due and (killed or not place.late or place.call in _LOOPS):
            yield Move(name, SIGNAL)
    elif killed:
        yield Move(name, SIGNAL)


def _can_return(state: State, name: str, place: Place) -> tuple[bool, bool]:
    """Whether the call would not wait; and whether a signal that it lets through would end its waiting."""
    call, detail = place.call, place.detail
    if call in _WAITS:
        options = facts.wait_of(state, name).options
        news = [facts.news_of(state, child) for child in facts.meant(state, name)]
        return waits.returns_at_once(options, news), False
    if call in ("pause", LOOP):
        return False, False
    if call == FOR_ORDERS:
        return bool(detail), False
    if call == "rt_sigsuspend":
        (blocked,) = detail
        assert isinstance(blocked, int)
        return False, bool(deliverable(state, name, blocked=blocked))
    if call == "rt_sigtimedwait":
        (wanted,) = detail
        assert isinstance(wanted, int)
        return bool(pending(state, name) & wanted), False
    if place.deadline is not None and place.deadline <= facts.now(state):
        return True, False
    if call in _SLEEPS or call in _CLOCKS:
        return False, False
    if place.at_semaphore is not None:
        return is_free(state, name), False
    if place.reads_from_pipe:
        pipe = facts.pipe_of(state, detail[0])
        return bool(pipe.content or not pipe.writers or READ_END in pipe.nonblocking), False
    if place.writes_to_pipe:
        pipe = facts.pipe_of(state, detail[0])
        size = detail[1]
        assert isinstance(size, int)
        # One that never fits can only begin where there is room for most of it.
        begins = not pipe.content or facts.fits(pipe, size)
        return begins or not pipe.readers or WRITE_END in pipe.nonblocking, False
    has_changed = place.blocked is None or place.blocked != values_of(state, place.touches)
    return has_changed, ends_patience(state, name)


def _comes_soon(state: State, patience: int | None) -> bool:
    """Whether there is a deadline, and the next one is no further away than that."""
    deadline = min(_deadlines(state), default=None)
    if deadline is None:
        return False
    return patience is None or deadline - facts.now(state) <= patience


def _deadlines(state: State) -> Iterator[int]:
    for (what, _), value in state.items():
        if what == TIMER:
            assert isinstance(value, tuple)
            yield from value
        elif what == AT and isinstance(value, Place) and value.deadline is not None:
            yield value.deadline
