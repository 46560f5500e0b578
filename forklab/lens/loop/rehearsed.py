"""A play by a schedule: somebody chooses each step, and a director's cues are steps like all others.

    as in `Scheduled`        one step at a time; a signal from outside, at any moment, can be one of them
    nobody can go on,        the play is at rest, and the director's next cue is a step: as long as the same is the
    not even soon            case, it does the same

For the explorer, the state says also how far the play has come, what its judge remembers of it, and what has become of
those who are gone: nothing that a verdict could rest on is left out. See `forklab.steps.state`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from forklab.kernel.calls import calls_in
from forklab.lens.calls import cueing
from forklab.lens.loop import ending
from forklab.lens.loop.cues import Cues
from forklab.lens.loop.loop import Loop
from forklab.lens.loop.rest import Rest, rest_of_all
from forklab.lens.loop.scheduled import Scheduled
from forklab.lens.world.chronicle import Member
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.onward import AT_ONCE, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.moves import CALL, CUE, SEND, SIGNAL, Move
from forklab.steps.state import (
    CALLED,
    HELD_EXIT,
    LAST_PID,
    SCRIPT,
    STIMULUS,
    TALE,
    Fact,
    Script,
    State,
    Stimulus,
)

_FORKS = calls_in("fork")
_MOST_WAKINGS = 400  # since something happened that others can notice
_MOST_CUES = 2_000


@dataclass(eq=False, kw_only=True)
class Rehearsed(Scheduled):
    """`memory` answers a digest of what the judge of the play remembers of it. `stimulus` may come at any moment.

    `holds_exits`: whoever is about to exit stands still there, until it is one of those who `may_exit`.
    """

    cues: Cues
    holds_exits: bool = False
    may_exit: set[Member] = field(default_factory=set)
    memory: Callable[[], str] = str
    stimulus: Stimulus | None = None
    verdict: Hashable = None
    rest: Rest | None = None
    _patience: int | None = None
    _cued: int = 0
    _remembered: str = ""
    _last_pid: int = 0
    _tales: dict[Member, str] = field(
        default_factory=dict
    )  # of those who live: what they have seen
    _effects: int = -1
    _wakings: int = 0  # before that

    def come_to_rest(self, loop: Loop, patience: int) -> Rest:
        """Takes steps until the next one is a cue; nobody is waited for who sleeps longer than `patience` (ns).

        Raises EndOfRunError if it has to be ended instead.
        """
        self.rest, self._remembered, self._patience = None, self.memory(), patience
        while self.rest is None:
            self.next(loop)
        return self.rest

    def is_over(self, loop: Loop, verdict: Hashable) -> None:
        """The director has nothing more to say: notes what is left in the end."""
        self.verdict, self._remembered = verdict, self.memory()
        with contextlib.suppress(EndOfRunError):  # it is over, whoever waits for what
            self.next(loop)

    def order(self, loop: Loop, member: Member, order: str) -> None:
        """It gets that as soon as it asks for orders."""
        self.cues.give(member, order)
        for tracee in loop.run.world.threads_of(member):
            if _waits_for_orders(tracee):
                self._listens(tracee)

    def held_exit(self, run: Run, member: Member) -> int | None:
        """With what it is about to exit, if it is held at that: before it closes what it has open."""
        if not self.holds_exits or member in self.may_exit or member in self._ledger.ending:
            return None
        threads = run.world.threads_of(member)
        statuses = (ending.exits_with(self._ledger, tracee) for tracee in threads)
        return next((status for status in statuses if status is not None), None)

    def reads_alone(self, tracee: Tracee) -> bool:
        return True

    def holds(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        if call.name != cueing.NAME:
            return super().holds(loop, tracee, call)
        if self.cues.asks(tracee, call):
            self._ledger.of(tracee).late = False
            self._listens(tracee)
            loop.run.world.let(tracee, Stand.HELD)
        else:
            super().goes_on(loop, tracee, AT_ONCE)
        return True

    def _listens(self, tracee: Tracee) -> None:
        """It waits for orders, or for its turn to hear the next one."""
        standing = self._ledger.of(tracee)
        standing.detail = tuple(self.cues.orders.get(tracee.member, ())[:1])
        standing.touches, standing.blocked = (), None

    def begins(self, loop: Loop, tracee: Tracee) -> None:
        self.cues.begins(tracee.member)
        super().begins(loop, tracee)

    def goes_on(self, loop: Loop, tracee: Tracee, onward: Onward) -> None:
        for member in (tracee.member, *tracee.member.children[-1:]):
            if self.cues.meets(member):
                self._is_born(loop, member)
        super().goes_on(loop, tracee, onward)

    def _is_born(self, loop: Loop, member: Member) -> None:
        """It and its parent know its number, which depends on who was born before."""
        self._last_pid = member.numbers[-1] if member.numbers else member.pid
        for relative in filter(None, (member, member.parent)):
            for tracee in loop.run.world.threads_of(relative):
                tracee.saw(self._last_pid)

    def state_of(self, run: Run) -> dict[Fact, Hashable]:
        state = super().state_of(run)
        state[SCRIPT] = Script(self._cued, self._remembered, self.verdict, self._patience)
        state[LAST_PID] = self._last_pid
        if self.stimulus is not None:
            state[STIMULUS] = self.stimulus
        for tracee in run.world.tracees.values():
            self._tales[tracee.member] = tracee.history
            if self.held_exit(run, tracee.member) is not None:
                state[HELD_EXIT, tracee.member.name] = True
        for member in run.chronicle.everybody:
            if called := self.cues.director.called(member):
                state[CALLED, member.name] = called
            if member.dead:
                parent = member.parent.name if member.parent and member.reaped else ""
                tale = self._tales.get(member, "")
                state[TALE, member.name] = (member.status, member.reaped, parent, tale)
        self._refuse_to_go_on_for_ever(run)
        return state

    def _refuse_to_go_on_for_ever(self, run: Run) -> None:
        if self._effects != run.chronicle.effects:
            self._effects, self._wakings = run.chronicle.effects, run.clock.jumps
        if run.clock.jumps - self._wakings > _MOST_WAKINGS:
            raise EndOfRunError("Somebody wakes up again and again, and nothing comes of it.")
        if self._cued > _MOST_CUES:
            raise EndOfRunError(f"It took more than {_MOST_CUES} cues.")

    def take(self, loop: Loop, move: Move, state: State) -> None:
        if move.kind == CUE:
            self._cued += 1
            self._they_are_in_their_calls(loop)
            self.rest = rest_of_all(loop.run)
        elif move.kind == SEND:
            assert self.stimulus is not None
            os.kill(loop.run.chronicle.first.pid, self.stimulus.signal)
            loop.run.suspects.add(loop.run.chronicle.first)
            self.stimulus = None
        else:
            self._take_of_somebody(loop, move, state)

    def _take_of_somebody(self, loop: Loop, move: Move, state: State) -> None:
        asking = (
            tracee
            for tracee in loop.run.world.tracees.values()
            if tracee.member.name == move.process and _waits_for_orders(tracee)
        )
        tracee = next(asking, None)
        if tracee is not None and move.kind == SIGNAL:
            self._interrupt(loop, tracee, move, state)
            return
        if tracee is None or tracee.call is None or move.kind != CALL:
            super().take(loop, move, state)
            return
        if self.cues.orders.get(tracee.member):
            tracee.saw(str(move.kind), self.cues.answer(tracee, tracee.call))
            super().goes_on(loop, tracee, AT_ONCE)
        else:  # a signal has come for it
            self._ledger.of(tracee).detail = ()
            self._interrupt(loop, tracee, Move(move.process, SIGNAL), state)

    def _interrupt(self, loop: Loop, tracee: Tracee, move: Move, state: State) -> None:
        """It asks again afterwards. How often it has asked it does not know, but which signals have come it will."""
        seen = tracee.seen
        super().take(loop, move, state)
        tracee.seen = seen


def _waits_for_orders(tracee: Tracee) -> bool:
    return (call := tracee.held_call) is not None and call.name == cueing.NAME
