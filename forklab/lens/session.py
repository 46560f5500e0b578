"""One run of a program under the lens, from its first instruction to the end of everybody.

For the processes that do nothing but this: a recorder has one run, a replayer one after the other.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import gc
import os
import random
import resource
import select
import signal
import termios
import time
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

from forklab.lacking import LacksError, lacks
from forklab.lens.echo import Echo
from forklab.lens.edge import proc, ptrace, seccomp, timestamps
from forklab.lens.edge.descriptors import inherited
from forklab.lens.edge.namespace import (
    become_subreaper,
    die_with_parent,
    number_ipc,
    own_ipc,
    run_as_pid1,
)
from forklab.lens.loop.loop import Loop, Policy
from forklab.lens.loop.real_time import EverybodyRuns
from forklab.lens.loop.seeded import Seeded
from forklab.lens.loop.watchdog import TICK, Watchdog
from forklab.lens.request import HASH_SEED, Order, RealTime, Request, Seed
from forklab.lens.world.chronicle import Chronicle
from forklab.lens.world.clock import EPOCH, SECOND, Clock
from forklab.lens.world.limits import EndOfRunError, Findings
from forklab.lens.world.resources import Resources
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import File, Surroundings, identity
from forklab.numbering import FIRST_PID
from forklab.steps.chance import Chance, Kind
from forklab.steps.schedule import Schedule
from forklab.steps.state import number_of

_ADDR_NO_RANDOMIZE = 0x0040000  # personality(2): addresses are the same in every run
_NO_PROCESS = 127
_UNTRACEABLE = "!"  # before a refusal that is not about the program
_NS_LAST_PID = "/proc/sys/kernel/ns_last_pid"


class CannotSeizeError(Exception):
    """The program could not be traced; the text says why."""


class Ended(NamedTuple):
    """A run that is over; `refused` is what exec(2) had against the program, if anything."""

    run: Run
    refused: str


def apart(work: Callable[[bool], None], *, namespace: bool) -> None:
    """Do `work` as PID 1 of a new namespace if possible, else as a subreaper; it is told which."""
    die_with_parent()
    if namespace and run_as_pid1(lambda: work(True)):
        return
    become_subreaper()
    work(False)


def prepare(*, processor: int | None) -> frozenset[int]:
    """This process will do nothing but trace: on that one of our processors, or on all of them. Answers all."""
    gc.disable()  # nothing here goes in circles, and it would be looked through again and again
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ours = frozenset(os.sched_getaffinity(0))
    if processor is not None:
        # Only one runs at a time: on one processor, handing over is cheapest.
        os.sched_setaffinity(0, {sorted(ours)[processor % len(ours)]})
    return ours


def _to_the_microsecond(clock: Clock) -> float:
    return round(clock.now / SECOND, 6)


class Setting(NamedTuple):
    """What follows from who is next: the time that events have, and the numbers that processes are given.

    `repeatable`: each run finds what the first one found; `word_for_word`: its memory is the same, too.
    `in_virtual_time`: its clock is ours, and its time is limited on the processor; else on the wall. `chance`: what
    nobody decides differs from that of other runs.
    """

    policy: Policy
    now: Callable[[Clock], float] = _to_the_microsecond
    number_of: Callable[[str], int] | None = None
    in_virtual_time: bool = True
    repeatable: bool = False
    word_for_word: bool = False
    reasons: tuple[str, ...] = ()
    chance: Chance | None = None

    def varies(self, kind: Kind) -> bool:
        return self.chance is not None and self.chance.has(kind)


def setting_for(order: Order) -> Setting:
    match order:
        case Seed(number):
            return Setting(Seeded(random.Random(number)))
        case Schedule():
            from forklab.lens.loop.scheduled import Scheduled  # here: a third of all that is loaded

            policy = Scheduled(order)
            return Setting(
                policy,
                number_of=number_of,
                repeatable=True,
                word_for_word=order.by_memory,
                chance=order.chance,
            )
        case RealTime():
            return Setting(
                EverybodyRuns(),
                _stopwatch(),
                in_virtual_time=False,
                reasons=("it runs in real time",),
            )


class Session:
    """Runs the program of `request` as often as asked; `lifeline`: when that is cut, everybody has to end.

    `processors` are those that the program would have if nobody traced it.
    """

    def __init__(
        self,
        request: Request,
        lifeline: int,
        *,
        in_namespace: bool,
        processors: frozenset[int] = frozenset(),
    ) -> None:
        os.set_inheritable(lifeline, False)  # the program shall find none of ours
        self.request = request
        self._in_namespace = in_namespace
        self._processors = processors
        self._began = time.time_ns()
        self._lifeline = select.poll()
        self._lifeline.register(lifeline, select.POLLIN)
        self._foreign = _foreign()

    def run(self, setting: Setting) -> Ended:
        """Once, to the end of everybody. Raises CannotSeizeError."""
        policy = setting.policy
        if self._in_namespace:
            first = setting.chance.pid(FIRST_PID) if setting.chance else FIRST_PID
            with open(_NS_LAST_PID, "w") as file:
                file.write(str(first - 1))
        if setting.varies(Kind.PROCESSOR):
            self._go_elsewhere(setting)
        others = self._other_terminals(setting)
        held, theirs = self._output()
        outputs = frozenset(i for i in [identity(f"/proc/self/fd/{theirs}")] if i)
        try:
            pid, refusal = self._start(theirs, setting)
        finally:
            for number in (theirs, *others):
                os.close(number)
        run = self._new_run(pid, outputs, setting)
        spent = _processor_time(run) if setting.in_virtual_time else None
        watchdog = Watchdog(self.request.limits, lambda: bool(self._lifeline.poll(0)), spent)

        def ring(number: int, frame: FrameType | None) -> None:
            watchdog.rung = True

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        try:
            run.chronicle.first.adopts = self.request.subreaper
            run.world.new(pid, run.chronicle.first)
            if self.request.subreaper:
                run.chronicle.first.adopts = True
            Loop(run, policy, watchdog).follow()
        except EndOfRunError as end:
            run.findings.ended_early = str(end)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _kill_all(run)
        run.alarms.close()
        if not run.undo.all():
            run.because("it has changed files that can't be put back as they were")
        os.close(held)
        with open(refusal) as file:
            refused = file.read()
        if refused.startswith(_UNTRACEABLE):
            raise CannotSeizeError(refused.removeprefix(_UNTRACEABLE))
        return Ended(run, refused)

    def _new_run(self, pid: int, outputs: frozenset[File], setting: Setting) -> Run:
        chance = setting.chance
        clock, findings = Clock(), Findings(reasons=dict.fromkeys(setting.reasons))
        if chance is not None and setting.varies(Kind.TIME):
            clock = Clock(wall=EPOCH + chance.delay, up=chance.uptime)
        if chance is not None and setting.varies(Kind.PACE):
            clock.pace = chance.pace
        chronicle = Chronicle(
            pid,
            functools.partial(setting.now, clock),
            real_pids=self._in_namespace and pid == FIRST_PID,
            number_of=setting.number_of,
            outside=chance.parent if chance and setting.varies(Kind.NUMBERS) else os.getpid(),
            within_words=chance is not None,
        )
        surroundings = Surroundings(outputs, self._foreign, findings.because)
        return Run(
            chronicle,
            clock,
            self.request.limits,
            surroundings,
            findings,
            Echo(findings) if self.request.echo else lambda content: None,
            self._in_namespace,
            setting.in_virtual_time,
            setting.word_for_word,
            setting.chance,
            self._processors,
            self._began,
            processor_limit=resource.getrlimit(resource.RLIMIT_CPU)[0],
            resources=Resources(in_our_numbers=chronicle.in_our_numbers),
        )

    def _go_elsewhere(self, setting: Setting) -> None:
        """To any of the processors."""
        assert setting.chance is not None
        os.sched_setaffinity(0, {setting.chance.one_of(self._processors)})

    def _other_terminals(self, setting: Setting) -> list[int]:
        """Some that are in use already, so that its own gets another number."""
        if self.request.pipe or not setting.varies(Kind.NUMBERS):
            return []
        assert setting.chance is not None
        return [number for _ in range(setting.chance.terminals) for number in os.openpty()]

    def _output(self) -> tuple[int, int]:
        """What we keep of the program's standard output, and its end of it."""
        if self.request.pipe:
            return os.pipe()
        ours, theirs = _new_terminal()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        return ours, theirs

    def _start(self, output: int, setting: Setting) -> tuple[int, int]:
        """Fork the program; it waits until it is traced. Answers its pid, and where its exec's error can be read."""
        go, say_go = os.pipe()
        refusal, refuse = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(say_go)
                if os.read(go, 1):  # nothing: we could not be traced, so we must not run
                    self._become_program(output, setting)
            except OSError as error:
                os.write(refuse, (error.strerror or str(error)).encode())
            finally:
                os._exit(_NO_PROCESS)
        os.close(go)
        os.close(refuse)
        try:
            ptrace.seize(pid)
            os.write(say_go, b"!")
        except OSError as error:
            raise CannotSeizeError(f"{type(error).__name__}: {error}") from error
        finally:
            os.close(say_go)
        return pid, refusal

    def _become_program(self, output: int, setting: Setting) -> None:
        os.setsid()
        if setting.repeatable:
            own_ipc()  # objects of System V have the same numbers in every run, and none is left behind
            if setting.chance is not None and setting.varies(Kind.NUMBERS):
                number_ipc(setting.chance.object)
        if self.request.subreaper:
            become_subreaper()  # that outlives the exec, see prctl(2)
        for number in (1, 2):
            os.dup2(output, number)
        for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGALRM"):  # Python has changed these
            signal.signal(signal.Signals[name], signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        with contextlib.suppress(OSError):
            resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, resource.RLIM_INFINITY))
        if setting.word_for_word:
            timestamps.stop_at_them()
        if not setting.varies(Kind.ADDRESSES):
            ctypes.CDLL(None).personality(_ADDR_NO_RANDOMIZE)
        try:
            seccomp.install(seccomp.filter_for(setting.policy.stops))
        except OSError as error:
            raise OSError(error.errno, f"{_UNTRACEABLE}{error.strerror}") from error
        environment = dict(self.request.environment)
        if setting.chance is not None and setting.varies(Kind.HASHES):
            environment[HASH_SEED] = setting.chance.hash_seed
        os.execve(self.request.program, self.request.argv, environment)


