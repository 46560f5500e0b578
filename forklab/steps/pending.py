"""What signals are pending for a process in a state, and what they would do to it."""

from __future__ import annotations

import operator
from collections import Counter
from signal import SIGRTMIN

from forklab.kernel.signals import (
    CHLD,
    HARMLESS_MASK,
    SA_NOCLDWAIT,
    STOPPING_MASK,
    bit,
    deliverable_of,
)
from forklab.steps.state import MASKS, PENDING, Signals, State, Waiting, place_of


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


def wants_no_zombies(state: State, name: str) -> bool:
    """Whether the kernel collects its children by itself: wait(2), NOTES. Not known of init, and not so."""
    if (MASKS, name) not in state:
        return False
    masks = signals_of(state, name)
    return bool(masks.ignored & bit(CHLD) or masks.flags & SA_NOCLDWAIT)


def ends_patience(state: State, name: str) -> bool:
    """Whether a signal is pending for one that waits for descriptors, which it lets through meanwhile."""
    patience = place_of(state, name).patience
    if patience is None or patience.mask is None:
        return False
    return bool(deliverable(state, name, blocked=patience.mask))
