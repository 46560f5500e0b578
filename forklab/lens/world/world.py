"""The world of a traced program: one process runs at a time, the others are held; a seed says who is next.

    while somebody lives:
        listen until everybody who runs has stopped, or sleeps in the kernel
        let one go who can, chosen by the seed
        nobody can: the clock jumps to the next deadline

What a stop means is elsewhere; this is the loop around it. Held processes sit at
the entry of wait and of sleeps, where the world itself knows when they can go on. Everything else that waits (pipes,
poll, futexes) is let into the kernel and sleeps there; whoever wakes it runs at that moment and has stopped before we
look again, so nothing is left to chance. In real time nobody is held: the same stops are only written down.
"""

from __future__ import annotations

import bisect
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from forklab.lens.calls import dispatch as entry
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop import delivery, listening
from forklab.lens.loop.scheduled import Schedule
from forklab.lens.loop.watchdog import Watchdog
from forklab.lens.world.chronicle import Chronicle, Member
from forklab.lens.world.clock import Clock
from forklab.lens.world.surroundings import Surroundings
from forklab.lens.world.tracee import EndOfWorldError, Limits, Outcome, Stand, Timer, Tracee


@dataclass
class World:
    """`hear` gets output as it is written; `in_namespace`: our PID 1 is the tracer, nobody else can be reached."""

    chronicle: Chronicle
    clock: Clock
    choices: random.Random | None
    limits: Limits
    watchdog: Watchdog
    surroundings: Surroundings
    outcome: Outcome
    hear: Callable[[bytes], None]
    in_namespace: bool
    schedule: Schedule | None = None  # instead of `choices`; with neither, it is real time
    tracees: dict[int, Tracee] = field(default_factory=dict)
    timers: dict[tuple[Member, int], Timer] = field(default_factory=dict)
    # Signals that a timer of ours has sent, and the code that siginfo shall have.
    ringing: dict[tuple[Member, int], int] = field(default_factory=dict)
    dispositions: dict[Member, proc.Masks] = field(default_factory=dict)  # until they change
    threaded: set[Member] = field(default_factory=set)  # they have, or had, several threads
    suspects: set[Member] = field(default_factory=set)  # a signal may be pending for them
    queue: list[Tracee] = field(default_factory=list)  # in order of birth
    running: dict[int, Tracee] = field(default_factory=dict)
    asleep: dict[int, Tracee] = field(default_factory=dict)  # inside a call, stopped or ended
    early: set[int] = field(default_factory=set)
    loose: bool = False  # more than one runs
    outside: bool = False  # everybody waits for somebody outside
    idleness: listening.Idleness = field(default_factory=listening.Idleness)

    @property
    def controlled(self) -> bool:
        return self.choices is not None or self.schedule is not None

    def adopt(self, tid: int) -> None:
        """The first process, which runs and is traced already."""
        self.let(self.new(tid, self.chronicle.first), Stand.RUNNING)

    def run(self) -> None:
        """To the end of everybody. Raises EndOfWorldError when it has to be ended instead."""
        while self.tracees:
            listening.listen(self)
            if self.schedule is not None:
                self.schedule.go_on(self)
                if self.tracees:
                    continue
                return
            delivery.settle_suspects(self)
            if self.queue:
                self.release()
            elif self.tracees and not self.running and not self.jump():
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
                self.running.pop(tracee.tid, None)
            case Stand.READY:
                self.queue.remove(tracee)
            case Stand.INSIDE | Stand.STOPPED | Stand.ENDED:
                del self.asleep[tracee.tid]
        tracee.stand = stand
        match stand:
            case Stand.RUNNING:
                self.running[tracee.tid] = tracee
            case Stand.READY:
                bisect.insort(self.queue, tracee, key=listening.in_order)
            case Stand.INSIDE | Stand.STOPPED | Stand.ENDED:
                self.asleep[tracee.tid] = tracee

    def ready(self, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0) -> None:
        """It can go on, when its turn comes."""
        tracee.to_exit, tracee.signal = to_exit, with_signal
        if tracee.member.doomed:
            self.kill(tracee)
            return
        if self.schedule is not None:
            waits = not to_exit and self.schedule.stops_after_calls(self, tracee)
        else:
            waits = self.controlled
        if waits:
            self.let(tracee, Stand.READY)
        else:
            self.go_on(tracee, to_exit=to_exit, with_signal=with_signal)

    def hold(self, tracee: Tracee) -> None:
        """It has to wait for something that the world knows of.

        No signal is pending for it that could end its wait: it would have been delivered on the way here, and nobody
        else has run since, or somebody may have.
        """
        if self.loose:
            self.suspects.add(tracee.member)
        if self.schedule is not None:
            tracee.detail, tracee.late = (tracee.deadline,), False
        self.let(tracee, Stand.HELD)

    def go_on(self, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0) -> None:
        """It goes on at once, nobody else comes between."""
        # Whoever is doomed does not come further than to the end of the call that it is in.
        tracee.to_exit, tracee.moved = to_exit or tracee.member.doomed, True
        self.let(tracee, Stand.RUNNING)
        ptrace.resume(tracee.tid, with_signal, to_exit=tracee.to_exit)

    def release(self) -> None:
        assert self.choices is not None
        place = self.choices.randrange(len(self.queue)) if len(self.queue) > 1 else 0
        tracee = self.queue[place]
        try:
            self.go_on(tracee, to_exit=tracee.to_exit, with_signal=tracee.signal)
        except ProcessLookupError:  # killed while it was held: its end is reported
            self.let(tracee, Stand.RUNNING)

    # Listening

    def tick(self) -> None:
        """An alarm of ours has interrupted our waiting."""
        listening.tick(self)

    def hear_stranger(self, tid: int, status: int) -> None:
        """Of somebody whom we do not trace, or not yet."""
        listening.hear_stranger(self, tid, status)

    # What others have to know

    def tell_parent(self, member: Member) -> None:
        """Something happened to it: its parent may wait for that, and gets SIGCHLD."""
        parent = member.parent
        if parent is None:
            return
        self.suspects.add(parent)

    # Time

    def jump(self) -> bool:
        """Nobody can run: on to the next deadline, if there is one."""
        deadline = self.next_deadline()
        if deadline is None:
            return False
        self.clock.jump_to(deadline)
        if self.clock.seconds > self.limits.virtual_seconds:
            raise EndOfWorldError(
                f"It went on for more than {self.limits.virtual_seconds:g} seconds of virtual time."
            )
        self.wake_the_due()
        return True

    def next_deadline(self) -> int | None:
        """Who is stopped does not wake, however long it meant to sleep; it is late then when it goes on."""
        awaited = [tracee for tracee in self.tracees.values() if tracee.stand is not Stand.STOPPED]
        deadlines = [tracee.deadline for tracee in awaited]
        deadlines += [timer.deadline for timer in self.timers.values()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def wake_the_due(self) -> None:
        """All whose deadline has come."""
        for (member, _), timer in list(self.timers.items()):
            if timer.deadline is not None and timer.deadline <= self.clock.now:
                self._ring(member, timer)
        for tracee in list(self.tracees.values()):
            if self.schedule is not None and tracee.stand is Stand.HELD:
                continue  # it wakes when it is chosen
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

    def kill(self, tracee: Tracee) -> None:
        """SIGKILL, which somebody has sent to it, arrives."""
        os.kill(tracee.member.pid, signal.SIGKILL)
        self.awaken(tracee)

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
        if not outside or not self.asleep:
            raise EndOfWorldError(
                f"Everybody waits, and nobody will ever wake them: {self.who_waits()}."
            )
        for tracee in list(self.asleep.values()):
            if tracee.stand is Stand.INSIDE:
                self.let(tracee, Stand.RUNNING)
        self.loose = self.outside = True
        while self.running and not self.queue and self.loose:
            heard = ptrace.wait(-1)
            listening.hear(self, heard)
            self.loose = heard is None
        self.outside = False
        for tracee in list(self.running.values()):
            self.let(tracee, Stand.INSIDE)

    def who_waits(self) -> str:
        def place(tracee: Tracee) -> str:
            if tracee.stand is Stand.STOPPED:
                return "is stopped"
            if tracee.stand is Stand.ENDED:
                return "has ended its first thread"
            return f"is in {tracee.call.name if tracee.call else 'a call'}"

        return ", ".join(f"{t.member.name} {place(t)}" for t in self.tracees.values())