def _new_terminal() -> tuple[int, int]:
    try:
        return os.openpty()
    except OSError as error:
        if lacks(error) and error.errno != errno.ENOSPC:  # that is about terminals here
            raise
        why = f"a terminal can't be had here ({error.strerror}, see pty(7)): with --pipe none is needed"
        raise LacksError(error.errno, why) from None


def _foreign() -> frozenset[File]:
    """Standard input, and what else the program is given, if it can bring something that differs from run to run."""
    given = (identity(f"/proc/self/fd/{number}") for number in (0, *inherited()))
    return frozenset(file for file in given if file and file != identity(os.devnull))


def _stopwatch() -> Callable[[Clock], float]:
    start = time.monotonic()
    return lambda _: round(time.monotonic() - start, 6)


def _processor_time(run: Run) -> Callable[[], float]:
    """What we and the program use from now on, in seconds: those who live, and those who were reaped."""
    start = _ours()

    def spent() -> float:
        living = {tracee.member.pid for tracee in run.world.tracees.values()}
        return _ours() - start + sum(map(proc.processor_seconds, living))

    return spent


def _ours() -> float:
    """Our own, and that of all that we have reaped."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _kill_all(run: Run) -> None:
    """Whoever is left, round after round; also those who have fled to us."""
    tracees = set(run.world.tracees)
    while True:
        for tid in tracees:
            with contextlib.suppress(ProcessLookupError):
                os.kill(tid, signal.SIGKILL)
        try:
            report = ptrace.wait(-1)
        except ChildProcessError:
            return
        if report is None:
            continue
        tid, status = report
        if status & 0x7F == 0x7F:
            with contextlib.suppress(ProcessLookupError):
                os.kill(tid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                ptrace.resume(tid)
        else:
            tracees.discard(tid)
