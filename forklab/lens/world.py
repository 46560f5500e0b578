"""The world of a traced program: one process runs at a time, the others are held; a seed says who is next.

    while somebody lives:
        listen until everybody who runs has stopped, or sleeps in the kernel
        let one go who can, chosen by the seed
        nobody can: the clock jumps to the next deadline

What a stop means is elsewhere (entry.py, lifecycle.py, delivery.py); this is the loop around it. Held processes sit at
the entry of wait and of sleeps, where the world itself knows when they can go on. Everything else that waits (pipes,
poll, futexes) is let into the kernel and sleeps there; whoever wakes it runs at that moment and has stopped before we
look again, so nothing is left to chance. In real time nobody is held: the same stops are only written down.
"""

from __future__ import annotations

import bisect
import operator
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from forklab.lens import delivery, entry, lifecycle, proc, ptrace, threads, waiting
from forklab.lens.chronicle import Chronicle, Member
from forklab.lens.clock import Clock
from forklab.lens.surroundings import Surroundings
from forklab.lens.tracee import EndOfWorldError, Limits, Outcome, Stand, Timer, Tracee
from forklab.lens.watchdog import Watchdog

_TOO_LONG = 300_000_000  # nanoseconds on the processor while others wait for their turn
_AT_WILL = 20_000  # looks at one that has been let into the kernel, before the watchdog takes over


