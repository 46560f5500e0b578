"""From what a script says of init's start to what the stage is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from typing import assert_never

from autograder.language.beginnings import (
    Beginning,
    FreezesInitAfterFork,
    FreezesMainAfterFork,
    HoldsExits,
    StartsAsJob,
    StartsBlocking,
    StartsIgnoring,
    StartsIn,
    StartsPending,
    StartsWithExitHandler,
    StartsWithNiceValue,
    StartsWithout,
    StartsWithUmask,
    StartsWithVariable,
)
from autograder.language.roles import INIT, MAIN, STREAMS
from autograder.stage.start import Start
from forklab.kernel.signals import signal_number


def start_of(beginnings: Iterable[Beginning]) -> Start:
    """All of them together; of two that contradict each other the later one counts."""
    return reduce(_with, beginnings, Start())


def _with(start: Start, beginning: Beginning) -> Start:
    match beginning:
        case StartsIgnoring(signal):
            return replace(start, ignored=(*start.ignored, signal_number(signal)))
        case StartsBlocking(signal):
            return replace(start, blocked=(*start.blocked, signal_number(signal)))
        case StartsPending(signal):
            return replace(start, pending=(*start.pending, signal_number(signal)))
        case StartsWithout(stream):
            return replace(start, closed=(*start.closed, STREAMS.index(stream)))
        case StartsWithVariable(variable):
            return replace(start, variables=(*start.variables, variable))
        case StartsIn(folder):
            return replace(start, folder=folder)
        case StartsWithUmask(umask):
            return replace(start, umask=umask)
        case StartsWithNiceValue(nice):
            return replace(start, nice=nice)
        case StartsAsJob(place):
            return replace(start, job=place)
        case StartsWithExitHandler():
            return replace(start, exit_handler=True)
        case FreezesInitAfterFork():
            return replace(start, frozen=INIT)
        case FreezesMainAfterFork():
            return replace(start, frozen=MAIN)
        case HoldsExits():
            return replace(start, exits_held=True)
        case _:
            assert_never(beginning)
