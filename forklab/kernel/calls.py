"""The system calls of Linux: what each is called, and what others have to do with it. The facts are in calls.txt.

    CALLS["read"].concerns            frozenset({Concern.WAITS, Concern.TELLS, Concern.ASKS})
    concerns_of("made_up")            frozenset({Concern.UNKNOWN})
    calls_in("fork")                  frozenset({"fork", "vfork", "clone", "clone3"})

A call that nobody has classified is unknown. It is never taken for private.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple


class Concern(StrEnum):
    """What others have to do with a call, in the worst case of all its arguments."""

    PRIVATE = "private"  # nobody else can notice it, and it notices nobody
    WAITS = "waits"  # it may have to wait, for others or for a moment
    TELLS = "tells"  # others can notice it
    ASKS = "asks"  # what it does or answers depends on what others have done
    TIME = "time"  # what it does or answers depends on the time
    UNKNOWN = "unknown"  # nobody has classified it


class LimitForm(StrEnum):
    """How a call is told how long to wait."""

    MILLISECONDS = "milliseconds"  # an int; a negative one means for ever
    TIMESPEC = "timespec"  # a pointer; NULL means for ever
    TIMEVAL = "timeval"


# A century. Some write so that they wait without a limit: s6 for 2**61 seconds.
FOR_EVER_SECONDS = 3e9


class WaitLimit(NamedTuple):
    """The argument at `place` says how long to wait at most; `expired` is what the call returns when that is over."""

    place: int
    form: LimitForm
    expired: int = 0

    @property
    def for_ever(self) -> int:
        """The argument that means: no limit."""
        return -1 if self.form is LimitForm.MILLISECONDS else 0

    def is_for_ever(self, argument: int) -> bool:
        """Whether this argument, as its register has it, means no limit."""
        return int32(argument) < 0 if self.form is LimitForm.MILLISECONDS else argument == 0


class Sort(StrEnum):
    """What a call can be about."""

    DESCRIPTOR = "fd"  # an open file, by its descriptor
    PATH = "path"  # a file, by its name
    PATH_AT = "at"  # the same, from the folder of a descriptor on
    PROCESS = "process"  # a process, by its pid; without a place: the one that calls
    HERE = "here"  # the names of its own folder
    HOST = "host"  # the machine's names
    SEMAPHORES = "semaphores"  # of System V, all of them
    MESSAGES = "messages"  # message queues of System V, all of them
    QUEUES = "queues"  # the names of message queues of POSIX
    EPOLLS = "epolls"  # what is waited for by epoll(7)
    SIGNALFDS = "signalfds"  # which signals are read by signalfd(2)
    CHANCE = "chance"  # what nobody decides: use of resources, random numbers


class Subject(NamedTuple):
    """What a call is about, and the places of the arguments that say which one."""

    sort: Sort
    places: tuple[int, ...] = ()


class SystemCall(NamedTuple):
    """`numbers` are those on x86-64 and on aarch64, None where there is none. `group`: see calls.txt; "" for none.

    `subjects`: what it is about, as far as that is modelled.
    """

    name: str
    numbers: tuple[int | None, int | None]
    group: str
    concerns: frozenset[Concern]
    limit: WaitLimit | None = None
    subjects: tuple[Subject, ...] = ()


_CONCERNS = frozenset(Concern)


def _read(line: str) -> SystemCall:
    name, x86_64, aarch64, group, *words = line.split()
    numbers = _number(x86_64), _number(aarch64)
    concerns = _concerns(*(word for word in words if word in _CONCERNS))
    limit: WaitLimit | None = None
    subjects: tuple[Subject, ...] = ()
    for word in words[len(concerns) :]:
        if word[0].isdecimal():
            limit = _limit(word)
        else:
            subjects += (_subject(word),)
    return SystemCall(name, numbers, group.strip("-"), concerns, limit, subjects)


@cache
def _subject(written: str) -> Subject:
    sort, *places = written.split(":")
    return Subject(Sort(sort), tuple(map(int, places)))


def _number(written: str) -> int | None:
    return None if written == "-" else int(written)


@cache
def _concerns(*words: str) -> frozenset[Concern]:
    return frozenset(map(Concern, words))


def _limit(written: str) -> WaitLimit:
    place, form, *error = written.split(":")
    return WaitLimit(int(place), LimitForm(form), -getattr(errno, error[0]) if error else 0)


_TABLE = os.path.join(os.path.dirname(__file__), "calls.txt")

with open(_TABLE, encoding="utf-8") as _lines:
    CALLS: Mapping[str, SystemCall] = {
        call.name: call for line in _lines if line[0] not in "#\n" for call in [_read(line)]
    }


def concerns_of(name: str) -> frozenset[Concern]:
    """UNKNOWN for a call that is not in the table."""
    call = CALLS.get(name)
    return call.concerns if call else frozenset({Concern.UNKNOWN})


@cache
def calls_in(*groups: str) -> frozenset[str]:
    """The names of all calls of these groups. Raises ValueError if there is no such group."""
    found = frozenset(call.name for call in CALLS.values() if call.group in groups)
    if unknown := set(groups) - {CALLS[name].group for name in found}:
        raise ValueError(f"no system call is in the group {', '.join(sorted(unknown))}")
    return found


# Calls that are told how long to wait for others: poll, select, futex ... Sleeps wait for nobody.
PATIENT: Mapping[str, WaitLimit] = {
    name: call.limit for name, call in CALLS.items() if call.limit and call.group != "sleep"
}

# futex(2): the operation's low bits, and those of it that wait.
FUTEX_COMMAND = 0x7F
FUTEX_CLOCK_REALTIME = 0x100
FUTEX_WAIT, FUTEX_LOCK_PI = 0, 6
FUTEX_ABSOLUTE_WAITS = frozenset({6, 9, 11, 13})  # LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2

# "A syscall that was interrupted": -ERESTARTSYS, NOINTR, NOHAND, _RESTARTBLOCK; only a tracer sees these numbers.
INTERRUPTED = frozenset({-512, -513, -514, -516})


def int32(argument: int) -> int:
    """A register that holds an int: its upper half is not to be trusted."""
    return (argument & 0xFFFFFFFF ^ 0x80000000) - 0x80000000


def spoken_name(name: str) -> str:
    """As programs call it: "sigsuspend" for rt_sigsuspend, "wait" for wait4."""
    return name.removeprefix("rt_").removesuffix("64").removesuffix("4")