@dataclass
class World:
    """`hear` gets output as it is written; `in_namespace`: our PID 1 is the tracer, nobody else can be reached."""

    chronicle: Chronicle
    clock: Clock
    choices: random.Random | None  # None: real time
    limits: Limits
    watchdog: Watchdog
    surroundings: Surroundings
    outcome: Outcome
    hear: Callable[[bytes], None]
    in_namespace: bool
    tracees: dict[int, Tracee] = field(default_factory=dict)
    timers: dict[tuple[Member, int], Timer] = field(default_factory=dict)
    # Signals that a timer of ours has sent, and the code that siginfo shall have.
    ringing: dict[tuple[Member, int], int] = field(default_factory=dict)
    dispositions: dict[Member, proc.Masks] = field(default_factory=dict)  # until they change
    threaded: set[Member] = field(default_factory=set)  # they have, or had, several threads
    suspects: set[Member] = field(default_factory=set)  # a signal may be pending for them
    _ready: list[Tracee] = field(default_factory=list)  # in order of birth
    _running: dict[int, Tracee] = field(default_factory=dict)
    _asleep: dict[int, Tracee] = field(default_factory=dict)  # inside a call, stopped or ended
    early: set[int] = field(default_factory=set)
    _loose: bool = False  # more than one runs
    _outside: bool = False  # everybody waits for somebody outside
    _idle: int = 0  # alarms since somebody stopped
    _spent_first: int = (
        0  # nanoseconds on the processor, at the first and at the last of these alarms
    )
    _spent_last: int = 0

    @property
    def controlled(self) -> bool:
        return self.choices is not None

    def adopt(self, tid: int) -> None:
        """The first process, which runs and is traced already."""
        self.let(self.new(tid, self.chronicle.first), Stand.RUNNING)

    def run(self) -> None:
        """To the end of everybody. Raises EndOfWorldError when it has to be ended instead."""
        while self.tracees:
            self._listen()
            delivery.settle_suspects(self)
            if self._ready:
                self._release()
            elif self.tracees and not self._running and not self._jump():
                self._wait_for_outside()

    # Who stands where

    def new(self, tid: int, member: Member) -> Tracee:
        tracee = self.tracees[tid] = Tracee(tid, member, member.born)
        return tracee

    def forget(self, tracee: Tracee) -> None:
        self.let(tracee, Stand.HELD)
        self.tracees.pop(tracee.tid, None)

    def let(self, tracee: Tracee, stand: Stand) -> None:
        """The one place where a stand changes."""
        match tracee.stand:
            case Stand.RUNNING:
                self._running.pop(tracee.tid, None)
            case Stand.READY:
                self._ready.remove(tracee)
            case Stand.INSIDE | Stand.STOPPED | Stand.ENDED:
                del self._asleep[tracee.tid]
        tracee.stand = stand
        match stand:
            case Stand.RUNNING:
                self._running[tracee.tid] = tracee
            case Stand.READY:
                bisect.insort(self._ready, tracee, key=_order)
            case Stand.INSIDE | Stand.STOPPED | Stand.ENDED:
                self._asleep[tracee.tid] = tracee

    def ready(self, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0) -> None:
        """It can go on, when its turn comes."""
        tracee.to_exit, tracee.signal = to_exit, with_signal
        if self.controlled:
            self.let(tracee, Stand.READY)
        else:
            self.go_on(tracee, to_exit=to_exit, with_signal=with_signal)

    def hold(self, tracee: Tracee) -> None:
        """It has to wait for something that the world knows of.

        No signal is pending for it that could end its wait: it would have been delivered on the way here, and nobody
        else has run since, or somebody may have.
        """
        if self._loose:
            self.suspects.add(tracee.member)
        self.let(tracee, Stand.HELD)

    def go_on(self, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0) -> None:
        """It goes on at once, nobody else comes between."""
        tracee.to_exit = to_exit
        self.let(tracee, Stand.RUNNING)
        ptrace.resume(tracee.tid, with_signal, to_exit=to_exit)

    def _release(self) -> None:
        assert self.choices is not None
        place = self.choices.randrange(len(self._ready)) if len(self._ready) > 1 else 0
        tracee = self._ready[place]
        try:
            self.go_on(tracee, to_exit=tracee.to_exit, with_signal=tracee.signal)
        except ProcessLookupError:  # killed while it was held: its end is reported
            self.let(tracee, Stand.RUNNING)

    # Listening

    def _listen(self) -> None:
        """Until nobody runs any more, but for those that sleep in the kernel."""
        if not self.controlled:
            self._hear(ptrace.wait(-1))
            return
        while self._running:
            first = next(iter(self._running.values()))
            if len(self._running) > 1:
                first = min(self._running.values(), key=_order)
            if self._loose:
                self._hear(ptrace.wait(-1))
                if self._ready:
                    return
            elif _may_sleep(first) or first.member in self.threaded:
                self._watch(first)
            else:
                self._hear(ptrace.wait(first.tid))
        self._loose = False
        for tracee in sorted(self._asleep.values(), key=_order):
            if tracee.tid in self._asleep:
                self._look_at(tracee)
        if self._running:
            self._listen()

    def _watch(self, tracee: Tracee) -> None:
        """It comes back, or falls asleep in the call that it was let into, or has to wait for its fellow threads."""
        threaded = tracee.member in self.threaded
        for _ in range(_AT_WILL):
            if report := threads.wait(self, tracee, block=False):
                self._hear(report)
                return
            letter = proc.state(tracee.tid)
            if letter == "S" and _may_sleep(tracee):
                if report := ptrace.wait(tracee.tid, block=False):
                    self._hear(report)
                else:
                    self.let(tracee, Stand.INSIDE)
                return
            if threaded:
                if threads.stands_at_its_end(self, tracee, letter):
                    return
                if other := threads.other_has_ended(self, tracee):
                    self._hear(ptrace.wait(other.tid))
                    return
            os.sched_yield()
        self._hear(threads.wait(self, tracee))

    def _look_at(self, tracee: Tracee) -> None:
        """Whether somebody who sleeps in the kernel has been woken; if so, listen to it."""
        resting = (
            "tT" if tracee.stand is Stand.STOPPED else "SD" if tracee.unfinished_birth else "S"
        )
        for _ in range(_AT_WILL):
            if report := ptrace.wait(tracee.tid, block=False):
                self._hear(report)
                return
            letter = proc.state(tracee.tid)
            if letter is None or letter in resting:
                return
            if threads.stands_at_its_end(self, tracee, letter):
                return
            os.sched_yield()
        self.let(tracee, Stand.RUNNING)

    def _hear(self, report: tuple[int, int] | None) -> None:
        if report is None:
            self.tick()
            return
        if self.watchdog.rung:
            self._look_up()
        self._idle = 0
        tid, status = report
        tracee = self.tracees.get(tid)
        if tracee is None:
            self.hear_stranger(tid, status)
        elif status & 0x7F != 0x7F:
            lifecycle.died(self, tracee, status)
        else:
            try:
                self._stopped(tracee, status >> 8 & 0xFF, status >> 16)
            except ProcessLookupError:  # killed under our feet: its end is reported
                self.let(tracee, Stand.RUNNING)

    def hear_stranger(self, tid: int, status: int) -> None:
        """A newborn before we know of its birth; or a zombie that init has adopted."""
        if status & 0x7F == 0x7F:
            self.early.add(tid)
        elif (member := self.chronicle.get(tid)) and member.zombie and member.parent is None:
            self.chronicle.reaped(member)

    def _stopped(self, tracee: Tracee, number: int, event: int) -> None:
        waiting.has_reaped(self, tracee)
        if event == ptrace.EVENT_SECCOMP:
            entry.entered(self, tracee)
        elif number == ptrace.SYSCALL_STOP:
            entry.returned(self, tracee)
        elif event in ptrace.BIRTHS:
            lifecycle.gave_birth(self, tracee, event)
        elif event == ptrace.EVENT_EXEC:
            lifecycle.executed(self, tracee)
        elif event == ptrace.EVENT_STOP and number in delivery.STOP_SIGNALS:
            delivery.job_control(self, tracee, number)
        elif event == ptrace.EVENT_VFORK_DONE:
            tracee.unfinished_birth = False
            self.ready(tracee)
        elif event:
            if tracee.stand is Stand.STOPPED:
                if tracee.member.stopped:
                    self.chronicle.continued(tracee.member)
                    self.tell_parent(tracee.member)
                self.ready(tracee)
            else:
                self.go_on(tracee)
        else:
            delivery.deliver(self, tracee, number)

    # What others have to know

    def tell_parent(self, member: Member) -> None:
        """Something happened to it: its parent may wait for that, and gets SIGCHLD."""
        parent = member.parent
        if parent is None:
            return
        self.suspects.add(parent)

    # Time

    def _jump(self) -> bool:
        """Nobody can run: on to the next deadline, if there is one."""
        deadline = self._next_deadline()
        if deadline is None:
            return False
        self.clock.jump_to(deadline)
        if self.clock.seconds > self.limits.virtual_seconds:
            raise EndOfWorldError(
                f"It went on for more than {self.limits.virtual_seconds:g} seconds of virtual time."
            )
        self._wake_the_due()
        return True

    def _next_deadline(self) -> int | None:
        deadlines = [tracee.deadline for tracee in self.tracees.values()]
        deadlines += [timer.deadline for timer in self.timers.values()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _wake_the_due(self) -> None:
        """All whose deadline has come."""
        for (member, _), timer in list(self.timers.items()):
            if timer.deadline is not None and timer.deadline <= self.clock.now:
                self._ring(member, timer)
        for tracee in list(self.tracees.values()):
            if tracee.deadline is not None and tracee.deadline <= self.clock.now:
                entry.time_is_up(self, tracee)

    def _ring(self, member: Member, timer: Timer) -> None:
        timer.rings()
        self.ringing[member, timer.number] = timer.code
        self.suspects.add(member)
        os.kill(member.pid, timer.number)

    def drop_timers(self, member: Member, *, keep: int | None = None) -> None:
        """All of a process but one."""
        for key in [key for key in self.timers if key[0] is member and key[1] != keep]:
            del self.timers[key]

    def interrupt(self, tracee: Tracee) -> None:
        """Get it out of the call in which it sleeps."""
        self.let(tracee, Stand.RUNNING)
        ptrace.interrupt(tracee.tid)

    def awaken(self, tracee: Tracee) -> None:
        """It has been killed: its end is awaited."""
        self.let(tracee, Stand.RUNNING)

    # The outside

    def because(self, reason: str) -> None:
        """Why the same seed may not give the same history."""
        self.outcome.because(reason)

    def wrote(self, tracee: Tracee, content: bytes) -> None:
        """Part of the program's output; what it wrote is passed on as it is, if nothing in it has to be changed."""
        room = self.limits.output - self.outcome.written
        if len(content) > room:
            self.outcome.cut = True
            content = content[:room]
        if not content:
            return
        text = content.decode(errors="replace")
        shown = self.chronicle.shown(text)
        self.outcome.written += len(content)
        self.outcome.output.append(shown)
        self.chronicle.wrote(tracee.member, shown)
        self.hear(content if shown == text else shown.encode())

    def _wait_for_outside(self) -> None:
        """Everybody waits, and no clock will wake them: only somebody outside can."""
        outside = self.surroundings.foreign is not None or "it uses sockets" in self.outcome.reasons
        if self.ringing or self.suspects:
            return
        if not outside or not self._asleep:
            raise EndOfWorldError(
                f"Everybody waits, and nobody will ever wake them: {self._who_waits()}."
            )
        for tracee in list(self._asleep.values()):
            if tracee.stand is Stand.INSIDE:
                self.let(tracee, Stand.RUNNING)
        self._loose = self._outside = True
        while self._running and not self._ready and self._loose:
            heard = ptrace.wait(-1)
            self._hear(heard)
            self._loose = heard is None
        self._outside = False
        for tracee in list(self._running.values()):
            self.let(tracee, Stand.INSIDE)

    def _who_waits(self) -> str:
        def place(tracee: Tracee) -> str:
            if tracee.stand is Stand.STOPPED:
                return "is stopped"
            if tracee.stand is Stand.ENDED:
                return "has ended its first thread"
            return f"is in {tracee.call.name if tracee.call else 'a call'}"

        return ", ".join(f"{t.member.name} {place(t)}" for t in self.tracees.values())

    def _look_up(self) -> None:
        self.watchdog.look(self.clock, busy=self.controlled and not self._outside)

    def tick(self) -> None:
        """The watchdog: an alarm of ours has interrupted our waiting."""
        self._look_up()
        running = list(self._running.values())
        if not self.controlled or self._outside:
            return
        self._idle += 1
        if self._idle < 3:
            return
        if all(proc.state(t.tid) == "S" for t in running):
            for tracee in running:
                self.let(tracee, Stand.INSIDE)
        elif self._computes_for_long(running):
            if not self._ready:
                self._creep()
            if self._ready:
                self.because("somebody computes for long while others could run")
                self._loose = True
                self._release()

    def _computes_for_long(self, running: list[Tracee]) -> bool:
        """By the time on the processor, not on the wall: on a busy machine everybody is slow."""
        spent = sum(proc.nanoseconds(t.tid) for t in running)
        if self._idle == 3:
            self._spent_first = self._spent_last = spent
        return spent - self._spent_first > _TOO_LONG

    def _creep(self) -> None:
        """Others sleep until a deadline while somebody computes: time goes by for them, as it does on the processor."""
        spent = sum(proc.nanoseconds(t.tid) for t in self._running.values())
        passed, self._spent_last = spent - self._spent_last, spent
        if (deadline := self._next_deadline()) is not None:
            self.clock.jump_to(min(deadline, self.clock.now + passed))
            self._wake_the_due()


def _may_sleep(tracee: Tracee) -> bool:
    """It was let into a call that may have to wait."""
    return tracee.to_exit and not tracee.unfinished_birth


_order = operator.attrgetter("order")
