"""Looks at a world whose processes are all held, and says in facts what is the case: `forklab.steps.state`."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterator
from signal import SIGRTMIN

from forklab.kernel.signals import CHLD, KILL, bit, numbers_in
from forklab.lens.calls import masking
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop import remembering
from forklab.lens.loop.delivery import NOTHING_TOLD, what_it_says
from forklab.lens.loop.ledger import Ledger
from forklab.lens.world.chronicle import INIT, Member
from forklab.lens.world.pipes import Pipes
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Tracee
from forklab.steps import state as facts
from forklab.steps.resources import FIFOS, queue_to
from forklab.steps.state import (
    ONE,
    OTHER,
    READ_END,
    WRITE_END,
    End,
    Fact,
    PipeContent,
    Place,
    Signals,
    Touch,
    Waiting,
)

_STAGES = {
    Stand.READY: facts.AFTER,
    Stand.HELD: facts.BEFORE,
    Stand.INSIDE: facts.INSIDE,
    Stand.STOPPED: facts.STOPPED,
    Stand.ENDED: facts.INSIDE,
}
_DOOM = Waiting(KILL, *NOTHING_TOLD)


def state_of(run: Run, ledger: Ledger) -> dict[Fact, Hashable]:
    """Everybody has to be at rest."""
    state: dict[Fact, Hashable] = {facts.CLOCK: run.clock.now}
    if run.findings.unreaped is not None:
        state[facts.ENDING] = (run.chronicle.first.status, tuple(run.findings.unreaped))
    timers: dict[Member, list[int]] = {}
    for member, deadline in run.timer_deadlines():
        timers.setdefault(member, []).append(deadline)
    pipes, channels = run.pipes, run.channels
    for tracee in list(run.world.tracees.values()):
        standing = ledger.of(tracee)
        if tracee.is_leader:
            member = tracee.member
            _describe(run, ledger, tracee, state)
            if member in timers:
                state[facts.TIMER, member.name] = tuple(sorted(timers[member]))
            if pipes.any and (member not in pipes.ends or standing.moved):
                pipes.look_at(member)
            if channels.any and (member not in channels.ends or standing.moved):
                _look_at_channels(run, member)
            if ends := (*pipes.ends.get(member, ()), *_shared_ends(run, member)):
                state[facts.ENDS, member.name] = ends
        standing.moved = False
    for member in run.chronicle.everybody:
        if member.zombie and member.parent is not None:
            name = member.name
            state[facts.LIFE, name] = ("zombie", member.status)
            state[facts.PARENT, name] = member.parent.name
            state[facts.GROUP, name] = _group(run, member)
    if pipes.any:
        _describe_pipes(run, pipes, state)
    if channels.any:
        _describe_channels(run, state)
    for resource, digest in run.resources.facts():
        state[facts.RESOURCE, resource] = digest
    for resource, value in run.semaphores.values.items():
        state[facts.RESOURCE, resource] = value
    return state


def _look_at_channels(run: Run, member: Member) -> None:
    """Whoever has a side open can change what is the case there: by its end, at the latest."""
    run.channels.look_at(member)
    touches = [Touch(end.channel, tells=True) for end in run.channels.ends_of(member)]
    run.resources.note(member.name, touches)


def _shared_ends(run: Run, member: Member) -> Iterator[End]:
    ends = run.channels.ends_of(member)
    return (end for end in ends if end.channel in run.resources.shared)


def _describe_channels(run: Run, state: dict[Fact, Hashable]) -> None:
    holders = run.channels.holders({tracee.member for tracee in run.world.tracees.values()})
    shared = run.channels.sided & run.resources.shared
    fifos = sorted(name for name in shared if name.startswith("fifo "))
    values: dict[str, Hashable] = {name: holders.get(name) for name in shared.difference(fifos)}
    if fifos:
        values[FIFOS] = tuple((name, holders[name]) for name in fifos if name in holders)
    for channel, value in values.items():
        if value:
            state[facts.HOLDERS, channel] = value
            if brought := run.channels.packets.brought_by(channel):
                state[facts.BRINGS, channel] = brought
        else:  # nobody has it open, so what was in it is no more
            for resource in (channel, *(queue_to(channel, side) for side in (ONE, OTHER))):
                run.resources.forget(resource)
            run.channels.forget(channel)


def _describe(run: Run, ledger: Ledger, tracee: Tracee, state: dict[Fact, Hashable]) -> None:
    member, name, standing = tracee.member, tracee.member.name, ledger.of(tracee)
    masks = proc.masks(member.pid, tracee.tid)
    call = tracee.call.name if tracee.call else ""
    stage = _STAGES[tracee.stand]
    detail = standing.detail if stage == facts.BEFORE else ()
    if stage in (facts.INSIDE, facts.STOPPED) and tracee.deadline is not None:
        detail = (tracee.deadline,)
    before = stage == facts.BEFORE
    state[facts.AT, name] = Place(
        stage,
        call,
        detail,
        standing.late,
        remembering.seen_by(ledger, tracee),
        standing.touches if before else (),
        standing.blocked if before else None,
    )
    flags = run.dispositions.flags_of(member, CHLD)
    state[facts.MASKS, name] = (
        Signals(masks.blocked, masks.ignored, masks.caught, flags, run.dispositions.told_of(member))
        if masks
        else Signals(0, 0, 0, 0, 0)
    )
    pending = _pending(run, tracee, masks) if masks and masks.pending else ()
    state[facts.PENDING, name] = (*pending, _DOOM) if member in ledger.doomed else pending
    if member.stop_untold or member.stopped:
        told = "untold" if member.stop_untold else "told"
        state[facts.LIFE, name] = ("stopped", told, member.stopped_by)
    else:
        state[facts.LIFE, name] = ("alive", "untold") if member.continue_untold else facts.ALIVE
    state[facts.PARENT, name] = member.parent.name if member.parent else INIT
    if member.adopts:
        state[facts.ADOPTS, name] = True
    state[facts.CHILDREN, name] = (member.forks, tuple(c.name for c in member.children))
    state[facts.GROUP, name] = _group(run, member)


def _pending(run: Run, tracee: Tracee, masks: proc.Masks) -> tuple[Waiting, ...]:
    """Those that matter: what would be dropped at once in an untraced process is not there."""
    member = tracee.member
    try:
        if tracee.stand is Stand.STOPPED:
            waiting = ptrace.pending_signals_of_stopped(tracee.tid)
        else:
            waiting = ptrace.pending_signals(tracee.tid)
    except OSError:  # it sleeps in the kernel: only the numbers can be seen
        waiting = [ptrace.SignalInfo(number, 0, 0) for number in numbers_in(masks.pending)]
        if any(i.number >= SIGRTMIN or masking.is_told(run, member, i.number) for i in waiting):
            run.because(
                f"what a signal says that waits for {member.name} in its sleep is not known"
            )
    found = []
    for info in waiting:
        wanted = bit(info.number) & masks.pending
        if wanted and (wanted & masks.blocked or not masks.harmless(info.number)):
            found.append(Waiting(info.number, *what_it_says(run, member, info)))
    # Whatever came first, the lowest number is delivered first: signal(7). The order of equal ones stays.
    return tuple(sorted(found, key=operator.attrgetter("signal")))


def _group(run: Run, member: Member) -> tuple[int, int, bool]:
    found = proc.stat(member.pid)
    if not found:
        return 0, 0, False
    group, session = int(found[2]), int(found[3])
    return _number(run, group), _number(run, session), proc.has_executed(found)


def _number(run: Run, pid: int) -> int:
    member = run.chronicle.latest(pid)
    return member.number if member else 0


def _describe_pipes(run: Run, pipes: Pipes, state: dict[Fact, Hashable]) -> None:
    living = {tracee.member for tracee in run.world.tracees.values()}
    for pipe in pipes.by_file.values():
        readers, writers = (pipes.count(pipe, side, living) for side in (READ_END, WRITE_END))
        if readers or writers:
            state[facts.PIPE, pipe.name] = PipeContent(
                pipe.content, readers, writers, frozenset(pipe.nonblocking)
            )
