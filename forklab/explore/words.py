"""Steps and waiting in plain words."""

from __future__ import annotations

from forklab.lens.calls import groups as calls
from forklab.lens.world.chronicle import signal_name
from forklab.steps import state as facts
from forklab.steps.state import Move, State


def does(state: State, move: Move) -> str:
    """What a step is, as in "P.1 writes 'a\\n'"."""
    if move.kind == facts.TIME:
        return "time passes"
    name = move.process
    if move.kind != facts.CALL:
        waiting = _signals(state, name)
        return f"{name} gets {waiting}" if waiting else f"{name} goes on"
    return f"{name} {_deed(state, name)}"


def _signals(state: State, name: str) -> str:
    mask = facts.deliverable(state, name)
    names = [signal_name(number) for number in range(1, 65) if mask >> number - 1 & 1]
    return " and ".join(names)


def _deed(state: State, name: str) -> str:
    place = facts.place_of(state, name)
    call, detail = place.call, place.detail
    if call in calls.FORKS:
        forks = state[facts.CHILDREN, name]
        assert isinstance(forks, tuple)
        return f"forks {name}.{forks[0] + 1}"
    if call in calls.EXITS:
        return f"exits {detail[0]}"
    if call in ("write", "writev"):
        if detail[0] == "output":
            return f"writes {detail[1]!r}"
        return f"writes {detail[1]} bytes into pipe {detail[0]}"
    if call in ("read", "readv"):
        return f"reads from pipe {detail[0]}"
    if call in calls.WAITS:
        return _wait_deed(state, name)
    if call in calls.SIGNALLING:
        return f"sends {_number(detail[1])} to {_whom(state, detail[0])}"
    if call in calls.CLOSING:
        return f"closes an end of pipe {detail[0]}" if detail[0] else "closes all that is open"
    if call in calls.EXECS:
        return "executes a program"
    if call in calls.SLEEPS:
        due = isinstance(detail[0], int) and detail[0] <= _now(state)
        return "wakes up" if due else f"is woken by {_signals(state, name)}"
    if call in ("pause", "rt_sigsuspend"):
        return f"is woken in {_shown(call)}"
    return f"calls {_shown(call)}"


def _wait_deed(state: State, name: str) -> str:
    """Which child it reaps: that is the oldest one that has ended."""
    ready = [
        child
        for child in facts.children(state, name)
        if facts.zombie_status(state, child) is not None
    ]
    detail = facts.place_of(state, name).detail
    if detail[0] == calls.P_PID:
        ready = [child for child in ready if facts.number_of(child) == detail[1]]
    if ready:
        return f"reaps {ready[0]}"
    return "waits, and there is nobody to reap"


def _now(state: State) -> int:
    now = state[facts.CLOCK]
    assert isinstance(now, int)
    return now


def _number(number: object) -> str:
    return signal_name(number) if isinstance(number, int) and number else "signal 0"


def _whom(state: State, pid: object) -> str:
    assert isinstance(pid, int)
    if pid <= 0:
        return "everybody" if pid == -1 else "a process group"
    names = {name for _, name in state if name.startswith("P") and "/" not in name}
    return next((name for name in names if facts.number_of(name) == pid), f"process {pid}")


def _shown(call: str) -> str:
    return call.removeprefix("rt_").removesuffix("4").removesuffix("64")


def waits_for(state: State, name: str) -> str:
    """What it will wait for, for ever."""
    place = facts.place_of(state, name)
    call, detail = place.call, place.detail
    if place.stage == facts.STOPPED:
        return "is stopped, and nobody sends SIGCONT"
    if place.stage == facts.INSIDE:
        return f"sleeps in {_shown(call)}"
    if call in calls.WAITS:
        alive = [c for c in facts.children(state, name) if (facts.AT, c) in state]
        if detail[0] == calls.P_PID:
            alive = [child for child in alive if facts.number_of(child) == detail[1]]
        return f"waits for {' or '.join(alive)} to end"
    if call == "pause":
        return "waits for a signal, in pause"
    if call == "rt_sigsuspend":
        return "waits for a signal, in sigsuspend"
    if call == "rt_sigtimedwait":
        mask = detail[0]
        assert isinstance(mask, int)
        names = [signal_name(n) for n in range(1, 65) if mask >> n - 1 & 1]
        return f"waits for {' or '.join(names)}"
    if call in ("read", "readv", "write", "writev"):
        side, other = ("read", "write") if "read" in call else ("write", "read")
        holders = _holders(state, str(detail[0]), other)
        verb = "to write into" if side == "read" else "to read from"
        return f"waits for somebody {verb} pipe {detail[0]}; {_and(holders)} could"
    return f"is in {_shown(call)}"


def _holders(state: State, pipe: str, side: str) -> list[str]:
    found = []
    for (what, name), ends in state.items():
        if what == facts.ENDS and isinstance(ends, tuple) and (pipe, side) in ends:
            found.append(name)
    return sorted(found, key=facts.order)


def _and(names: list[str]) -> str:
    return " and ".join(names) if names else "nobody"
