"""A play is directed: chance decides who is next, as ever, and a director what actors do once nobody can go on.

listen, let one go, let time pass         as `Seeded`
nobody can go on, and no timer is left    the play is at rest, and the director may give the next order
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forklab.lens.calls import cueing
from forklab.lens.edge import ptrace
from forklab.lens.edge.seccomp import Stops
from forklab.lens.loop import spinning
from forklab.lens.loop.cues import Cues
from forklab.lens.loop.loop import Loop
from forklab.lens.loop.rest import Kind, Rest
from forklab.lens.loop.seeded import Seeded
from forklab.lens.world.chronicle import Member
from forklab.lens.world.onward import AT_ONCE, HELD, IN_TURN, Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import LOOP

STOPS = Stops(Seeded.stops.names, numbers=frozenset({cueing.NUMBER}))

# All of these count what has come to nothing since something happened that others can notice. Who waits for ten
# seconds by looking each second is no poller; a loop over all children is not busy. The second figures are for one that
# is known for it: who has done it once will not think of something else, and there are plays of a hundred orders.
_MOST_WAKINGS, _MOST_WAKINGS_AGAIN = 400, 40
_MOST_STRETCHES, _MOST_STRETCHES_AGAIN = 3, 0  # of a third of a second, without a call
_MOST_TURNS = 2_000
# And this something that goes on and on, such as a process that sends signals to itself. When a hundred orphans die at
# once, an init takes three hundred.
_MOST_TURNS_AT_ALL, _MOST_TURNS_AT_ALL_AGAIN = 3_000, 600


@dataclass(eq=False)
class Directed:
    """`chance` says who is next."""

    chance: Seeded
    cues: Cues
    stops: Stops = STOPS
    rest: Rest | None = None  # since when nobody has been told to do anything
    _preempted: set[Tracee] = field(default_factory=set)
    # Since the last effect, and since the last rest.
    _effects: int = -1
    _others: object = None
    _wakings: int = 0
    _turns: int = 0
    _stretches: int = 0
    _spun: set[Tracee] = field(default_factory=set)  # for such a stretch
    _turns_at_all: int = 0
    _seen: set[Kind] = field(default_factory=set)  # of rests

    def come_to_rest(self, loop: Loop) -> Rest:
        """Everybody goes on until the play is at rest. Raises EndOfRunError if it has to be ended instead."""
        self.rest, self._turns_at_all = None, 0
        self._begin_anew(loop.run)
        while self.rest is None:
            self.next(loop)
        return self.rest

    def order(self, loop: Loop, member: Member, order: str) -> None:
        """It gets that as soon as it asks for orders."""
        self.cues.give(member, order)
        for tracee in loop.run.world.threads_of(member):
            if tracee.stand is Stand.HELD and tracee.call and tracee.call.name == cueing.NAME:
                self._give(loop, tracee, tracee.call)

    def begins(self, loop: Loop, tracee: Tracee) -> None:
        self.cues.begins(tracee.member)
        self.chance.begins(loop, tracee)

    def holds(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        if call.name != cueing.NAME:
            return self.chance.holds(loop, tracee, call)
        if not self.cues.asks(tracee, call):
            loop.goes_on(tracee, AT_ONCE)
        elif self.cues.orders.get(tracee.member):
            self._give(loop, tracee, call)
        else:
            loop.goes_on(tracee, HELD)
        return True

    def goes_on(self, loop: Loop, tracee: Tracee, onward: Onward) -> None:
        self.cues.meets(tracee.member)
        if tracee in self._preempted:
            self._preempted.discard(tracee)
            if onward.turn is Turn.AT_ONCE:
                onward = onward._replace(turn=Turn.IN_TURN)
        self.chance.goes_on(loop, tracee, onward)

    def returned(self, loop: Loop, tracee: Tracee, result: int) -> None:
        self.chance.returned(loop, tracee, result)

    def trapped(self, loop: Loop, tracee: Tracee) -> bool:
        return self.chance.trapped(loop, tracee)

    def next(self, loop: Loop) -> None:
        """Somebody goes on, or time passes, or the play is at rest: then `rest` says so."""
        run = loop.run
        jumps = run.clock.jumps
        if not run.world.tracees or not self.chance.advance(loop):
            spinner = next(filter(_is_in_a_loop, run.world.tracees.values()), None)
            self.rest = Rest(Kind.BUSY, spinner.member) if spinner else Rest(Kind.QUIET)
            return
        self._turns_at_all += 1
        if self._effects != run.chronicle.effects:
            self._begin_anew(run)
        self._turns += 1
        self._wakings += run.clock.jumps - jumps
        if self._is_tired(run) and self._others != (others := self.cues.director.effects()):
            self._begin_anew(run)
            self._others = others
        if self._is_endless() or self._is_tired(run):
            kind = Kind.POLLING if self._polls() else Kind.BUSY
            self.rest = Rest(kind, _who_is_up(run))
            self._seen.add(kind)

    def alarm(self, loop: Loop) -> None:
        """Who computes for long has to let others come, however many they are, and may go on after them."""
        computing = self.chance.computing(loop)
        if not computing or not loop.has_computed_for_long:
            return
        for_the_first_time = not self._stretches and Kind.BUSY not in self._seen
        if for_the_first_time and any(spinning.hold_if_endless(loop, t) for t in computing):
            return
        for tracee in list(loop.run.world.running.values()):
            self._stretches += 1
            self._preempted.add(tracee)
            self._spun.add(tracee)
            ptrace.interrupt(tracee.tid)

    def _begin_anew(self, run: Run) -> None:
        self._effects = run.chronicle.effects
        self._others = self.cues.director.effects()
        self._wakings = self._turns = self._stretches = 0
        self._spun.clear()

    def _is_endless(self) -> bool:
        known = Kind.BUSY in self._seen
        return self._turns_at_all > (_MOST_TURNS_AT_ALL_AGAIN if known else _MOST_TURNS_AT_ALL)

    def _polls(self) -> bool:
        return self._wakings > (
            _MOST_WAKINGS_AGAIN if Kind.POLLING in self._seen else _MOST_WAKINGS
        )

    def _is_tired(self, run: Run) -> bool:
        most = _MOST_STRETCHES_AGAIN if Kind.BUSY in self._seen else _MOST_STRETCHES
        up = (*run.world.queue, *run.world.running.values())
        computes = self._stretches > most and self._spun.issuperset(up)
        return self._polls() or self._turns > _MOST_TURNS or computes

    def _give(self, loop: Loop, tracee: Tracee, call: Call) -> None:
        self.cues.answer(tracee, call)
        loop.goes_on(tracee, IN_TURN)


def _is_in_a_loop(tracee: Tracee) -> bool:
    return tracee.stand is Stand.HELD and tracee.call is not None and tracee.call.name == LOOP


def _who_is_up(run: Run) -> Member | None:
    """Who has just been woken, or can go on."""
    up = (*run.world.queue, *run.world.running.values())
    members = (*(tracee.member for tracee in up), *run.suspects)
    return min(members, key=lambda member: member.born, default=None)
