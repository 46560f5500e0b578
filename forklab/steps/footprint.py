"""Which facts a step can depend on or change: its footprint.

Two steps with no fact in common commute: whichever comes first, the same state comes of them. And a step does the same
wherever all facts of its footprint are the same. Both ways to explore fewer schedules than there are rest on this, so a
footprint may be too large but never too small: whoever sees a step change a fact outside of it has found a bug, or
something that is not modelled (`forklab.explore.learned` looks at each real step).
"""

from __future__ import annotations

from collections.abc import Iterator

from forklab.lens.calls import groups as calls
from forklab.steps import state as facts
from forklab.steps.state import Fact, Move, State

_STOPPING = frozenset({18, 19, 20, 21, 22})  # SIGCONT and the signals that stop


def footprint(state: State, move: Move) -> frozenset[Fact]:
    """Also facts that are not there yet; but what a fork brings into the world is not among them."""
    if move.kind == facts.TIME:
        return frozenset(fact for fact in state if fact[0] != facts.PRIOR) | {facts.ENDING}
    wanted = set(_own(move.process))
    if move.kind == facts.CALL:
        wanted.update(_of_call(state, move.process))
    if _ends(state, move):
        wanted.update(_of_death(state, move.process))
    if facts.may_stop(state, move.process):
        wanted.update(_of_signal(state, move.process, facts.STOP))
    return frozenset(wanted)


def _ends(state: State, move: Move) -> bool:
    place = facts.place_of(state, move.process)
    exits = move.kind == facts.CALL and place.call in calls.EXITS
    breaks = move.kind == facts.CALL and facts.would_break_pipe(state, move.process)
    return exits or breaks or facts.may_be_fatal(state, move.process)


def _own(name: str) -> Iterator[Fact]:
    for what in (facts.AT, facts.PENDING, facts.MASKS, facts.ENDS, facts.TIMER):
        yield what, name
    yield facts.CLOCK


def _pipes(state: State, name: str) -> Iterator[Fact]:
    ends = state.get((facts.ENDS, name), ())
    assert isinstance(ends, tuple)
    for pipe, _ in ends:
        yield facts.PIPE, pipe


def _of_call(state: State, name: str) -> Iterator[Fact]:
    place = facts.place_of(state, name)
    call, detail = place.call, place.detail
    if call in calls.FORKS:
        yield facts.CHILDREN, name
        yield facts.GROUP, name
        yield from _pipes(state, name)
    elif call in calls.EXECS:
        yield from _pipes(state, name)
        yield from _parent_in_vfork(state, name)
    elif call in calls.WAITS:
        yield facts.CHILDREN, name
        for child in facts.children(state, name):
            yield from _tale_of(child)
    elif call == "getppid":
        yield facts.PARENT, name
    elif call in calls.SIGNALLING:
        for target in _targets(state, name, detail):
            yield from _of_signal(state, target, detail[1])
            yield facts.GROUP, target
            if target == name:  # it may be the end of itself
                yield from _of_death(state, name)
    elif call in ("setpgid", "setsid"):
        for other in facts.alive(state):
            yield facts.GROUP, other
    elif call in ("read", "readv", "write", "writev") and detail[0] != "output":
        assert isinstance(detail[0], str)
        yield facts.PIPE, detail[0]
    elif call in calls.CLOSING:
        yield from _pipes(state, name)


def _tale_of(name: str) -> Iterator[Fact]:
    """What its parent learns of it by waiting, and all that is left of it then."""
    yield facts.LIFE, name
    yield facts.PARENT, name
    yield facts.GROUP, name


def _of_death(state: State, name: str) -> Iterator[Fact]:
    yield facts.CHILDREN, name
    yield from _tale_of(name)
    for child in facts.children(state, name):
        yield from _tale_of(child)
    parent = state[facts.PARENT, name]
    assert isinstance(parent, str)
    for what in (facts.LIFE, facts.MASKS, facts.PENDING, facts.CHILDREN):
        yield what, parent
    if facts.children(state, name):  # one of its ancestors may be the one that adopts them
        yield from _of_adopters(state, parent)
    yield from _parent_in_vfork(state, name)
    yield from _pipes(state, name)
    if name == "P":  # who is a zombie now?
        yield facts.ENDING
        yield from (fact for fact in state if fact[0] == facts.LIFE)


def _of_adopters(state: State, name: str) -> Iterator[Fact]:
    while (facts.PARENT, name) in state:
        for what in (facts.LIFE, facts.MASKS, facts.PENDING, facts.CHILDREN):
            yield what, name
        parent = state[facts.PARENT, name]
        assert isinstance(parent, str)
        name = parent


def _parent_in_vfork(state: State, name: str) -> Iterator[Fact]:
    """vfork(2): the parent goes on when its child has executed a program or ended."""
    parent = state[facts.PARENT, name]
    assert isinstance(parent, str)
    if (facts.AT, parent) in state:
        place = facts.place_of(state, parent)
        if place.stage == facts.INSIDE and place.call in calls.FORKS:
            yield from _own(parent)


def _of_signal(state: State, target: str, number: object) -> Iterator[Fact]:
    for what in (facts.LIFE, facts.MASKS, facts.PENDING):
        yield what, target
    if (facts.AT, target) not in state:
        return
    place = facts.place_of(state, target)
    if number in _STOPPING or place.stage in (facts.INSIDE, facts.STOPPED):
        yield from _own(target)
        parent = state[facts.PARENT, target]
        assert isinstance(parent, str)
        for what in (facts.LIFE, facts.MASKS, facts.PENDING):
            yield what, parent
        if place.stage in (facts.INSIDE, facts.STOPPED):  # what was pending may end it now
            yield from _of_death(state, target)


def _targets(state: State, name: str, detail: tuple[object, ...]) -> list[str]:
    """Whom kill(2) may reach; everybody if it names a group, as who belongs to it may change."""
    pid = detail[0]
    everybody = facts.alive(state)
    if isinstance(pid, int) and pid > 0:
        zombies = [other for what, other in state if what == facts.LIFE]
        return [other for other in zombies if facts.number_of(other) == pid]
    return everybody
