"""Which stands a thread under the lens can have, and what leads from one to another: this table, and no other place.

A thread that stands is held by the tracer, or sleeps where we know of it; only RUNNING ones can do something by
themselves, and mostly there is one of them at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Stand(Enum):
    """Where a thread stands, as the world sees it."""

    RUNNING = "running"  # it was let go, and its next report is awaited
    READY = "ready"  # held; it could go on at once
    HELD = "held"  # at the entry of a call that has to wait, or for which it has to be chosen
    INSIDE = "inside"  # let into a call, and asleep there
    STOPPED = "stopped"  # by job control
    ENDED = "ended"  # the first thread of a process whose other threads have not
    GONE = "gone"  # its end has been heard

    __hash__ = (
        object.__hash__
    )  # Enum's own is written in Python, and this is asked for at each step


# For who asks at each step: up to Python 3.11 a member of an Enum is found thirty times as slowly as a name.
RUNNING, READY, HELD, INSIDE, STOPPED, ENDED, GONE = Stand

_REAPED = {Stand.GONE: "its end is reported"}

LEADS_TO: Mapping[Stand, Mapping[Stand, str]] = {
    Stand.RUNNING: {
        Stand.READY: "its stop has been dealt with, and it waits for its turn",
        Stand.HELD: "it comes to a call that has to wait, or is in a loop that only a signal ends",
        Stand.INSIDE: "it falls asleep in the call that it was let into",
        Stand.STOPPED: "a signal stops it",
        Stand.ENDED: "it ends, and other threads of its process do not",
        **_REAPED,
    },
    Stand.READY: {
        Stand.RUNNING: "it is its turn, or it is killed and its end is awaited",
        **_REAPED,
    },
    Stand.HELD: {
        Stand.READY: "what it waits for has come",
        Stand.RUNNING: "it makes its call, or it is killed and its end is awaited",
        **_REAPED,
    },
    Stand.INSIDE: {
        Stand.READY: "it comes out of its call",
        Stand.HELD: "it has come out of a call unseen, and is at the next one",
        Stand.RUNNING: "it is woken: by a signal, by the end of its time, by SIGKILL",
        Stand.STOPPED: "a signal stops all threads of its process",
        Stand.ENDED: "it ends, and other threads of its process do not",
        **_REAPED,
    },
    Stand.STOPPED: {
        Stand.READY: "SIGCONT continues it",
        Stand.RUNNING: "SIGCONT continues it where nobody is held; or it is killed",
        **_REAPED,
    },
    Stand.ENDED: {
        Stand.RUNNING: "the last of the other threads has ended, and its own end is awaited",
        Stand.READY: "another thread has executed a program, and stands in its place",
        **_REAPED,
    },
    Stand.GONE: {},
}

# In these nobody has to be listened to but now and then, as somebody else may end them.
ASLEEP = frozenset({Stand.INSIDE, Stand.STOPPED, Stand.ENDED})
