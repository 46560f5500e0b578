"""The world of a traced program: one process runs at a time, the others are held; a seed says who is next.

    while somebody lives:
        listen until everybody who runs has stopped, or sleeps in the kernel
        let one go who can, chosen by the seed
        nobody can: the clock jumps to the next deadline

What a stop at a system call means is in entry.py; this is the loop around it. Held processes sit at the entry of wait
and of sleeps, where the world itself knows when they can go on. Everything else that waits (pipes, poll, futexes) is
let into the kernel and sleeps there; whoever wakes it runs at that moment and has stopped before we look again, so
nothing is left to chance. In real time nobody is held: the same stops are only written down.
"""

from __future__ import annotations

import bisect
import os
import random
import signal
import stat as file_mode
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from forklab.lens import entry, proc, ptrace
from forklab.lens.chronicle import Chronicle, Member
from forklab.lens.clock import Clock
from forklab.lens.timers import INTERVAL_TIMER
from forklab.lens.tracee import Limits, Outcome, Stand, Timer, Tracee
from forklab.lens.vdso import hide_vdso

STOP_SIGNALS = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
TICK = 0.02  # seconds between two looks of the watchdog
_AT_WILL = 20_000  # looks at one that has been let into the kernel, before the watchdog takes over


class EndOfWorldError(Exception):
    """The program has to be ended; the text says why."""


