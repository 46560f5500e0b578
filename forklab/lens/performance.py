"""A door of the lens: a program is directed from this very process, while it goes on in virtual time.

    performance = Performance(pid, actor, director, seed=3)     # somebody else has started it, and it asks for us
    performance.come_to_rest()
    performance.order(member, "exit 3")
    performance.come_to_rest()
    performance.close()

Nobody is left of it then. Whoever starts the program installs the filter `STOPS` in it, and then asks by
`forklab.lens.calls.cueing` until it is traced. The tracer is the thread that has made this: that of the main program,
as alarms come to it; only the program's own processes are ever waited for.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol

from forklab.kernel.signals import KILL
from forklab.lens.calls import sending
from forklab.lens.edge import proc, ptrace, seccomp
from forklab.lens.loop.cues import Cues, Director
from forklab.lens.loop.directed import STOPS, STOPS_AND_EXITS, Directed
from forklab.lens.loop.loop import Loop, Policy
from forklab.lens.loop.rest import Rest
from forklab.lens.loop.seeded import Seeded
from forklab.lens.loop.watchdog import TICK, Watchdog
from forklab.lens.world.chronicle import Chronicle, Member
from forklab.lens.world.clock import NEVER, SECOND, Clock
from forklab.lens.world.dispositions import Dispositions
from forklab.lens.world.limits import Findings, Limits
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.surroundings import File, Surroundings
from forklab.lens.world.tracees import Tracee

_LIBC = ctypes.CDLL(None)

# Of one performance: only processor time ends it, and who is too many, as everything else costs none.
LIMITS = Limits(processor_seconds=20.0, virtual_seconds=1e9, processes=256)

_PAUSE = 0.0005  # seconds between two looks at those who are about to end


class Directing(Policy, Protocol):
    """A policy that lets somebody direct."""

    def come_to_rest(self, loop: Loop, patience: int) -> Rest:
        """Everybody goes on until the play is at rest; nobody is waited for who sleeps longer than `patience` (ns).

        Raises EndOfRunError if it has to be ended instead.
        """

    def order(self, loop: Loop, member: Member, order: str) -> None:
        """An actor gets that as soon as it asks for orders."""


def filter_of_stops(*, holds_exits: bool = False) -> bytes:
    """The filter that the program has to have, a program for the kernel's BPF machine."""
    return seccomp.filter_for(STOPS_AND_EXITS if holds_exits else STOPS)


