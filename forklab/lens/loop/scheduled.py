"""A schedule says who is next: each step is chosen by somebody who sees all that are possible.

It follows its moves, and afterwards always takes the first step that is offered, unless that is one process's only for
long. What was the case before each step,
what was possible and what was done is kept: `Taken`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.counted import counted
from forklab.kernel.calls import CALLS, Concern, calls_in
from forklab.lens.calls import (
    chancing,
    changing,
    guarding,
    hiding,
    masking,
    twisting,
    varying,
    waiting,
)
from forklab.lens.edge import proc, vdso
from forklab.lens.edge.callsite import call_site
from forklab.lens.edge.seccomp import Stops
from forklab.lens.loop import (
    attempts,
    ending,
    holding,
    killing,
    letting,
    listening,
    passing,
    remembering,
    spinning,
    stepping,
    trapping,
    watching,
)
from forklab.lens.loop.holding import Hold
from forklab.lens.loop.ledger import Ledger
from forklab.lens.loop.loop import Loop
from forklab.lens.loop.observing import state_of
from forklab.lens.loop.watching import CLOCKS
from forklab.lens.world.clock import MONOTONIC, REALTIME
from forklab.lens.world.dials import Dial
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.onward import Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Seen, Tracee
from forklab.runnable import is_python
from forklab.steps.chance import Kind
from forklab.steps.moves import TIME, Move, moves
from forklab.steps.pending import deliverable
from forklab.steps.schedule import Schedule
from forklab.steps.state import PENDING, Fact, State

_PRIVATE = frozenset(name for name, call in CALLS.items() if call.concerns == {Concern.PRIVATE})
# A handler that returns ends what its signal has begun, and that was noticed. Of pipes, sockets ... we have to know.
ALL_THAT_MATTER = Stops(
    (_PRIVATE | {"rt_sigreturn"})
    - calls_in("pipe", "socket", "socketpair", "eventfd")
    - {"mprotect"},
    all_but=True,
)
_FORKS, _SLEEPS, _WAITS = calls_in("fork"), calls_in("sleep"), calls_in("wait")
_MOST_READINGS = 10_000  # of the clock, by one who is alone
_PATIENCE = 200  # steps of one process in a row: then it is another one's turn
_WAKING = frozenset({Stand.INSIDE})  # who is held wakes when it is chosen


class Taken(NamedTuple):
    """A moment and the step that was taken there: `changes` and `output` are what the step before has brought about.

    `changes` has None for a fact that is no more. The last one of a run has no `move`: it is what was left at the end.
    """

    changes: dict[Fact, Hashable]
    offered: tuple[Move, ...]
    move: Move | None
    output: str


class WrongScheduleError(EndOfRunError):
    """The schedule wants a step that is not possible."""


@dataclass(eq=False)
class Scheduled:
    """`stuck`: everybody who was left waited for ever."""

    schedule: Schedule
    taken: list[Taken] = field(default_factory=list)
    stuck: bool = False
    _ledger: Ledger = field(default_factory=Ledger)
    _known: dict[Fact, Hashable] = field(default_factory=dict)
    _written: int = 0
    _shown: tuple[int, ...] = ()  # what the first process reads without asking

    @property
    def stops(self) -> Stops:
        return remembering.STOPS if self.schedule.by_memory else ALL_THAT_MATTER

    def begins(self, loop: Loop, tracee: Tracee) -> None:
        chance = loop.run.chance
        if not (chance and chance.has(Kind.ADDRESSES)):
            vdso.fix_chance(tracee.tid)
        self.takes_its_clock(loop, tracee)
        tracee.seen = (tracee.seen or Seen())._replace(start=None)
        tracee.twisters = ()
        self._ledger.by_memory = self.schedule.by_memory
        self._ledger.filters = max(self._ledger.filters, proc.filters(tracee.tid))
        trapping.begins(tracee)
        loop.run.pipes.outputs = loop.run.surroundings.outputs
        loop.run.resources.shared = self.schedule.grain.shared

    def takes_its_clock(self, loop: Loop, tracee: Tracee) -> None:
        """At its first instruction: each reading of the clock is to be a stop. But for who `reads_alone`.

        Until it forks there is nobody for whom a reading could be a moment to act. Time stands still for it, and once
        it does not, or when it has read it so often that it may wait for that, it has to ask.
        """
        first = loop.run.chronicle.first
        is_alone = tracee.member is first and not first.forks
        if not is_alone or not self.reads_alone(tracee):
            vdso.hide(tracee.tid)
            return
        face = vdso.lay_ours(tracee.tid)
        if face is None:
            return
        tracee.dial = Dial(face)
        tracee.dial.set(tracee.tid, loop.run.clock, step=0, readings=_MOST_READINGS)
        self._shown = _times(loop.run)

    def reads_alone(self, tracee: Tracee) -> bool:
        """Whether it may read a clock of ours as long as it is alone: Python does so for each lock that it takes.

        How often it has done so is in its memory then. In other worlds clocks go on a little meanwhile.
        """
        if self.schedule.by_memory or self.schedule.chance is not None:
            return False
        return is_python(proc.program(tracee.member.pid))

    def holds(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        """Before each call that others could notice, until it is chosen."""
        if call.name in _FORKS:
            _has_to_ask_for_the_time(tracee)
        whole = tracee.functions.whole
        if whole is not None and trapping.calls_within(loop, self._ledger, tracee, call, whole):
            return True
        guarding.notice(loop.run, tracee, call)
        twisting.check(loop.run, tracee)
        if call.name in CLOCKS:
            return self._reads_clock(loop, tracee, call)
        self._ledger.of(tracee).readings = 0
        if call.name in _SLEEPS:
            return False
        if remembering.evens_out(loop.run, self._ledger, tracee, call):
            return True
        known = len(loop.run.findings.reasons)
        is_held = self._is_held(loop, tracee, call)
        _say_where(loop, tracee, known)
        if not is_held:
            remembering.note(self._ledger, tracee, call)
            if varying.concerns(loop.run, tracee, call):
                self._ledger.of(tracee).blurs = True
                letting.go(loop.run, tracee, to_exit=True)
                return True
        return is_held

    def _reads_clock(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        known = len(loop.run.findings.reasons)
        is_done = watching.holds(loop, self._ledger, tracee, call)
        _say_where(loop, tracee, known)
        if self._ledger.of(tracee).waits_at_clock:
            loop.run.clock.pace = 0  # the moment for which it waits is to be exact
            self._hold(loop, tracee, Hold((tracee.deadline,)))
        return is_done

    def _is_held(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        standing = self._ledger.of(tracee)
        tracee.may_sleep = True
        if stepping.opens_again(loop, tracee, call):
            return True
        if standing.makes_it_next:
            stepping.comes_back(standing, tracee)
            stepping.make_call(loop, self._ledger, tracee, call, again=True)
            return True
        if self._is_at_a_moment(loop, tracee, call):
            return True
        ending.notice_what_stays(loop.run, self._ledger, tracee, call)
        hold = holding.hold(loop.run, tracee, call)
        if hold is None:
            standing.detail, standing.touches = Hold()
            changing.remember(loop.run, tracee, call)
            return False
        self._hold(loop, tracee, hold)
        if call.name in _WAITS and not waiting.can_return(tracee):
            waiting.announce(loop.run, tracee, call)
        return True

    def _is_at_a_moment(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        """Whether it makes a call of ours on the way to its end, and is held before that; or made it at once."""
        run, standing = loop.run, self._ledger.of(tracee)
        if call.name in ending.EXITS and (
            moments := ending.moments_before(run, self._ledger, tracee)
        ):
            ending.begin(self._ledger, tracee, moments)
            assert tracee.call is not None
            call = tracee.call
        if not ending.is_at_a_moment(standing, call):
            return False
        hold = Hold(ending.detail_of(call), ending.touched_by(run, tracee, call))
        self._hold(loop, tracee, hold)
        if standing.is_led:
            standing.is_led = False
            stepping.make_call(loop, self._ledger, tracee, call, again=True)
        return True

    def goes_on(self, loop: Loop, tracee: Tracee, onward: Onward) -> None:
        run, to_exit, with_signal = loop.run, onward.to_exit, onward.with_signal
        if tracee.dial is not None and self._shown != _times(run):
            _has_to_ask_for_the_time(tracee)
        standing = self._ledger.of(tracee)
        doomed = tracee.member in self._ledger.doomed
        if with_signal and killing.leads(run, self._ledger, tracee, with_signal):
            return
        if with_signal:
            changing.remember_core(run, tracee, with_signal)
        if onward.turn is Turn.HELD:
            self._hold(loop, tracee, Hold((tracee.deadline,)))
        elif onward.turn is Turn.IN_TURN and doomed:
            killing.kill(run, self._ledger, tracee)
        elif (
            onward.turn is Turn.IN_TURN
            and not to_exit
            and not standing.tries_again
            and not standing.blurs
            and self._may_notice(loop, tracee)
        ):
            letting.go_when_chosen(run, tracee, with_signal=with_signal)
        else:
            standing.moved, standing.blurs = True, False
            # Whoever is doomed does not come further than to the end of the call that it is in.
            letting.go(run, tracee, to_exit=to_exit or doomed, with_signal=with_signal)

    def returned(self, loop: Loop, tracee: Tracee, result: int) -> None:
        if tracee.call is not None:
            remembering.blur(self._ledger, tracee, tracee.call, result)
            stepping.came_back(loop.run, self._ledger, tracee, tracee.call, result)
            varying.returned(loop.run, tracee, tracee.call, result)
            by_memory = self.schedule.by_memory
            try:
                chancing.returned(loop.run, tracee, tracee.call, result, by_memory=by_memory)
            except OSError:  # we may not look into its memory
                hiding.notice(loop.run, tracee)

    def trapped(self, loop: Loop, tracee: Tracee) -> bool:
        return trapping.trapped(loop, self._ledger, tracee)

    def next(self, loop: Loop) -> None:
        """Takes the next step."""
        listening.until_quiet(loop)
        run = loop.run
        attempts.drop_the_dead(self._ledger)
        ending.notice_the_killed(run, self._ledger)
        run.suspects.clear()
        state = self.state_of(run)
        offered = tuple(moves(state))
        if len(self.taken) >= self.schedule.most:
            raise EndOfRunError(f"It took more than {counted(self.schedule.most, 'step')}.")
        move = self._choose(offered) if offered else None
        self._note(loop, state, offered, move)
        if move is None:
            if run.world.tracees:
                self.stuck = True
                raise EndOfRunError(f"Everybody waits for ever: {run.world.who_waits()}.")
        else:
            self.take(loop, move, state)

    def state_of(self, run: Run) -> dict[Fact, Hashable]:
        """What is the case. Everybody has to be at rest."""
        return state_of(run, self._ledger)

    def take(self, loop: Loop, move: Move, state: State) -> None:
        """This step, in this state."""
        if move.kind == TIME:
            self._let_time_pass(loop)
            return
        loop.run.clock.works()
        world = loop.run.world
        tracee = next(t for t in world.tracees.values() if t.member.name == move.process)
        try:
            stepping.take(loop, self._ledger, tracee, move, state)
        except ProcessLookupError:  # killed while it was held: its end is reported
            world.let(tracee, Stand.RUNNING)

    def alarm(self, loop: Loop) -> None:
        computing = loop.computing()
        if any(spinning.is_held_for_good(loop, tracee) for tracee in computing):
            return
        if computing and loop.has_computed_for_long():
            names = " and ".join(tracee.member.name for tracee in computing)
            loop.run.because("somebody computes for long, maybe until a signal comes")
            raise EndOfRunError(f"{names} computes for long without a call.")

    def _hold(self, loop: Loop, tracee: Tracee, hold: Hold) -> None:
        standing = self._ledger.of(tracee)
        standing.detail, standing.touches = hold
        if not standing.tries_again:  # a handler may have come between: this is another call
            standing.blocked = None
        standing.late = standing.tries_again = False
        loop.run.world.let(tracee, Stand.HELD)

    def _may_notice(self, loop: Loop, tracee: Tracee) -> bool:
        """Whether a signal could be noticed between the end of its call and what it does next."""
        masks = loop.run.dispositions.of(tracee)
        return masks is not None and bool(masks.caught & ~self.schedule.grain.unwatched)

    def _choose(self, offered: Sequence[Move]) -> Move:
        place = len(self.taken)
        if place >= len(self.schedule.moves):
            return self._first_of(offered)
        wanted = self.schedule.moves[place]
        if wanted not in offered:
            possible = ", ".join(f"{move.process} {move.kind}" for move in offered)
            raise WrongScheduleError(
                f"Step {place + 1} of the schedule, {wanted.process} {wanted.kind}, is not possible here:"
                f" only {possible}."
            )
        return wanted

    def _first_of(self, offered: Sequence[Move]) -> Move:
        """Who looks again and again for what another one does would never let that one do it."""
        first = offered[0]
        recent = [taken.move for taken in self.taken[-_PATIENCE:]]
        if len(recent) == _PATIENCE and all(m and m.process == first.process for m in recent):
            return next((move for move in offered if move.process != first.process), first)
        return first

    def _note(
        self,
        loop: Loop,
        state: dict[Fact, Hashable],
        offered: tuple[Move, ...],
        move: Move | None,
    ) -> None:
        known, output = self._known, loop.run.findings.output
        changes = {fact: value for fact, value in state.items() if known.get(fact) != value}
        changes.update({fact: None for fact in known if fact not in state})
        written, self._written = output[self._written :], len(output)
        self._notice_signals(loop, state, changes)
        self._known = state
        self.taken.append(Taken(changes, offered, move, "".join(written)))

    def _notice_signals(self, loop: Loop, state: State, changes: Mapping[Fact, Hashable]) -> None:
        """Whoever was sent one in the step of another process, and would notice that."""
        sender = self.taken[-1].move if self.taken else None
        for what, name in changes:
            others = sender is not None and sender.process not in ("", name)
            if what == PENDING and others and (what, name) in state:
                masking.are_sent_to(loop.run, name, deliverable(state, name, blocked=0))

    def _let_time_pass(self, loop: Loop) -> None:
        """On to the next deadline."""
        self._they_are_in_their_calls(loop)
        passing.jump(loop, _WAKING)

    def _they_are_in_their_calls(self, loop: Loop) -> None:
        """Nobody could do anything else: who is held before a call has been in it since before."""
        for tracee in loop.run.world.tracees.values():
            if tracee.stand is Stand.HELD:
                self._ledger.of(tracee).late = True


def _times(run: Run) -> tuple[int, ...]:
    return tuple(map(run.clock.shows, (REALTIME, MONOTONIC)))


def _has_to_ask_for_the_time(tracee: Tracee) -> None:
    """From now on, by a system call: and so have its children, whose memory is a copy."""
    if tracee.dial is not None:
        tracee.dial.cover(tracee.tid)
        tracee.dial = None


def _say_where(loop: Loop, tracee: Tracee, known: int) -> None:
    """In the source, of all reasons but so many, which were there before."""
    reasons = loop.run.findings.reasons
    if len(reasons) > known:
        site = call_site(tracee.tid)
        reasons.update(dict.fromkeys(list(reasons)[known:], site))
