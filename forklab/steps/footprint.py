"""Which facts a step can depend on or change: its footprint.

Two steps with no fact in common commute: whichever comes first, the same state comes of them. And a step does the same
wherever all facts of its footprint are the same. Both ways to explore fewer schedules than there are rest on this, so a
footprint may be too large but never too small: whoever sees a step change a fact outside of it has found a bug, or
something that is not modelled (`forklab.explore.learned` looks at each real step).
"""

from __future__ import annotations

from collections.abc import Iterator

from forklab.kernel.calls import calls_in
from forklab.kernel.signals import CHLD, CONT, JOB_CONTROL, STOP
from forklab.steps import state as facts
from forklab.steps.moves import CALL, CUE, SEND, TIME, Move
from forklab.steps.pending import may_be_fatal, may_stop
from forklab.steps.resources import FIFOS, facts_about, is_held, queue_to, would_break_pipe
from forklab.steps.state import Fact, State

_FORKS, _EXECS, _EXITS = calls_in("fork"), calls_in("exec"), calls_in("exit")
_WAITS, _SIGNALLING, _CLOSING = calls_in("wait"), calls_in("signal"), calls_in("close")
_OPENS = calls_in("open")
_OF_FLAGS = frozenset({"fcntl", "ioctl"})


def footprint(state: State, move: Move) -> frozenset[Fact]:
    """Also facts that are not there yet; but what a fork brings into the world is not among them."""
    if move.kind in (TIME, CUE):
        return frozenset(fact for fact in state if fact[0] != facts.PRIOR) | {facts.ENDING}
    if move.kind == SEND:
        return _of_stimulus(state)
    wanted = set(_own(move.process))
    if move.kind == CALL:
        wanted.update(_of_call(state, move.process))
    if _ends(state, move):
        wanted.update(_of_death(state, move.process))
    if may_stop(state, move.process):
        wanted.update(_of_signal(state, move.process, STOP))
    if facts.SCRIPT in state:
        wanted.update(_of_play(state, move, wanted))
    return frozenset(wanted)


def _of_play(state: State, move: Move, touched: set[Fact]) -> Iterator[Fact]:
    """What is kept of the dead, and which pid is next; and PID 1 takes everybody along."""
    yield from [(facts.TALE, name) for what, name in touched if what == facts.LIFE]
    yield facts.TALE, move.process
    yield facts.HELD_EXIT, move.process
    yield facts.CALLED, move.process
    if move.kind == CALL and facts.place_of(state, move.process).call in _EXECS:
        yield from (fact for fact in state if fact[0] == facts.CALLED)  # by how many before it
    if move.kind == CALL and facts.place_of(state, move.process).call in _FORKS:
        yield facts.LAST_PID
        yield from _of_signal(state, move.process, STOP)  # its director may freeze it there
    if move.process == "P" and _ends(state, move):
        yield from (fact for fact in state if fact[0] != facts.PRIOR)
        yield from ((facts.TALE, name) for what, name in state if what == facts.LIFE)
        yield facts.ENDING


def _of_stimulus(state: State) -> frozenset[Fact]:
    stimulus = facts.stimulus_of(state)
    assert stimulus is not None
    touched = {facts.STIMULUS, *_own("P"), *_of_signal(state, "P", stimulus.signal)}
    return frozenset(touched | {(facts.TALE, name) for what, name in touched if what == facts.LIFE})


def _ends(state: State, move: Move) -> bool:
    place = facts.place_of(state, move.process)
    exits = move.kind == CALL and place.call in _EXITS
    breaks = move.kind == CALL and would_break_pipe(state, move.process)
    return exits or breaks or may_be_fatal(state, move.process)


def _own(name: str) -> Iterator[Fact]:
    for what in (facts.AT, facts.PENDING, facts.MASKS, facts.ENDS, facts.TIMER, facts.ADOPTS):
        yield what, name
    yield facts.CLOCK


def _what_is_open(state: State, name: str) -> Iterator[Fact]:
    """The pipes and channels of which it has an end, and those of which messages in these have one, to be lost.

    What is in a channel is lost with its last holder only: else nobody needs to know it.
    """
    ends = state.get((facts.ENDS, name), ())
    assert isinstance(ends, tuple)
    for end in ends:
        if not isinstance(end, facts.End):
            yield facts.PIPE, end[0]
            continue
        channel = end.channel
        holders, brought = (
            state.get((facts.HOLDERS, channel)),
            state.get((facts.BRINGS, channel), ()),
        )
        assert isinstance(brought, tuple)
        yield facts.HOLDERS, channel
        yield facts.BRINGS, channel
        mine = sum(isinstance(one, facts.End) and one.channel == channel for one in ends)
        may_be_last = not isinstance(holders, facts.Holders) or holders.one + holders.other <= mine
        for whose in (*([channel] if may_be_last else []), *brought):
            for side in (facts.ONE, facts.OTHER):
                yield from facts_about(queue_to(whose, side))