class Performance:
    """`actor` is the file that actors execute. `terminal`: the program has one.

    `adopts`: the first process is PID 1, or a subreaper. Exits are held if the filter says so.

    Where the first process is PID 1 of a PID namespace of its own, everybody is called by their numbers there. Raises
    OSError if the program cannot be traced.
    """

    _directed: Directed | None = None  # where exits can be held

    def __init__(
        self,
        pid: int,
        actor: File,
        director: Director,
        *,
        seed: int | str = 0,
        terminal: bool = False,
        adopts: bool = False,
        limits: Limits = LIMITS,
    ) -> None:
        """`seed` decides who is next where several can go on."""
        chance = Seeded(random.Random(seed))
        self._directed = Directed(chance, Cues(actor, director), restless=terminal)
        self._begin(pid, self._directed, limits, stops_at_end=True)
        self.first.adopts = adopts

    def _begin(
        self,
        pid: int,
        policy: Directing,
        limits: Limits,
        number_of: Callable[[str], int] | None = None,
        terminal: File | None = None,
        *,
        stops_at_end: bool = False,
    ) -> None:
        """`stops_at_end`: where the first process is a PID 1 it stops once more then."""
        clock, findings = Clock(), Findings()
        chronicle = Chronicle(
            pid, lambda: round(clock.now / SECOND, 6), real_pids=False, number_of=number_of
        )
        self._policy = policy
        self._run = Run(
            chronicle,
            clock,
            limits,
            Surroundings(frozenset(), frozenset(), findings.because, terminal),
            findings,
            echo=lambda content: None,
            in_namespace=True,
            in_virtual_time=True,
            orphans_go_outside=True,
            dispositions=Dispositions(sees_changes=not policy.stops.handlers_of),
        )
        self._watchdog = Watchdog(limits, lambda: False, self._spent)
        self._began = time.process_time()
        self._loop = Loop(self._run, self._policy, self._watchdog)
        stops_at_end = stops_at_end and proc.numbers(pid)[-1:] == (1,)
        ptrace.seize(pid, stops_at_end=stops_at_end)
        processor = _this_processor()
        os.sched_setaffinity(pid, processor)
        self._run.world.new(pid, self.first).tells_its_end = stops_at_end
        _number(self.first)
        self._until_closed = contextlib.ExitStack()
        self._until_closed.enter_context(_on(processor))
        self._until_closed.enter_context(_alarms(self._watchdog))
        self._until_closed.enter_context(_without_collector())

    @property
    def first(self) -> Member:
        return self._run.chronicle.first

    @property
    def everybody(self) -> list[Member]:
        """In the order of their births."""
        return self._run.chronicle.everybody

    def living(self, pid: int) -> Member | None:
        """Whoever has this pid now, zombies too."""
        return self._run.chronicle.get(pid)

    @property
    def seconds(self) -> float:
        """Virtual ones, so far."""
        return self._run.clock.seconds

    def come_to_rest(self, patience: float | None = None, *, at_least: float = 0.0) -> Rest:
        """Nobody is waited for who sleeps longer than that, in seconds. Raises EndOfRunError if it has to be ended.

        `at_least` so many go by, whoever wakes up again and again; not where a schedule says who is next.
        """
        longest = NEVER if patience is None else round(patience * SECOND)
        if self._directed is not None:
            self._directed.until = self._run.clock.now + round(at_least * SECOND)
        return self._policy.come_to_rest(self._loop, longest)

    def order(self, member: Member, order: str) -> None:
        """An actor gets that as soon as it asks for orders."""
        self._policy.order(self._loop, member, order)

    def send(self, member: Member, number: int) -> None:
        """A signal from outside; to one that is gone, nothing."""
        if member.dead:
            return
        os.kill(member.pid, number)
        self._run.suspects.add(member)
        if number == KILL:
            for tracee in self._run.world.threads_of(member):
                tracee.at_its_end = True
            sending.await_the_dying(self._run, self._run.world.threads_of(member))

    def stir(self) -> None:
        """Something has happened outside: the kernel may have sent signals to anybody."""
        self._run.suspects |= {tracee.member for tracee in self._run.world.tracees.values()}

    def let_exit(self, member: Member) -> None:
        """One that is held at its exit, or will be."""
        if self._directed is not None:
            self._directed.let_exit(self._loop, member)

    def held_exit(self, member: Member) -> int | None:
        """With what it is about to exit, if it is held at that."""
        return None if member.dead or self._directed is None else self._directed.held.get(member)

    def caught_by(self, member: Member) -> list[tuple[int, str]]:
        """The signals that have come to it, and neither killed nor stopped it: number, and the sender's name or ""."""
        return self._run.chronicle.caught_by(member)

    def thread_of(self, member: Member) -> Tracee | None:
        """The first one; None if it is gone."""
        return self._run.world.tracees.get(member.pid)

    def close(self) -> None:
        """Everybody is killed, and has ended when this returns."""
        try:
            _kill_all(set(self._run.world.tracees), self.first.pid)
            for tracee in list(self._run.world.tracees.values()):
                self._run.world.let(tracee, Stand.GONE)
            self._run.alarms.close()
        finally:
            self._until_closed.close()

    def _spent(self) -> float:
        """Seconds on the processor: by us, and by those who live."""
        living = {tracee.member.pid for tracee in self._run.world.tracees.values()}
        return time.process_time() - self._began + sum(map(proc.processor_seconds, living))


def _number(first: Member) -> None:
    """In which namespaces it is, as seen from here."""
    numbers = proc.numbers(first.pid)[1:]
    if numbers:
        outer = (0,) * (len(numbers) - 1)  # nobody of the program is in one of these alone
        first.spaces, first.numbers = (*outer, proc.pid_namespace(first.pid)), numbers
        first.is_init = numbers[-1] == 1


def _this_processor() -> set[int]:
    """The one on which we run now: with several of us, the kernel has seen to it that each has its own.

    Only one runs at a time, so handing over is cheapest there; and whoever is woken by a timer does not run before the
    one who has set it.
    """
    ours = os.sched_getaffinity(0)
    here = _LIBC.sched_getcpu()
    return {here if here in ours else min(ours)}


@contextlib.contextmanager
def _on(processor: set[int]) -> Iterator[None]:
    """We, too: to go there and back at each rest of a play would cost more than all that is done there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processor)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _alarms(watchdog: Watchdog) -> Iterator[None]:
    """They ring meanwhile."""

    def ring(number: int, frame: FrameType | None) -> None:
        watchdog.rung = True

    before = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    finally:
        # Maybe that of another one, during which we were.
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Nearly all of a play is in use until it is over, and would be looked through again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _kill_all(tids: set[int], first: int) -> None:
    """These, and whoever else has descended from `first`.

    With a PID 1 its namespace dies, and it ends itself when all others have: so nobody is waited for alone.
    """
    for tid in tids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(tid, KILL)
    while tids:
        before = set(tids)
        for tid in before:
            try:
                report = ptrace.wait(tid, block=False)
            except ChildProcessError:
                tids.discard(tid)
                continue
            if report is None:
                continue
            if report[1] & 0x7F == 0x7F:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(tid, KILL)
                    ptrace.resume(tid)
            else:
                tids.discard(tid)
        tids |= _below(first) if first in tids else set()
        if tids == before:
            time.sleep(_PAUSE)  # they have to run, to end


def _below(pid: int) -> set[int]:
    """Who has descended from it, zombies too."""
    found: set[int] = set()
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = set(map(int, file.read().split()))
    except OSError:
        return found
    for child in children:
        found |= {child} | _below(child)
    return found
