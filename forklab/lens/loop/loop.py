"""The loop's own state, and the one question that it does not answer by itself: who is next?

A policy says at which calls the program is stopped, whether a thread is held before one, who goes on when, and what
happens when nobody can. Everything else is mechanism and the same for all: listening, births, deaths, signals, what
calls mean, the clock.

    EverybodyRuns   in real time: nobody is held; what happens is only written down
    Seeded          one at a time, the next one by chance: the same seed gives the same history
    Scheduled       one step at a time, each chosen by somebody who sees all that are possible
    Directed        by chance, too, and when nobody can go on somebody tells the actors what to do next
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from forklab.lens.edge import proc, ptrace
from forklab.lens.edge.seccomp import Stops
from forklab.lens.loop.watchdog import Watchdog
from forklab.lens.world.onward import Onward
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee

_TOO_LONG = 300_000_000  # nanoseconds on the processor while others wait for their turn
_ALARMS = 3  # without a report, until somebody is looked at

Report = tuple[int, int]  # of a thread: its id and wait status, as waitpid(2) has them


class Policy(Protocol):
    """Who is next, and who has to wait."""

    @property
    def stops(self) -> Stops:
        """The system calls at which the program is stopped."""

    def begins(self, loop: Loop, tracee: Tracee) -> None:
        """A process is about to run a new program, from its first instruction on."""

    def holds(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        """Whether it takes care of this thread, which is about to make a call. Else the call is made now."""

    def goes_on(self, loop: Loop, tracee: Tracee, onward: Onward) -> None:
        """A stop has been dealt with: lets the thread go on like that, now or later."""

    def returned(self, loop: Loop, tracee: Tracee, result: int) -> None:
        """It has come out of a call, and hears this result when it goes on."""

    def trapped(self, loop: Loop, tracee: Tracee) -> bool:
        """It is about to get a SIGTRAP or SIGSEGV: whether that is for us, and has been taken care of."""

    def next(self, loop: Loop) -> None:
        """Somebody goes on, or time passes. Raises EndOfRunError if neither can be, for ever."""

    def alarm(self, loop: Loop) -> None:
        """Nobody has stopped for a while."""


@dataclass(eq=False)
class Loop:
    """`early`: newborns of whom we have heard before we knew of their birth. `loose`: more than one may run.

    `outside`: everybody waits for somebody who is not of the program.
    """

    run: Run
    policy: Policy
    watchdog: Watchdog
    early: set[int] = field(default_factory=set)
    loose: bool = False
    outside: bool = False
    silent_alarms: int = 0  # since the last report
    # Nanoseconds on the processor by those who run, when they were looked at first, and last.
    _spent_first: int = 0
    _spent_last: int = 0

    def follow(self) -> None:
        """To the end of everybody. Raises EndOfRunError when it has to be ended instead."""
        while self.run.world.tracees:
            self.policy.next(self)

    def goes_on(self, tracee: Tracee, onward: Onward) -> None:
        self.policy.goes_on(self, tracee, onward)

    def await_report(self, tid: int) -> Report:
        while (report := ptrace.wait(tid)) is None:
            self.alarm()
        return report

    def hear_stranger(self, tid: int, status: int) -> None:
        """A newborn before we know of its birth; or a zombie that init has adopted."""
        chronicle = self.run.chronicle
        if status & 0x7F == 0x7F:
            self.early.add(tid)
        elif (member := chronicle.get(tid)) and member.zombie and member.parent is None:
            chronicle.reaped(member)

    def look_up(self) -> None:
        self.watchdog.look(self.run.clock)

    def alarm(self) -> None:
        """It has interrupted our waiting."""
        self.look_up()
        if not self.outside:
            self.policy.alarm(self)

    def computing(self) -> list[Tracee]:
        """Those who run and have not stopped for some alarms. Who only sleeps in the kernel is INSIDE from now on."""
        self.silent_alarms += 1
        if self.silent_alarms < _ALARMS:
            return []
        running = list(self.run.world.running.values())
        if all((proc.state(t.tid) or "gone") in t.letters_of_sleep for t in running):
            for tracee in running:
                self.run.world.let(tracee, Stand.INSIDE)
            return []
        if self.silent_alarms == _ALARMS:
            self._spent_first = self._spent_last = self._spent()
        return running

    def has_computed_for_long(self, long: int = _TOO_LONG) -> bool:
        """By their time on the processor, not on the wall: on a busy machine everybody is slow."""
        return self._spent() - self._spent_first > long

    def time_since_last_asked(self) -> int:
        """That those who run have used, in nanoseconds on the processor."""
        before, self._spent_last = self._spent_last, self._spent()
        return self._spent_last - before

    def _spent(self) -> int:
        return sum(proc.nanoseconds(t.tid) for t in self.run.world.running.values())