def _of_call(state: State, name: str) -> Iterator[Fact]:
    place = facts.place_of(state, name)
    call, detail = place.call, place.detail
    for touch in place.touches:
        yield from facts_about(touch.resource)
        if touch.resource.startswith("pending "):  # they tell how a child has ended
            yield from ((facts.LIFE, child) for child in facts.children(state, name))
            yield facts.CHILDREN, name
    if call in _FORKS:
        yield facts.CHILDREN, name
        yield facts.GROUP, name
        yield from _what_is_open(state, name)
    elif call in _OPENS and any(touch.resource == FIFOS for touch in place.touches):
        yield from _who_waits_in_open(state)
    elif call in _EXECS:
        yield facts.GROUP, name
        yield from _what_is_open(state, name)
        yield from _held_resources(state)
        yield from _parent_in_vfork(state, name)
    elif call in _WAITS:
        yield facts.CHILDREN, name
        for child in facts.children(state, name):
            yield from _tale_of(child)
    elif call == "getppid":
        yield facts.PARENT, name
    elif call in _SIGNALLING:
        sent = facts.sent_of(state, name)
        for target in _targets(state, sent.pid):
            yield from _of_signal(state, target, sent.signal)
            yield facts.GROUP, target
            if target == name:  # it may be the end of itself
                yield from _of_death(state, name)
    elif call in ("setpgid", "setsid", "getpgid", "getpgrp", "getsid"):
        yield from (fact for fact in state if fact[0] == facts.GROUP)  # of zombies too
    elif place.reads_from_pipe or place.writes_to_pipe or (call in _OF_FLAGS and detail):
        assert isinstance(detail[0], str)
        yield facts.PIPE, detail[0]
    elif detail[:1] == (facts.MOMENT,):
        yield from _what_is_open(state, name)
        yield from _parent_in_vfork(state, name)
    elif call in _CLOSING:
        yield from _what_is_open(state, name)
    elif call == "ioctl" or any(touch.resource == facts.KEYS for touch in place.touches):
        # Of a terminal: it asks for groups, and who is in none of the foreground is stopped, with all of its group.
        yield from (fact for fact in state if fact[0] != facts.PRIOR)


def signals_sent(state: State, move: Move) -> Iterator[tuple[str, int]]:
    """To whom this step sends which signal, by kill(2) to one process or by its end; or from outside."""
    if move.kind == SEND and (stimulus := facts.stimulus_of(state)):
        yield "P", stimulus.signal
    if move.kind != CALL:
        return
    call = facts.place_of(state, move.process).call
    if call in _SIGNALLING:
        sent = facts.sent_of(state, move.process)
        if sent.pid > 0 and sent.signal:
            yield from ((target, sent.signal) for target in _targets(state, sent.pid))
    elif call in _EXITS:
        yield facts.parent_of(state, move.process), CHLD


def _who_waits_in_open(state: State) -> Iterator[Fact]:
    """For somebody at the other side of a FIFO, who may be there now."""
    for name in facts.alive(state):
        place = facts.place_of(state, name)
        if place.stage in (facts.INSIDE, facts.STOPPED) and place.call in _OPENS:
            yield from _own(name)


def _held_resources(state: State) -> Iterator[Fact]:
    return (fact for fact in state if fact[0] == facts.RESOURCE and is_held(fact[1]))


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
        life = state.get((facts.LIFE, child))
        if isinstance(life, tuple) and life[0] == "stopped":  # SIGHUP and SIGCONT: setpgid(2)
            yield from _of_signal(state, child, CONT)
    parent = facts.parent_of(state, name)
    for what in (facts.LIFE, facts.MASKS, facts.PENDING, facts.CHILDREN):
        yield what, parent
    if facts.children(state, name):  # one of its ancestors may be the one that adopts them
        yield from _of_adopters(state, parent)
    yield from _parent_in_vfork(state, name)
    yield from _what_is_open(state, name)
    yield from _held_resources(state)
    if name == "P":  # who is a zombie now?
        yield facts.ENDING
        yield from (fact for fact in state if fact[0] == facts.LIFE)


def _of_adopters(state: State, name: str) -> Iterator[Fact]:
    while (facts.PARENT, name) in state:
        for what in (facts.LIFE, facts.MASKS, facts.PENDING, facts.CHILDREN, facts.ADOPTS):
            yield what, name
        name = facts.parent_of(state, name)


def _parent_in_vfork(state: State, name: str) -> Iterator[Fact]:
    """vfork(2): the parent goes on when its child has executed a program or ended."""
    parent = facts.parent_of(state, name)
    if (facts.AT, parent) in state:
        place = facts.place_of(state, parent)
        if place.stage == facts.INSIDE and place.call in _FORKS:
            yield from _own(parent)


def _of_signal(state: State, target: str, number: int) -> Iterator[Fact]:
    for what in (facts.LIFE, facts.MASKS, facts.PENDING):
        yield what, target
    if (facts.AT, target) not in state:
        return
    place = facts.place_of(state, target)
    if number in JOB_CONTROL or place.stage in (facts.INSIDE, facts.STOPPED):
        yield from _own(target)
        parent = facts.parent_of(state, target)
        for what in (facts.LIFE, facts.MASKS, facts.PENDING):
            yield what, parent
        if place.stage in (facts.INSIDE, facts.STOPPED):  # what was pending may end it now
            yield from _of_death(state, target)


def _targets(state: State, pid: int) -> list[str]:
    """Whom kill(2) may reach, zombies too; everybody if it names a group, as who belongs to it may change."""
    everybody = [name for what, name in state if what == facts.LIFE]
    if pid > 0:
        return [name for name in everybody if facts.number_of(name) == pid]
    return everybody
