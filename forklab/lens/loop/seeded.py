"""Chance decides who is next, and a seed decides chance: one process runs at a time, the others are held.

    listen until everybody who runs has stopped, or sleeps in the kernel
    let one go who can, chosen by the seed
    nobody can: the clock jumps to the next deadline

Held processes sit at the entry of wait and of sleeps, where the world itself knows when they can go on. Everything else
that waits (pipes, poll, futexes) is let into the kernel and sleeps there; whoever wakes it runs at that moment and has
stopped before we look again, so nothing is left to chance.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from forklab.kernel.calls import CALLS, Concern, calls_in, concerns_of
from forklab.kernel.signals import bit
from forklab.lens.calls import outside
from forklab.lens.edge import proc, ptrace, vdso
from forklab.lens.edge.seccomp import Stops
from forklab.lens.loop import delivery, letting, listening, passing, showing, spinning
from forklab.lens.loop.loop import Loop
from forklab.lens.loop.real_time import ALWAYS
from forklab.lens.world import clock as clocks
from forklab.lens.world import stands
from forklab.lens.world.chronicle import Member
from forklab.lens.world.dials import Dial
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.onward import AT_ONCE, Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

# These wait too, but so seldom that a stop before each would cost more than to see now and then that somebody sleeps.
_HARDLY_EVER_WAIT = calls_in("fork", "open") | {"ioctl", "getrandom"}
_STOPS = Stops(
    ALWAYS
    | (frozenset(name for name in CALLS if Concern.WAITS in concerns_of(name)) - _HARDLY_EVER_WAIT)
    | calls_in("clock", "timer", "timerfd", "write", "socketpair")
    | {"setsockopt", "getsockopt"}
    | calls_in("exec")  # how often it has read the clock stands in the memory that it gives up
)
_AT_ONCE, _IN_TURN = Turn.AT_ONCE, Turn.IN_TURN  # quickly, see `stands`
WAKING = frozenset({stands.HELD, stands.INSIDE})


@dataclass(eq=False)
class Seeded:
    """`choices` says who of those who can go on does. `patience`: nobody sleeps for longer than that.

    `last`: who goes on only if nobody else can.
    """

    choices: random.Random
    stops: Stops = _STOPS
    patience: int = clocks.NEVER
    last: set[Tracee] = field(default_factory=set)

    def begins(self, loop: Loop, tracee: Tracee) -> None:
        face = vdso.lay_ours(tracee.tid)
        tracee.dial = Dial(face) if face else None

    def holds(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        return False

    def goes_on(self, loop: Loop, tracee: Tracee, onward: Onward) -> None:
        run = loop.run
        turn, to_exit, with_signal, reaps = onward
        if onward is AT_ONCE and run.clock.is_late and not tracee.unfinished_birth:
            turn = _IN_TURN  # so that time can go by
        if turn is _AT_ONCE:
            showing.set_dial(loop, tracee)
            letting.go(run, tracee, to_exit=to_exit, with_signal=with_signal)
        elif turn is _IN_TURN:
            tracee.reaping = reaps
            to_exit = to_exit and not reaps
            letting.go_when_chosen(run, tracee, to_exit=to_exit, with_signal=with_signal)
        else:
            # No signal is pending for it that could end its wait: it would have been delivered on the way here, and
            # nobody else has run since, or somebody may have.
            if loop.loose:
                run.suspects.add(tracee.member)
            run.world.let(tracee, stands.HELD)

    def returned(self, loop: Loop, tracee: Tracee, result: int) -> None:
        pass

    def trapped(self, loop: Loop, tracee: Tracee) -> bool:
        return False

    def next(self, loop: Loop) -> None:
        if not self.advance(loop):
            self._wait_for_outside(loop)

    def advance(self, loop: Loop) -> bool:
        """Somebody goes on, or time passes. False: everybody waits, and no clock will wake them."""
        listening.until_quiet(loop)
        world = loop.run.world
        if loop.run.suspects:
            delivery.settle_suspects(loop)
        if world.queue:
            clock = loop.run.clock
            if clock.is_late or clock.watched:
                passing.keep_up(loop, WAKING)
            self._release(loop)
            return True
        return not world.tracees or bool(world.running) or passing.jump(loop, WAKING, self.patience)

    def alarm(self, loop: Loop) -> None:
        computing = self.computing(loop)
        if any(spinning.is_held_for_good(loop, tracee) for tracee in computing):
            return
        if not computing or not loop.has_computed_for_long():
            return
        run = loop.run
        if not run.world.queue:
            self._creep(loop)
        if run.world.queue:
            run.because("somebody computes for long while others could run")
            loop.loose = True
            self._release(loop)

    def computing(self, loop: Loop) -> list[Tracee]:
        """Those who have not stopped for some alarms. From now on they have to ask for the time."""
        if loop.silent_alarms:
            for tracee in loop.run.world.running.values():
                if tracee.dial is not None:
                    tracee.dial.cover(tracee.tid)
        return loop.computing()

    def _release(self, loop: Loop) -> None:
        queue = loop.run.world.queue
        if self.last:
            queue = [tracee for tracee in queue if tracee not in self.last] or queue
        tracee = queue[self.choices.randrange(len(queue)) if len(queue) > 1 else 0]
        try:
            if tracee.dial is not None:
                showing.set_dial(loop, tracee, alone=len(queue) == 1)
            letting.go(loop.run, tracee, to_exit=tracee.to_exit, with_signal=tracee.signal)
        except ProcessLookupError:  # killed while it was held: its end is reported
            loop.run.world.let(tracee, stands.RUNNING)

    def _creep(self, loop: Loop) -> None:
        """Others sleep until a deadline while somebody computes: time goes by for them, as it does on the processor."""
        run = loop.run
        until = run.clock.now + loop.time_since_last_asked()
        while (deadline := passing.next_deadline(run)) is not None and run.clock.now < until:
            run.clock.jump_to(min(deadline, until))
            passing.wake_the_due(loop, WAKING)

    def _will_be_taken(self, run: Run, member: Member, number: int) -> bool:
        """Whether a thread of it lets this signal through, which is on its way."""
        masks = (proc.masks(member.pid, tracee.tid) for tracee in run.world.threads_of(member))
        return any(m is not None and not m.blocked & bit(number) for m in masks)

    def _wait_for_outside(self, loop: Loop) -> None:
        """Everybody waits, and no clock will wake them: only somebody outside can."""
        run, world = loop.run, loop.run.world
        if run.suspects or any(
            self._will_be_taken(run, *ring) for ring in run.alarms.on_their_way()
        ):
            return
        asleep = [tracee for tracee in world.asleep.values() if tracee.stand is stands.INSIDE]
        if not any(outside.can_end_it(run, tracee) for tracee in asleep):
            raise EndOfRunError(
                f"Everybody waits, and nobody will ever wake them: {world.who_waits()}."
            )
        for tracee in asleep:
            world.let(tracee, stands.RUNNING)
        loop.loose = loop.outside = True
        loop.watchdog.waits_for_outside(True)
        while world.running and not world.queue and loop.loose:
            heard = ptrace.wait()
            listening.hear(loop, heard)
            loop.loose = heard is None
        loop.outside = False
        loop.watchdog.waits_for_outside(False)
        for tracee in list(world.running.values()):
            world.let(tracee, stands.INSIDE)