@dataclass
class World:
    """`outputs` are the files that count as the program's output, as (device, inode, device number).

    `foreign` is the standard input, if it comes from outside. `hear` gets output as it is written, `abandoned` answers
    whether nobody is interested any more.
    """

    chronicle: Chronicle
    clock: Clock
    choices: random.Random | None  # None: real time
    limits: Limits
    outputs: frozenset[tuple[int, int, int]]
    foreign: tuple[int, int, int] | None
    hear: Callable[[bytes], None]
    abandoned: Callable[[], bool]
    in_namespace: bool
    outcome: Outcome = field(default_factory=Outcome)
    tracees: dict[int, Tracee] = field(default_factory=dict)
    timers: dict[tuple[Member, int], Timer] = field(default_factory=dict)
    ringing: dict[tuple[Member, int], int] = field(
        default_factory=dict
    )  # signals of ours, with their code
    dispositions: dict[Member, proc.Masks] = field(default_factory=dict)  # until they change
    suspects: set[Member] = field(default_factory=set)  # a signal may be pending for them
    _ready: list[tuple[int, Tracee]] = field(default_factory=list)
    _running: dict[int, Tracee] = field(default_factory=dict)
    _asleep: dict[int, Tracee] = field(default_factory=dict)  # inside a call, or stopped
    _early: set[int] = field(default_factory=set)
    _loose: bool = False  # more than one runs
    alarmed: bool = False
    _outside: bool = False  # everybody waits for somebody outside
    _spent: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _checked: float = field(default_factory=time.monotonic)
    _idle: int = 0

    @property
    def controlled(self) -> bool:
        return self.choices is not None

    def adopt(self, tid: int) -> None:
        """The first process, which runs and is traced already."""
        self._let(self._new(tid, self.chronicle.first), Stand.RUNNING)

    def run(self) -> None:
        """To the end of everybody. Raises EndOfWorldError when it has to be ended instead."""
        while self.tracees:
            self._listen()
            self._settle_suspects()
            if self._ready:
                self._release()
            elif self.tracees and not self._running and not self._jump():
                self._wait_for_outside()

    # Who stands where

    def _new(self, tid: int, member: Member) -> Tracee:
        tracee = self.tracees[tid] = Tracee(tid, member, member.born)
        return tracee

    def _let(self, tracee: Tracee, stand: Stand) -> None:
        """The one place where a stand changes."""
        self._running.pop(tracee.tid, None)
        self._asleep.pop(tracee.tid, None)
        if tracee.stand is Stand.READY:
            self._ready.remove((tracee.order, tracee))
        tracee.stand = stand
        if stand is Stand.RUNNING:
            self._running[tracee.tid] = tracee
        elif stand in (Stand.INSIDE, Stand.STOPPED):
            self._asleep[tracee.tid] = tracee
        elif stand is Stand.READY:
            bisect.insort(self._ready, (tracee.order, tracee), key=lambda pair: pair[0])

    def ready(self, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0) -> None:
        """It can go on, when its turn comes."""
        tracee.to_exit, tracee.signal = to_exit, with_signal
        if self.controlled:
            self._let(tracee, Stand.READY)
        else:
            self.go_on(tracee, to_exit=to_exit, with_signal=with_signal)

    def hold(self, tracee: Tracee) -> None:
        """It has to wait for something that the world knows of."""
        self._let(tracee, Stand.HELD)

    def go_on(self, tracee: Tracee, *, to_exit: bool = False, with_signal: int = 0) -> None:
        """It goes on at once, nobody else comes between."""
        tracee.to_exit = to_exit
        self._let(tracee, Stand.RUNNING)
        ptrace.resume(tracee.tid, with_signal, to_exit=to_exit)

    def _release(self) -> None:
        assert self.choices is not None
        place = self.choices.randrange(len(self._ready)) if len(self._ready) > 1 else 0
        tracee = self._ready[place][1]
        try:
            self.go_on(tracee, to_exit=tracee.to_exit, with_signal=tracee.signal)
        except ProcessLookupError:  # killed while it was held: its end is reported
            self._let(tracee, Stand.RUNNING)

    # Listening

    def _listen(self) -> None:
        """Until nobody runs any more, but for those that sleep in the kernel."""
        if not self.controlled:
            self._hear(ptrace.wait(-1))
            return
        while self._running:
            first = min(self._running.values(), key=lambda tracee: tracee.order)
            if self._loose:
                self._hear(ptrace.wait(-1))
                if self._ready:
                    return
            elif first.to_exit and not first.unfinished_birth:
                self._watch_inside(first)
            else:
                self._hear(ptrace.wait(first.tid))
        for tracee in sorted(self._asleep.values(), key=lambda tracee: tracee.order):
            if tracee.tid in self._asleep:
                self._look_at(tracee)
        if self._running:
            self._listen()

    def _watch_inside(self, tracee: Tracee) -> None:
        """It was let into a call that may have to wait: it comes back, or it falls asleep there."""
        for _ in range(_AT_WILL):
            if report := ptrace.wait(tracee.tid, block=False):
                self._hear(report)
                return
            if proc.state(tracee.tid) == "S":
                if report := ptrace.wait(tracee.tid, block=False):
                    self._hear(report)
                else:
                    self._let(tracee, Stand.INSIDE)
                return
            os.sched_yield()
        self._hear(ptrace.wait(tracee.tid))

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
            os.sched_yield()
        self._let(tracee, Stand.RUNNING)

    def _hear(self, report: tuple[int, int] | None) -> None:
        if report is None:
            self._tick()
            return
        if self.alarmed:
            self._check_limits()
        self._idle = 0
        tid, status = report
        tracee = self.tracees.get(tid)
        if tracee is None:
            self._hear_stranger(tid, status)
        elif status & 0x7F != 0x7F:
            self._died(tracee, status)
        else:
            try:
                self._stopped(tracee, status >> 8 & 0xFF, status >> 16)
            except ProcessLookupError:  # killed under our feet: its end is reported
                self._let(tracee, Stand.RUNNING)

    def _hear_stranger(self, tid: int, status: int) -> None:
        """A newborn before we know of its birth; or a zombie that init has adopted."""
        if status & 0x7F == 0x7F:
            self._early.add(tid)
        elif (member := self.chronicle.get(tid)) and member.zombie and member.parent is None:
            self.chronicle.reaped(member)

    def _stopped(self, tracee: Tracee, number: int, event: int) -> None:
        entry.has_reaped(self, tracee)
        if event == ptrace.EVENT_SECCOMP:
            entry.entered(self, tracee)
        elif number == ptrace.SYSCALL_STOP:
            entry.returned(self, tracee)
        elif event in ptrace.BIRTHS:
            self._gave_birth(tracee, event)
        elif event == ptrace.EVENT_EXEC:
            self._executed(tracee)
        elif event == ptrace.EVENT_STOP and number in STOP_SIGNALS:
            self._job_control(tracee, number)
        elif event == ptrace.EVENT_VFORK_DONE:
            tracee.unfinished_birth = False
            self.ready(tracee)
        elif event:
            if tracee.stand is Stand.STOPPED:
                if tracee.member.stopped:
                    self.chronicle.continued(tracee.member)
                    self._tell_parent(tracee.member)
                self.ready(tracee)
            else:
                self.go_on(tracee)
        else:
            self._signal(tracee, number)

    # Births, programs, deaths

    def _gave_birth(self, tracee: Tracee, event: int) -> None:
        tid = ptrace.event_message(tracee.tid)
        is_thread = event == ptrace.EVENT_CLONE and proc.thread_group(tid) == tracee.member.pid
        if is_thread:
            self.because("it has several threads")
            child = self._new(tid, tracee.member)
        else:
            child = self._new(tid, self.chronicle.forked(tracee.member, tid))
        while tid not in self._early and ptrace.wait(tid) is None:
            self._tick()
        self._early.discard(tid)
        if len(self.tracees) > self.limits.processes:
            raise EndOfWorldError(
                f"It had more than {self.limits.processes} processes. Does it fork in an endless loop?"
            )
        if event == ptrace.EVENT_VFORK:
            tracee.unfinished_birth = True
            self.go_on(tracee)
            if self.controlled:
                self._let(tracee, Stand.INSIDE)
        else:
            self.ready(tracee)
        self.ready(child)

    def _executed(self, tracee: Tracee) -> None:
        """The other threads are gone; a thread that is not the first one takes over the pid of the process."""
        member = tracee.member
        former = ptrace.event_message(tracee.tid)
        for other in [t for t in self.tracees.values() if t.member is member and t is not tracee]:
            self._forget(other)
        if former != tracee.tid:
            self.tracees.pop(former, None)
        self._drop_timers(member, keep=INTERVAL_TIMER)  # execve(2)
        self.dispositions.pop(member, None)
        if self.controlled:
            hide_vdso(tracee.tid)
        self.chronicle.executed(member, proc.command_line(member.pid))
        self.ready(tracee)

    def _forget(self, tracee: Tracee) -> None:
        self._let(tracee, Stand.HELD)
        self.tracees.pop(tracee.tid, None)

    def _died(self, tracee: Tracee, status: int) -> None:
        entry.has_reaped(self, tracee)
        self._forget(tracee)
        member = tracee.member
        if not tracee.is_leader:
            return
        for other in [t for t in self.tracees.values() if t.member is member]:
            self._forget(other)
        self._drop_timers(member)
        self.dispositions.pop(member, None)
        self.suspects.discard(member)
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL:  # there is no stop at its delivery
            self.chronicle.signalled(member, signal.SIGKILL, self.chronicle.killer_of(member))
        self.chronicle.died(member, code)
        self._orphan(member)
        if member.parent is None:
            self.chronicle.reaped(member)
        else:
            if not proc.exists(member.pid):  # the parent ignores SIGCHLD
                self.chronicle.reaped(member)
                assert member.parent is not None
            self._tell_parent(member)

    def _orphan(self, dead: Member) -> None:
        """The kernel tells who has adopted the children of the dead."""
        children = list(dead.children)
        for child in children:
            adopter = proc.parent(child.pid)
            new = self.chronicle.get(adopter) if adopter is not None else None
            self.chronicle.reparented(child, dead, None if new is dead else new)
        for child in children:
            if not child.zombie:
                continue
            if child.parent is None:
                while (report := ptrace.wait(child.pid)) is None:
                    self._tick()
                self._hear_stranger(*report)
            elif not proc.exists(child.pid):
                self.chronicle.reaped(child)
            else:
                self._tell_parent(child)

    def _tell_parent(self, member: Member) -> None:
        """Something happened to it: its parent may wait for that, and gets SIGCHLD."""
        parent = member.parent
        if parent is None:
            return
        self.suspects.add(parent)

    # Signals

    def _signal(self, tracee: Tracee, number: int) -> None:
        """A signal is about to be delivered."""
        told = ptrace.signal_info(tracee.tid)
        member = tracee.member
        sent = told.code <= 0 or number == signal.SIGCHLD
        sender = self.chronicle.latest(told.sender) if sent else None
        if (code := self.ringing.pop((member, number), None)) is not None:
            ptrace.disguise_signal(tracee.tid, code)
        if member not in self.dispositions and (read := proc.masks(member.pid, tracee.tid)):
            self.dispositions[member] = read
        masks = self.dispositions.get(member)
        tracee.last_sender = sender
        stops = number in STOP_SIGNALS  # told when it has stopped: it does not have to
        if masks and (masks.catches(number) if stops else not masks.harmless(number)):
            self.chronicle.signalled(member, number, sender)
        self.go_on(tracee, with_signal=number)

    def _job_control(self, tracee: Tracee, number: int) -> None:
        member = tracee.member
        if not member.stopped:
            self.chronicle.signalled(member, number, tracee.last_sender)
            self.chronicle.stopped(member, number)
            self._tell_parent(member)
        ptrace.listen(tracee.tid)
        self._let(tracee, Stand.STOPPED)

    def _settle_suspects(self) -> None:
        """Of those for whom something has happened: who can go on now?"""
        if not self.suspects:
            return
        suspects, self.suspects = self.suspects, set()
        for tracee in [t for t in self.tracees.values() if t.member in suspects]:
            if tracee.stand is not Stand.HELD or tracee.call is None:
                continue
            if entry.can_return(tracee):
                entry.let_reap(self, tracee)
                continue
            masks = proc.masks(tracee.member.pid, tracee.tid)
            if masks and masks.deliverable:
                entry.let_in(tracee)  # the kernel itself interrupts it
                self.ready(tracee, to_exit=True)

    # Time

    def _jump(self) -> bool:
        """Nobody can run: on to the next deadline, if there is one."""
        sleepers = [t for t in self.tracees.values() if t.deadline is not None]
        deadlines = [t.deadline for t in sleepers if t.deadline is not None]
        deadlines += [t.deadline for t in self.timers.values() if t.deadline is not None]
        if not deadlines:
            return False
        self.clock.jump_to(min(deadlines))
        if self.clock.seconds > self.limits.virtual_seconds:
            raise EndOfWorldError(
                f"It went on for more than {self.limits.virtual_seconds:g} seconds of virtual time."
            )
        for (member, _), timer in list(self.timers.items()):
            if timer.deadline is not None and timer.deadline <= self.clock.now:
                self._ring(member, timer)
        for tracee in sleepers:
            if tracee.deadline is not None and tracee.deadline <= self.clock.now:
                entry.time_is_up(self, tracee)
        return True

    def _ring(self, member: Member, timer: Timer) -> None:
        timer.rings()
        self.ringing[member, timer.number] = timer.code
        self.suspects.add(member)
        os.kill(member.pid, timer.number)

    def _drop_timers(self, member: Member, *, keep: int | None = None) -> None:
        """All of a process but one."""
        for key in [key for key in self.timers if key[0] is member and key[1] != keep]:
            del self.timers[key]

    def interrupt(self, tracee: Tracee) -> None:
        """Get it out of the call in which it sleeps."""
        self._let(tracee, Stand.RUNNING)
        ptrace.interrupt(tracee.tid)

    def awaken(self, tracee: Tracee) -> None:
        """It has been killed: its end is awaited."""
        self._let(tracee, Stand.RUNNING)

    # The outside

    def because(self, reason: str) -> None:
        """Why the same seed may not give the same history."""
        self.outcome.reasons.setdefault(reason)

    def is_output(self, tid: int, descriptor: int) -> bool:
        return identity(f"/proc/{tid}/fd/{descriptor}") in self.outputs

    def kind_of(self, tid: int, descriptor: int) -> int:
        """The file type of a descriptor, as in st_mode; 0 if it is not open. Notices what comes from outside."""
        try:
            found = os.stat(f"/proc/{tid}/fd/{descriptor}")
        except OSError:
            return 0
        if self.foreign and self.foreign == (found.st_dev, found.st_ino, found.st_rdev):
            self.because("it reads what comes from outside")
        elif file_mode.S_ISSOCK(found.st_mode):
            self.because("it uses sockets")
        return file_mode.S_IFMT(found.st_mode)

    def wrote(self, tracee: Tracee, content: bytes) -> None:
        """Part of the program's output."""
        room = self.limits.output - len(self.outcome.output)
        if len(content) > room:
            self.outcome.cut = True
            content = content[:room]
        if content:
            self.outcome.output += content
            self.chronicle.wrote(tracee.member, content.decode(errors="replace"))
            self.hear(content)

    def _wait_for_outside(self) -> None:
        """Everybody waits, and no clock will wake them: only somebody outside can."""
        outside = self.foreign is not None or "it uses sockets" in self.outcome.reasons
        if self.ringing or self.suspects:
            return
        if not outside or not self._asleep:
            raise EndOfWorldError(
                f"Everybody waits, and nobody will ever wake them: {self._who_waits()}."
            )
        for tracee in list(self._asleep.values()):
            if tracee.stand is Stand.INSIDE:
                self._let(tracee, Stand.RUNNING)
        self._loose = self._outside = True
        while self._running and not self._ready and self._loose:
            heard = ptrace.wait(-1)
            self._hear(heard)
            self._loose = heard is None
        self._outside = False
        for tracee in list(self._running.values()):
            self._let(tracee, Stand.INSIDE)

    def _who_waits(self) -> str:
        def place(tracee: Tracee) -> str:
            if tracee.stand is Stand.STOPPED:
                return "is stopped"
            return f"is in {tracee.call.name if tracee.call else 'a call'}"

        return ", ".join(f"{t.member.name} {place(t)}" for t in self.tracees.values())

    def _check_limits(self) -> None:
        """Each time that an alarm of ours has rung."""
        self.alarmed = False
        if self.abandoned():
            raise EndOfWorldError("Nobody waits for it any more.")
        now = time.monotonic()
        if self.controlled and not self._outside:
            self._spent += min(now - self._checked, 2 * TICK)
        self._checked = now
        if self._spent > self.limits.processor_seconds:
            raise EndOfWorldError(
                f"It kept the processor busy for more than {self.limits.processor_seconds:g} seconds,"
                f" {self.clock.seconds:g} s after its start in virtual time."
            )
        limit = self.limits.real_seconds
        if limit is not None and now - self._started > limit:
            raise EndOfWorldError(f"It took more than {limit:g} seconds.")

    def _tick(self) -> None:
        """The watchdog: an alarm of ours has interrupted our waiting."""
        self._check_limits()
        running = list(self._running.values())
        if not self.controlled or self._loose:
            return
        self._idle += 1
        if self._idle < 3:
            return
        if all(proc.state(t.tid) == "S" for t in running):
            for tracee in running:
                self._let(tracee, Stand.INSIDE)
        elif self._ready:
            self.because("somebody computes for long while others could run")
            self._release()
            self._loose = True


def identity(path: str) -> tuple[int, int, int] | None:
    """What file it is, however it was opened."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_rdev
