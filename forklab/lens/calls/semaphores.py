"""POSIX semaphores, sem_overview(7): functions of libc that meet in memory, and call the kernel only to sleep there.

They are held at their first instruction, as system calls are at their entry. Whether one would have to wait is read off
the semaphore itself, as glibc has it: its value is its first four bytes.
"""

from __future__ import annotations

import os

from forklab.kernel.calls import int32
from forklab.kernel.functions import SEM_GETVALUE, SEM_WAITS
from forklab.lens.calls import paths
from forklab.lens.edge import ptrace
from forklab.lens.edge.memory import SEMAPHORES, shared_at
from forklab.lens.world import clock as clocks
from forklab.lens.world.run import Run
from forklab.lens.world.semaphores import Semaphore
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import AtSemaphore, Touch

_VALUE = 4  # bytes
_FOLDER = os.path.dirname(SEMAPHORES)


def at(run: Run, tracee: Tracee, call: Call) -> Semaphore | None:
    """The one that a function is called with; None for one that it shares with nobody, or not by sem_open(3).

    Nor for one of whose file nothing is left: that is SIGBUS.
    """
    try:
        _value(tracee, call.arguments[0])
    except OSError:
        return None
    return run.semaphores.at(shared_at(tracee.tid, call.arguments[0]))


def touches(tracee: Tracee, call: Call) -> list[Touch]:
    """Of sem_open(3): the name of a file. What is in that is told by others."""
    path, creates = _opened(tracee, call)
    return [Touch(f"name {path}", creates), Touch(f"folder {_FOLDER}", creates)] if path else []


def waits(run: Run, tracee: Tracee, call: Call, semaphore: Semaphore) -> AtSemaphore | tuple[()]:
    """How long, at most, if it is one that does."""
    if call.name not in SEM_WAITS:
        return ()
    return AtSemaphore(_deadline(run, tracee, call), semaphore.initial)


def would_wait(run: Run, tracee: Tracee, call: Call) -> bool:
    return call.name in SEM_WAITS and _value(tracee, call.arguments[0]) == 0


def remember(run: Run, tracee: Tracee, call: Call) -> None:
    """It is about to be opened: the next run shall find its name, and its value, as this one did."""
    path, creates = _opened(tracee, call)
    if path and not (run.undo.remember_names(path) if creates else run.undo.remember(path)):
        run.because(f"it opens {path}, which can't be put back as it was")


def returned(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """With this result: what it has told the process, and what others can tell of it."""
    address = call.arguments[0]
    semaphore = at(run, tracee, call)
    if semaphore is None:
        return
    tracee.saw(int32(result))
    if call.name == SEM_GETVALUE:
        tracee.saw(_value(tracee, call.arguments[1]))
    elif int32(result) == 0:
        run.semaphores.values[semaphore.resource] = _value(tracee, address)


def opened(run: Run, tracee: Tracee, call: Call, address: int) -> None:
    """By sem_open(3), there; or nowhere."""
    where = shared_at(tracee.tid, address) if address else None
    if where is None:
        tracee.saw(0)
        return
    name = "/" + (paths.text(tracee, call.arguments[0]) or "").lstrip("/")
    tracee.saw(run.semaphores.opened(where, name, _value(tracee, address)).resource)


def initialized(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """By sem_init(3), in memory that is shared: the first one before anybody else could look."""
    tracee.saw(int32(result))
    address = call.arguments[0]
    where = shared_at(tracee.tid, address)
    if int32(result) or where is None:
        return
    known, value = run.semaphores.at(where), _value(tracee, address)
    if known is None:
        run.semaphores.made(where, tracee.member.name, value)
    else:
        run.semaphores.values[known.resource] = value


def _opened(tracee: Tracee, call: Call) -> tuple[str, bool]:
    """The path of its file, and whether it is made if there is none."""
    name = (paths.text(tracee, call.arguments[0]) or "").lstrip("/")
    return (SEMAPHORES + name if name else ""), bool(call.arguments[1] & os.O_CREAT)


def _value(tracee: Tracee, address: int) -> int:
    return int.from_bytes(ptrace.peek_memory(tracee.tid, address, _VALUE), "little")


def _deadline(run: Run, tracee: Tracee, call: Call) -> int | None:
    """None if it waits for ever; now, if it does not wait, as that would be an error."""
    place = SEM_WAITS[call.name]
    if place is None:
        return None
    clock = int32(call.arguments[1]) if call.name == "sem_clockwait" else clocks.REALTIME
    try:
        content = ptrace.read_memory(tracee.tid, call.arguments[place], clocks.TIMESPEC.size)
        moment = clocks.from_timespec(content)
    except (OSError, ValueError):
        return run.clock.now
    known = clock in (clocks.REALTIME, clocks.MONOTONIC)
    return run.clock.deadline(moment, absolute_on=clock) if known else run.clock.now
