"""What a step is: read off the state before it, as data. The words for it are in `forklab.explore.sentences`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from forklab.kernel import waits
from forklab.kernel.calls import calls_in
from forklab.kernel.signals import numbers_in
from forklab.steps import state as facts
from forklab.steps.moves import CALL, CUE, SEND, TIME, Move
from forklab.steps.pending import deliverable, wants_no_zombies
from forklab.steps.resources import semaphore_in
from forklab.steps.state import State

_FORKS, _EXECS, _EXITS = calls_in("fork"), calls_in("exec"), calls_in("exit")
_WAITS, _SIGNALLING, _CLOSING = calls_in("wait"), calls_in("signal"), calls_in("close")
_SLEEPS, _SUSPENDING = calls_in("sleep"), calls_in("suspend")


class DeedKind(StrEnum):
    """What is done in a step."""

    FORK = "fork"
    EXEC = "exec"
    EXIT = "exit"
    WRITE = "write"  # to the output
    PUT = "put"  # into a pipe
    READ = "read"  # from a pipe
    CLOSE = "close"  # an end of a pipe
    END = "end"  # what the kernel does for one that ends, before it is dead
    REAP = "reap"
    WAIT = "wait"  # and there is nobody to reap
    SEND = "send"  # a signal
    SIGNAL = "signal"  # take what is pending
    WAKE = "wake"  # a sleep is over, or cut short by signals
    SUSPENDED = "suspended"  # a signal ends its waiting for signals
    CALL = "call"  # some other call
    GO_ON = "go on"
    TIME = "time"  # passes
    HEAR = "hear"  # an order
    CUE = "cue"  # the director of a play tells everybody what to do
    COME = "come"  # a signal does, from outside


EVERYBODY, A_GROUP = "everybody", "a group"


@dataclass(frozen=True)
class Deed:
    """What one step of `process` is; which of the others are set depends on the kind.

    `text` is what it writes to the output, hears, or does on the way to its end, `child` whom it forks or reaps,
    `status` what it exits with, or by which signal it dies: -15.
    `signals` are those that it sends or takes, by number; `target` is to whom it sends: a name, EVERYBODY, A_GROUP, or
    the pid of somebody unknown. `pipe` is which, and `size` how many bytes it puts into it. `call` is the system call,
    or the function that counts as one; `semaphore` is which one of POSIX that is about. Of an exit, `unwanted_by` is
    the parent that wants no zombie of it.
    """

    process: str
    kind: DeedKind
    text: str = ""
    child: str = ""
    status: int = 0
    signals: tuple[int, ...] = ()
    target: str = ""
    pipe: str = ""
    size: int = 0
    call: str = ""
    semaphore: str = ""
    unwanted_by: str = ""


def deed_of(state: State, move: Move) -> Deed:
    if move.kind == TIME:
        return Deed("", DeedKind.TIME)
    if move.kind == CUE:
        return Deed("", DeedKind.CUE)
    if move.kind == SEND:
        stimulus = facts.stimulus_of(state)
        assert stimulus is not None
        return Deed("", DeedKind.COME, signals=(stimulus.signal,), target="P")
    name = move.process
    if move.kind != CALL:
        signals = _due(state, name)
        return Deed(name, DeedKind.SIGNAL, signals=signals) if signals else goes_on(name)
    return _call(state, name)


def goes_on(name: str) -> Deed:
    return Deed(name, DeedKind.GO_ON)


def _due(state: State, name: str) -> tuple[int, ...]:
    return tuple(numbers_in(deliverable(state, name)))


def _call(state: State, name: str) -> Deed:
    place = facts.place_of(state, name)
    call, detail = place.call, place.detail
    if call in _FORKS:
        return Deed(name, DeedKind.FORK, child=f"{name}.{facts.forks_so_far(state, name) + 1}")
    if call in _EXITS:
        parent = facts.parent_of(state, name)
        unwanted_by = parent if wants_no_zombies(state, parent) else ""
        return Deed(name, DeedKind.EXIT, status=_int(detail[0]), unwanted_by=unwanted_by)
    if place.writes_output:
        return Deed(name, DeedKind.WRITE, text=str(detail[1]))
    if place.writes_to_pipe:
        return Deed(name, DeedKind.PUT, pipe=str(detail[0]), size=_int(detail[1]))
    if place.reads_from_pipe:
        return Deed(name, DeedKind.READ, pipe=str(detail[0]))
    if call in _WAITS:
        child = _reaped(state, name)
        return Deed(name, DeedKind.REAP if child else DeedKind.WAIT, child=child)
    if call in _SIGNALLING:
        sent = facts.sent_of(state, name)
        target = _target(state, sent.pid)
        return Deed(name, DeedKind.SEND, signals=(sent.signal,), target=target)
    if detail[:1] == (facts.MOMENT,):
        return Deed(name, DeedKind.END, text=str(detail[1]))
    if call in _CLOSING and detail:
        return Deed(name, DeedKind.CLOSE, pipe=str(detail[0]))
    if call in _EXECS:
        return Deed(name, DeedKind.EXEC)
    if call in _SLEEPS:
        due = isinstance(detail[0], int) and detail[0] <= facts.now(state)
        return Deed(name, DeedKind.WAKE, signals=() if due else _due(state, name))
    if call == facts.FOR_ORDERS:
        return Deed(name, DeedKind.HEAR, text=str(detail[0]) if detail else "")
    if call in _SUSPENDING:
        return Deed(name, DeedKind.SUSPENDED, call=call)
    semaphore = next(map(semaphore_in, place.touches), "")
    return Deed(name, DeedKind.CALL, call=call, semaphore=semaphore)


def _reaped(state: State, name: str) -> str:
    """Which child it reaps: the oldest one that has ended. Nobody: empty."""
    wanted = facts.children(state, name)
    if facts.wait_of(state, name).kind == waits.P_PID:
        wanted = tuple(facts.meant(state, name))
    ended = (child for child in wanted if facts.zombie_status(state, child) is not None)
    return next(ended, "")


def _target(state: State, pid: int) -> str:
    if pid <= 0:
        return EVERYBODY if pid == -1 else A_GROUP
    names = {name for _, name in state if name.startswith("P") and "/" not in name}
    return next((name for name in names if facts.number_of(name) == pid), str(pid))


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
