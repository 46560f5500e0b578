"""Steps and waiting in plain words, for people who read. Nothing is ever read back from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forklab.counted import counted
from forklab.kernel import waits
from forklab.kernel.calls import calls_in, spoken_name
from forklab.kernel.signals import numbers_in, signal_name
from forklab.steps import state as facts
from forklab.steps.deeds import A_GROUP, EVERYBODY, Deed, DeedKind
from forklab.steps.resources import channel_of, is_channel, semaphore_in
from forklab.steps.state import LOOP, State

_WAITS, _CLOCKS = calls_in("wait"), calls_in("clock")


def sentence(deed: Deed) -> str:
    """ "P.1 writes 'a\\n'" """
    match deed.kind:
        case DeedKind.TIME:
            return "time passes"
        case DeedKind.CUE:
            return "nobody can go on: the script does"
        case DeedKind.COME:
            return f"{sent(deed).replace(' to ', ' comes to ')} from outside"
    return f"{deed.process} {predicate(deed)}"


def predicate(deed: Deed) -> str:
    """The same without its subject: "writes 'a\\n'"."""
    match deed.kind:
        case DeedKind.FORK:
            return f"forks {deed.child}"
        case DeedKind.EXEC:
            return "executes a program"
        case DeedKind.EXIT:
            collected = f", and the kernel collects it: {deed.unwanted_by} wants no zombies"
            how = (
                f"exits {deed.status}"
                if deed.status >= 0
                else f"dies by {signal_name(-deed.status)}"
            )
            return f"{how}{collected if deed.unwanted_by else ''}"
        case DeedKind.WRITE:
            return f"writes {deed.text!r}"
        case DeedKind.PUT:
            return f"writes {counted(deed.size, 'byte')} into pipe {deed.pipe}"
        case DeedKind.READ:
            return f"reads from pipe {deed.pipe}"
        case DeedKind.CLOSE:
            return f"closes an end of pipe {deed.pipe}" if deed.pipe else "closes all that is open"
        case DeedKind.END:
            return deed.text
        case DeedKind.REAP:
            return f"reaps {deed.child}"
        case DeedKind.WAIT:
            return "waits, and there is nobody to reap"
        case DeedKind.SEND:
            return f"sends {sent(deed)}"
        case DeedKind.SIGNAL:
            return f"gets {_names(deed.signals)}"
        case DeedKind.WAKE:
            return f"is woken by {_names(deed.signals)}" if deed.signals else "wakes up"
        case DeedKind.SUSPENDED:
            return f"is woken in {spoken_name(deed.call)}"
        case DeedKind.CALL:
            about = f" of {deed.semaphore}" if deed.semaphore else ""
            return f"calls {spoken_name(deed.call)}{about}"
        case DeedKind.GO_ON:
            return "goes on"
        case DeedKind.HEAR:
            return f"is told to {deed.text}" if deed.text else "goes on"
        case DeedKind.TIME | DeedKind.CUE | DeedKind.COME:
            return "passes"


def sent(deed: Deed) -> str:
    """Of a signal that is sent: "SIGTERM to P.1"."""
    (number,) = deed.signals
    return f"{signal_name(number) if number else 'signal 0'} to {_whom(deed.target)}"


def _whom(target: str) -> str:
    if target == EVERYBODY:
        return "everybody"
    if target == A_GROUP:
        return "a process group"
    return f"process {target}" if target.isdecimal() else target


def _names(signals: Iterable[int]) -> str:
    return " and ".join(map(signal_name, signals))


def waits_for(state: State, name: str) -> str:
    """What it will wait for, for ever."""
    place = facts.place_of(state, name)
    call, detail = place.call, place.detail
    if place.stage == facts.STOPPED:
        return "is stopped, and nobody sends SIGCONT"
    if place.stage == facts.INSIDE:
        return f"sleeps in {spoken_name(call)}"
    if call in _WAITS:
        mine: Sequence[str] = facts.children(state, name)
        if facts.wait_of(state, name).kind == waits.P_PID:
            mine = facts.meant(state, name)
        alive = [child for child in mine if (facts.AT, child) in state]
        return f"waits for {' or '.join(alive)} to end"
    if call == LOOP or call in _CLOCKS:
        return "computes in a loop that only a signal ends"
    if call == "pause":
        return "waits for a signal, in pause"
    if call == "rt_sigsuspend":
        return "waits for a signal, in sigsuspend"
    if call == "rt_sigtimedwait":
        mask = detail[0]
        assert isinstance(mask, int)
        return f"waits for {' or '.join(map(signal_name, numbers_in(mask)))}"
    if place.reads_from_pipe or place.writes_to_pipe:
        side, other = ("read", "write") if place.reads_from_pipe else ("write", "read")
        holders = _holders(state, str(detail[0]), other)
        verb = "to write into" if side == "read" else "to read from"
        return f"waits for somebody {verb} pipe {detail[0]}; {_and(holders)} could"
    if place.at_semaphore is not None:
        semaphores = [semaphore_in(touch) for touch in place.touches]
        return f"waits in {call} until somebody posts {_and(semaphores)}"
    channels = [channel_of(touch.resource) for touch in place.touches if is_channel(touch.resource)]
    if any(channel.startswith("pending ") for channel in channels):
        return f"waits in {spoken_name(call)} for a signal"
    if channels:
        return f"waits in {spoken_name(call)} for what others do to {_and(channels)}"
    return f"is in {spoken_name(call)}"


def _holders(state: State, pipe: str, side: str) -> list[str]:
    found = []
    for (what, name), ends in state.items():
        if what == facts.ENDS and isinstance(ends, tuple) and (pipe, side) in ends:
            found.append(name)
    return sorted(found, key=facts.order)


def _and(names: list[str]) -> str:
    return " and ".join(names) if names else "nobody"
