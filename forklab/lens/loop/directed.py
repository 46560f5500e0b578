"""A play is directed: chance decides who is next, as ever, and a director what actors do once nobody can go on.

listen, let one go, let time pass         as `Seeded`
nobody can go on, and no timer is left    the play is at rest, and the director may give the next order
                                          (or none that rings before the director's patience is over)

Where exits are held, whoever is about to exit stands still, until the director lets it: so a family that would be gone
before anybody had looked can be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from forklab.kernel.signals import CHLD
from forklab.lens.calls import awaiting, cueing, sleeping
from forklab.lens.edge import proc, ptrace
from forklab.lens.edge.seccomp import Stops
from forklab.lens.loop import delivery, passing, spinning
from forklab.lens.loop.cues import Cues
from forklab.lens.loop.loop import Loop
from forklab.lens.loop.rest import Kind, Rest, rest_of_all
from forklab.lens.loop.seeded import WAKING, Seeded
from forklab.lens.world.chronicle import Member
from forklab.lens.world.clock import (
    NEVER,
    OWN_PROCESSOR_TIME,
    PROCESS_PROCESSOR_TIME,
    SECOND,
)
from forklab.lens.world.onward import AT_ONCE, HELD, IN_TURN, Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee

STOPS = Stops(Seeded.stops.names, numbers=frozenset({cueing.NUMBER}), handlers_of=frozenset({CHLD}))
STOPS_AND_EXITS = STOPS._replace(names=STOPS.names | delivery.EXITS)

# All of these count what has come to nothing since something happened that others can notice. Who waits for ten
# seconds by looking each second is no poller; a loop over all children is not busy. The second figures are for one that
# is known for it: who has done it once will not think of something else, and there are plays of a hundred orders.
_MOST_WAKINGS, _MOST_WAKINGS_AGAIN = 400, 40
# Where the director is impatient, so many are enough, and so much time (ns): a play has many cues, and the time that
# is waited for at each of them is time in which a limit of ten seconds comes nearer.
_FEW_WAKINGS = 3
_TIME_OF_A_FEW, _TIME_OF_A_FEW_AGAIN = SECOND, SECOND // 10
_TURNS_OF_A_WAKING = 10  # who makes more is busy, and does not poll
_MOST_WAKINGS_WHILE_OTHERS_SLEEP = 20_000  # until the play is at rest
_MOST_STRETCHES, _MOST_STRETCHES_AGAIN = 3, 0  # without a call
_A_STRETCH, _A_STRETCH_AGAIN = 300_000_000, 20_000_000  # nanoseconds on the processor
_MOST_TURNS = 2_000
# Who waits for its own processor time to go by gets what it waits for, on a fast machine as soon as on a slow one: each
# look at it takes at least so long (ns).
_LOOKS_OF_A_TURN = 10
_A_LOOK = 50_000
# And this something that goes on and on, such as a process that sends signals to itself. When a hundred orphans die at
# once, an init takes three hundred.
_MOST_TURNS_AT_ALL, _MOST_TURNS_AT_ALL_AGAIN = 3_000, 600
# For each process that is born meanwhile, so many more: it has a beginning and an end, and whoever makes too many is
# seen by that. Python's multiprocessing takes forty for each.
_TURNS_OF_A_BIRTH = 100
# Timers ring while somebody is busy, too. So many of them can change what it does; it has been seen then.
_MOST_RINGS_WHILE_BUSY = 10


@dataclass(eq=False)
class Directed:
    """`chance` says who is next.

    `held`: with what those are about to exit who are held at that. `restless`: signals may come to somebody without
    that we learn from whom, from a terminal.
    """

    chance: Seeded
    cues: Cues
    stops: Stops = STOPS
    restless: bool = False
    held: dict[Member, int] = field(default_factory=dict)
    until: int = 0  # nobody is polling before that (ns)
    rest: Rest | None = None  # since when nobody has been told to do anything
    _may_exit: set[Member] = field(default_factory=set)
    _preempted: set[Tracee] = field(default_factory=set)
    # Since the last effect, and since the last rest.
    _effects: int = -1
    _others: object = None
    _since: int = 0  # virtual nanoseconds
    _wakings: int = 0
    _wakings_at_all: int = 0
    _woken: Counter[Member] = field(default_factory=Counter)  # how often
    # For whom a timer rings once, and when: as of the last waking, of the one before, and what both had in common when
    # somebody was woken next.
    _timers: frozenset[tuple[Member, int]] = frozenset()
    _timers_before: frozenset[tuple[Member, int]] = frozenset()
    _not_set_anew: frozenset[tuple[Member, int]] = frozenset()
    _turns: int = 0
    _looks: Counter[Member] = field(default_factory=Counter)
    _stretches: int = 0
    _turns_at_all: int = 0
    _born_before: int = 0
    _rings: int = 0  # while somebody was busy
    _seen: set[Kind] = field(default_factory=set)  # of rests

    def come_to_rest(self, loop: Loop, patience: int) -> Rest:
        """Everybody goes on until the play is at rest; nobody is waited for who sleeps longer than `patience` (ns).

        Raises EndOfRunError if it has to be ended instead.
        """
        self.rest, self._turns_at_all, self._wakings_at_all, self._rings = None, 0, 0, 0
        self._born_before = len(loop.run.chronicle.everybody)
        self.chance.patience = patience
        self._begin_anew(loop.run)
        while self.rest is None:
            self.next(loop)
        if self.rest.kind in (Kind.QUIET, Kind.LATER) and loop.run.clock.now < self.until:
            loop.run.clock.rests()
            loop.run.clock.jump_to(self.until)
        return self.rest

    def order(self, loop: Loop, member: Member, order: str) -> None:
        """It gets that as soon as it asks for orders."""
        self.cues.give(member, order)
        for tracee in loop.run.world.threads_of(member):
            if (call := tracee.held_call) and call.name == cueing.NAME:
                self._give(loop, tracee, call)

    def let_exit(self, loop: Loop, member: Member) -> None:
        """One that is held at its exit, or will be."""
        self._may_exit.add(member)
        if self.held.pop(member, None) is None:
            return
        for tracee in loop.run.world.threads_of(member):
            if (call := tracee.held_call) and call.name in delivery.EXITS:
                loop.goes_on(tracee, IN_TURN)

    def begins(self, loop: Loop, tracee: Tracee) -> None:
        self.cues.begins(tracee.member)
        self.chance.begins(loop, tracee)

    def holds(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        if tracee.member not in self._may_exit and _exits(loop.run, tracee, call):
            self.held[tracee.member] = call.arguments[0] & 0xFF
            loop.goes_on(tracee, HELD)
            return True
        if awaiting.is_one(call) and tracee.member not in loop.run.threaded:
            if awaiting.waits(loop.run, tracee, call):
                loop.goes_on(tracee, HELD)
                return True
            return False
        if call.name != cueing.NAME:
            if sleeping.clock_of(call) in OWN_PROCESSOR_TIME:
                self._look(loop, tracee, call)
                return True
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
            if not self._somebody_was_disturbed(loop):
                self.rest = rest_of_all(run)
            return
        self._turns_at_all += 1
        if self._effects != run.chronicle.effects:
            self._begin_anew(run)
        self._turns += 1
        if run.clock.jumps > jumps:
            self._wakings += 1
            self._wakings_at_all += 1
            self._woken.update({tracee.member for tracee in _up(run)} | run.suspects)
            self._not_set_anew = self._timers & self._timers_before
            self._timers_before = self._timers
            self._timers = frozenset(run.alarms.single_deadlines())
        is_tired = self._is_tired(run)
        if is_tired and self._others != (others := self.cues.director.effects()):
            self._begin_anew(run)
            self._others = others
            is_tired = self._is_tired(run)
        if (is_tired or self._is_endless(run)) and not self._awaits_others(run):
            kind = Kind.POLLING if self._polls(run) else Kind.BUSY
            self._seen.add(kind)
            if kind is Kind.BUSY and self._a_timer_rings(loop):
                return
            self.rest = Rest(kind, _who_is_up(run))

    def alarm(self, loop: Loop) -> None:
        """Who computes for long has to let others come, however many they are, and may go on after them."""
        computing = self.chance.computing(loop)
        long = _A_STRETCH_AGAIN if Kind.BUSY in self._seen else _A_STRETCH
        if not computing or not loop.has_computed_for_long(long):
            return
        for_the_first_time = not self._stretches and Kind.BUSY not in self._seen
        if for_the_first_time and any(spinning.hold_if_endless(loop, t) for t in computing):
            return
        for tracee in list(loop.run.world.running.values()):
            self._stretches += 1
            self._preempted.add(tracee)
            self.chance.last.add(tracee)
            ptrace.interrupt(tracee.tid)

    def _look(self, loop: Loop, tracee: Tracee, call: Call) -> None:
        """At how long it has been on a processor."""
        self._looks[tracee.member] += 1
        looks = self._looks[tracee.member]
        if looks % _LOOKS_OF_A_TURN:
            self._turns -= 1
            self._turns_at_all -= 1
        whole = sleeping.clock_of(call) == PROCESS_PROCESSOR_TIME
        # The clock of a thread is for its own process alone.
        pid, tid = tracee.member.pid, tracee.tid
        spent = proc.nanoseconds_of_all(pid) if whole else proc.nanoseconds(tid)
        sleeping.answer(tracee, call, spent + looks * _A_LOOK)
        loop.goes_on(tracee, AT_ONCE)

    @property
    def _wakes_often(self) -> bool:
        return self._wakings * _TURNS_OF_A_WAKING > self._turns

    def _begin_anew(self, run: Run) -> None:
        if self._wakings > _MOST_WAKINGS_AGAIN and self._wakes_often:
            self._turns_at_all -= self._turns  # while others slept, and that is counted by itself
        self._effects = run.chronicle.effects
        self._others = self.cues.director.effects()
        self._since = run.clock.now
        self._woken.clear()
        self._wakings = self._turns = self._stretches = 0
        self.chance.last.clear()

    def _is_endless(self, run: Run) -> bool:
        if self._wakings_at_all > _MOST_WAKINGS_WHILE_OTHERS_SLEEP:
            return True
        if self._turns_at_all <= _MOST_TURNS_AT_ALL_AGAIN:
            return False
        known = Kind.BUSY in self._seen
        most = _MOST_TURNS_AT_ALL_AGAIN if known else _MOST_TURNS_AT_ALL
        most += _TURNS_OF_A_BIRTH * (len(run.chronicle.everybody) - self._born_before)
        return self._turns_at_all > most

    def _polls(self, run: Run) -> bool:
        if self._wakings <= _FEW_WAKINGS or run.clock.now < self.until:
            return False
        known = Kind.POLLING in self._seen
        if self._wakings > (_MOST_WAKINGS_AGAIN if known else _MOST_WAKINGS):
            return True
        if self.chance.patience == NEVER:
            return False
        return run.clock.now - self._since >= (_TIME_OF_A_FEW_AGAIN if known else _TIME_OF_A_FEW)

    def _awaits_others(self, run: Run) -> bool:
        """While some poll, others sleep, or have just woken for the first time: what they do is still to be seen.

        So is what becomes of a timer that is not what the poller wakes up by, as it is not set anew each time.
        """
        if not self._wakes_often or self._wakings_at_all > _MOST_WAKINGS_WHILE_OTHERS_SLEEP:
            return False
        if any(self._woken[tracee.member] < 2 for tracee in _up(run)):
            return True
        latest = self._since + self.chance.patience
        if any(deadline <= latest for _, deadline in self._not_set_anew):
            return True
        sleepers = (owner for owner, deadline in _deadlines(run) if deadline <= latest)
        return any(owner is not None and not self._woken[owner] for owner in sleepers)

    def _a_timer_rings(self, loop: Loop) -> bool:
        """Although somebody is busy, who would go on and on without it: then there is more to be seen."""
        self._rings += 1
        if self._rings > _MOST_RINGS_WHILE_BUSY:
            return False
        if not passing.jump(loop, WAKING, self.chance.patience):
            return False
        self._turns_at_all = 0
        self._begin_anew(loop.run)
        return True

    def _somebody_was_disturbed(self, loop: Loop) -> bool:
        """By a signal of which only the kernel knows: of a terminal, or to who is stopped in an orphaned group.

        Whoever waits for nothing but signals is looked at in any case.
        """
        run = loop.run
        tracees = run.world.tracees.values()
        if self.restless or any(t.stand is Stand.STOPPED for t in run.world.asleep.values()):
            run.suspects |= {tracee.member for tracee in tracees}
        else:
            run.suspects |= {tracee.member for tracee in tracees if _awaits_signals(tracee)}
        delivery.settle_suspects(loop)
        return bool(run.world.queue)

    def _is_tired(self, run: Run) -> bool:
        if self._turns > _MOST_TURNS or self._polls(run):
            return True
        if not self._stretches:
            return False
        most = _MOST_STRETCHES_AGAIN if Kind.BUSY in self._seen else _MOST_STRETCHES
        return self._stretches > most and self.chance.last.issuperset(_up(run))

    def _give(self, loop: Loop, tracee: Tracee, call: Call) -> None:
        self.cues.answer(tracee, call)
        loop.goes_on(tracee, IN_TURN)


def _exits(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether its process will have exited then: exit(2) ends a thread, and with the last one the process."""
    if call.name == "exit":
        return run.world.threads_of(tracee.member) == [tracee]
    return call.name in delivery.EXITS


def _awaits_signals(tracee: Tracee) -> bool:
    return (call := tracee.held_call) is not None and awaiting.is_one(call)


def _deadlines(run: Run) -> Iterator[tuple[Member | None, int]]:
    """Who wakes up when, or is woken by a timer; None: whoever reads the timer's file."""
    for tracee in run.world.tracees.values():
        if tracee.deadline is not None and tracee.stand is not Stand.STOPPED:
            yield tracee.member, tracee.deadline
    yield from run.timer_deadlines()
    yield from ((None, deadline) for deadline in run.alarms.file_deadlines())


def _up(run: Run) -> tuple[Tracee, ...]:
    return (*run.world.queue, *run.world.running.values())


def _who_is_up(run: Run) -> Member | None:
    """Who has just been woken, or can go on."""
    members = (*(tracee.member for tracee in _up(run)), *run.suspects)
    return min(members, key=lambda member: member.born, default=None)
