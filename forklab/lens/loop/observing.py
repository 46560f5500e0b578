"""Looks at a world whose processes are all held, and says in facts what is the case: `forklab.steps.state`."""

from __future__ import annotations

import os
import signal
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forklab.lens.edge import proc, ptrace
from forklab.lens.world.chronicle import INIT, Member
from forklab.lens.world.surroundings import File, identity
from forklab.lens.world.tracee import Pipe, Stand, Tracee
from forklab.steps import state as facts
from forklab.steps.state import Fact, Place, Signals

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_STAGES = {
    Stand.READY: facts.AFTER,
    Stand.HELD: facts.BEFORE,
    Stand.INSIDE: facts.INSIDE,
    Stand.STOPPED: facts.STOPPED,
    Stand.ENDED: facts.INSIDE,
}
SA_SIGINFO = 4
_KILL = (facts.KILL, 0, "")


@dataclass
class Pipes:
    """All pipes of a program, and who has which ends open."""

    by_file: dict[File, Pipe] = field(default_factory=dict)
    ends: dict[Member, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    made: dict[Member, int] = field(default_factory=dict)
    any: bool = False  # until then nobody needs to look

    def find(self, tid: int, descriptor: int) -> Pipe | None:
        file = identity(f"/proc/{tid}/fd/{descriptor}")
        return self.by_file.get(file) if file else None

    def look_at(self, member: Member, outputs: frozenset[File]) -> None:
        """It has run: which ends has it open now?"""
        found = set()  # two descriptors of one end are as good as one
        folder = f"/proc/{member.pid}/fd"
        try:
            descriptors = sorted(map(int, os.listdir(folder)))
        except OSError:
            return
        for descriptor in descriptors:
            path = f"{folder}/{descriptor}"
            try:
                target = os.readlink(path)
            except OSError:
                continue
            file = identity(path) if target.startswith("pipe:") else None
            if file is None or file in outputs:
                continue
            pipe = self.by_file.get(file)
            if pipe is None:
                self.made[member] = self.made.get(member, 0) + 1
                pipe = self.by_file[file] = Pipe(f"{member.name}/{self.made[member]}")
            reads = os.lstat(path).st_mode & 0o400  # of the link: how it was opened
            found.add((pipe.name, "read" if reads else "write"))
        self.ends[member] = tuple(sorted(found))


def state_of(world: World, pipes: Pipes) -> dict[Fact, Hashable]:
    """Everybody has to be at rest."""
    state: dict[Fact, Hashable] = {facts.CLOCK: world.clock.now}
    if world.outcome.unreaped is not None:
        state[facts.ENDING] = (world.chronicle.first.status, tuple(world.outcome.unreaped))
    timers: dict[Member, list[int]] = {}
    for (member, _), timer in world.timers.items():
        if timer.deadline is not None:
            timers.setdefault(member, []).append(timer.deadline)
    for tracee in list(world.tracees.values()):
        if tracee.is_leader:
            _describe(world, tracee, state, tuple(sorted(timers.get(tracee.member, ()))))
            if pipes.any:
                if tracee.member not in pipes.ends or tracee.moved:
                    pipes.look_at(tracee.member, world.surroundings.outputs)
                if ends := pipes.ends.get(tracee.member):
                    state[facts.ENDS, tracee.member.name] = ends
        tracee.moved = False
    for member in world.chronicle.everybody:
        if member.zombie and member.parent is not None:
            name = member.name
            state[facts.LIFE, name] = ("zombie", member.status)
            state[facts.PARENT, name] = member.parent.name
            state[facts.GROUP, name] = _group(world, member)
    if pipes.any:
        _describe_pipes(world, pipes, state)
    return state


def _describe(
    world: World, tracee: Tracee, state: dict[Fact, Hashable], timers: tuple[int, ...]
) -> None:
    member, name = tracee.member, tracee.member.name
    masks = proc.masks(member.pid, tracee.tid)
    call = tracee.call.name if tracee.call else ""
    stage = _STAGES[tracee.stand]
    detail = tracee.detail if stage == facts.BEFORE else ()
    if stage in (facts.INSIDE, facts.STOPPED) and tracee.deadline is not None:
        detail = (tracee.deadline,)
    state[facts.AT, name] = Place(stage, call, detail, tracee.late, tracee.seen)
    flags = member.flags.get(signal.SIGCHLD, 0)
    state[facts.MASKS, name] = (
        Signals(masks.blocked, masks.ignored, masks.caught, flags) if masks else Signals(0, 0, 0, 0)
    )
    pending = _pending(world, tracee, masks) if masks and masks.pending else ()
    state[facts.PENDING, name] = (*pending, _KILL) if member.doomed else pending
    if member.stop_untold or member.stopped:
        state[facts.LIFE, name] = ("stopped", "untold" if member.stop_untold else "told")
    else:
        state[facts.LIFE, name] = ("alive", "untold") if member.continue_untold else facts.ALIVE
    state[facts.PARENT, name] = member.parent.name if member.parent else INIT
    state[facts.CHILDREN, name] = (member.forks, tuple(c.name for c in member.children))
    state[facts.GROUP, name] = _group(world, member)
    if timers:
        state[facts.TIMER, name] = timers


def _pending(world: World, tracee: Tracee, masks: proc.Masks) -> tuple[tuple[int, int, str], ...]:
    """Those that matter: what would be dropped at once in an untraced process is not there."""
    try:
        waiting = ptrace.pending_signals(tracee.tid)
    except OSError:  # it sleeps in the kernel
        waiting = []
    found = []
    for told in waiting:
        bit = 1 << told.number - 1
        if bit & masks.pending and (bit & masks.blocked or not masks.harmless(told.number)):
            found.append((told.number, *what_is_told(world, tracee.member, told)))
    return tuple(found)


def what_is_told(world: World, member: Member, told: ptrace.SignalInfo) -> tuple[int, str]:
    """Code and sender of a signal, if the process can learn of them: by SA_SIGINFO or sigwaitinfo(2)."""
    if not member.flags.get(told.number, 0) & SA_SIGINFO:
        return 0, ""
    sender = world.chronicle.latest(told.sender) if told.sender else None
    return told.code, sender.name if sender else ""


def _group(world: World, member: Member) -> tuple[int, int]:
    found = proc.stat(member.pid)
    if not found:
        return 0, 0
    group, session = int(found[2]), int(found[3])
    return _number(world, group), _number(world, session)


def _number(world: World, pid: int) -> int:
    member = world.chronicle.latest(pid)
    return member.number if member else 0


def _describe_pipes(world: World, pipes: Pipes, state: dict[Fact, Hashable]) -> None:
    living = {tracee.member for tracee in world.tracees.values()}
    ends = [end for member in living for end in pipes.ends.get(member, ())]
    for pipe in pipes.by_file.values():
        readers, writers = ends.count((pipe.name, "read")), ends.count((pipe.name, "write"))
        if readers or writers:
            state[facts.PIPE, pipe.name] = (pipe.content, readers, writers)
