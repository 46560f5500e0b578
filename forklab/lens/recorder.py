"""Traces one program to its end: `python -m forklab.lens.recorder REQUEST`, a process of its own.

Whoever wants to know (a notebook's kernel, the command) must not be the tracer: tracing belongs to one thread, and its
waitpid(-1) would take other children away. `forklab.lens.record` is the other end; REQUEST and the answer are JSON, as
it says there. No process of the program outlives this one.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import random
import resource
import select
import signal
import sys
import termios
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from forklab.lens.calls import groups as calls
from forklab.lens.edge import ptrace, seccomp
from forklab.lens.edge.namespace import become_subreaper, die_with_parent, run_as_pid1
from forklab.lens.loop.scheduled import MOST_STEPS, Schedule
from forklab.lens.loop.watchdog import TICK, Watchdog
from forklab.lens.world.chronicle import FIRST, Chronicle
from forklab.lens.world.clock import Clock
from forklab.lens.world.surroundings import Surroundings, identity
from forklab.lens.world.tracee import EndOfWorldError, Limits, Outcome
from forklab.lens.world.world import World
from forklab.steps.state import Move, number_of

_ADDR_NO_RANDOMIZE = 0x0040000  # personality(2): addresses are the same in every run
_NO_PROCESS, _OUTPUT = 127, 1


class Recorder:
    """One run, as REQUEST wants it."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        for descriptor in (request["lifeline"], request["answer"]):
            os.set_inheritable(descriptor, False)  # the program shall find none of ours
        self.lifeline = select.poll()
        self.lifeline.register(request["lifeline"], select.POLLIN)

    def run(self) -> None:
        """As PID 1 of a namespace if possible, else as a subreaper."""
        die_with_parent()
        if self.request["namespace"] and run_as_pid1(lambda: self.trace(in_namespace=True)):
            return
        become_subreaper()
        self.trace(in_namespace=False)

    def trace(self, *, in_namespace: bool) -> None:
        prepare(processor=None if self.request["real_time"] else 0)
        schedule = None
        if self.request["schedule"] is not None:
            steps = [Move(process, kind) for process, kind in self.request["schedule"]]
            schedule = Schedule(steps, most=MOST_STEPS, ignored=self.request["ignored"])
        world, refused = self.perform(in_namespace=in_namespace, schedule=schedule)
        self._answer(world, refused)

    def perform(self, *, in_namespace: bool, schedule: Schedule | None) -> tuple[World, str]:
        """Run the program once, to the end of everybody; also what exec(2) had against it, if anything."""
        held, theirs = self._output()
        outputs = frozenset(i for i in [identity(f"/proc/self/fd/{theirs}")] if i)
        pid, refusal = self._start(theirs)
        os.close(theirs)
        clock = Clock()
        real = self.request["real_time"]
        now = _stopwatch() if real else lambda: round(clock.seconds, 6)
        limits, outcome = Limits(**self.request["limits"]), Outcome()
        watchdog = Watchdog(limits, lambda: bool(self.lifeline.poll(0)))
        world = World(
            chronicle=Chronicle(
                pid,
                now,
                real_pids=in_namespace and pid == FIRST,
                number_of=number_of if schedule else None,
            ),
            clock=clock,
            choices=None if real or schedule else random.Random(self.request["seed"]),
            schedule=schedule,
            limits=limits,
            watchdog=watchdog,
            surroundings=Surroundings(outputs, self._foreign(), outcome.because),
            outcome=outcome,
            hear=self._hear,
            in_namespace=in_namespace,
        )
        if real:
            world.because("it runs in real time")

        def ring(number: int, frame: FrameType | None) -> None:
            watchdog.rung = True

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        try:
            world.adopt(pid)
            world.run()
        except EndOfWorldError as trouble:
            world.outcome.trouble = str(trouble)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _kill_all(world)
        os.close(held)
        with open(refusal) as file:
            return world, file.read()

    def _output(self) -> tuple[int, int]:
        """What we keep of the program's standard output, and its end of it."""
        if self.request["pipe"]:
            return os.pipe()
        ours, theirs = os.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        return ours, theirs

    def _foreign(self) -> tuple[int, int, int] | None:
        """Standard input, if it can bring something that differs from run to run."""
        if os.path.sameopenfile(0, os.open(os.devnull, os.O_RDONLY)):
            return None
        return identity("/proc/self/fd/0")

    def _hear(self, content: bytes) -> None:
        if self.request["echo"]:
            with contextlib.suppress(OSError):  # nobody listens any more, as under `| head`
                while content:  # an alarm may come in the middle
                    content = content[os.write(_OUTPUT, content) :]

    def _start(self, output: int) -> tuple[int, int]:
        """Fork the program; it waits until it is traced. Answers its pid, and where its exec's error can be read."""
        go, say_go = os.pipe()
        refusal, refuse = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(say_go)
                if os.read(go, 1):  # nothing: we could not be traced, so we must not run
                    self._become_program(output)
            except OSError as error:
                os.write(refuse, (error.strerror or str(error)).encode())
            finally:
                os._exit(_NO_PROCESS)
        os.close(go)
        os.close(refuse)
        ptrace.seize(pid)
        os.write(say_go, b"!")
        os.close(say_go)
        return pid, refusal

    def _become_program(self, output: int) -> None:
        os.setsid()
        if self.request["subreaper"]:
            become_subreaper()  # that outlives the exec, see prctl(2)
        for number in (1, 2):
            os.dup2(output, number)
        for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGALRM"):  # Python has changed these
            signal.signal(signal.Signals[name], signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, resource.RLIM_INFINITY))
        ctypes.CDLL(None).personality(_ADDR_NO_RANDOMIZE)
        real = self.request["real_time"]
        stops = calls.ALWAYS if real else calls.IN_VIRTUAL_TIME
        if self.request["schedule"] is not None:
            stops = calls.IN_EVERY_ORDER
        seccomp.install(seccomp.filter_for(stops))
        os.execve(self.request["program"], self.request["argv"], self.request["environment"])

    def _answer(self, world: World, refused: str) -> None:
        outcome, first = world.outcome, world.chronicle.first
        answer = {
            "refused": refused or None,
            "history": world.chronicle.form,
            "real_pids": all(m.pid == m.number for m in world.chronicle.everybody),
            "output": "".join(outcome.output),
            "cut": outcome.cut,
            "status": first.status,
            "trouble": outcome.trouble,
            "reasons": list(outcome.reasons),
            "seconds": world.clock.seconds,
        }
        with open(self.request["answer"], "w", encoding="utf-8") as file:
            file.write(json.dumps(answer))  # not json.dump(): that is the slow way


def prepare(*, processor: int | None) -> None:
    """This process will do nothing but trace: on that one of our processors, or on all of them."""
    gc.disable()  # nothing here goes in circles, and it would be looked through again and again
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if processor is not None and hasattr(os, "sched_setaffinity"):
        # Only one runs at a time: on one processor, handing over is cheapest.
        ours = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {ours[processor % len(ours)]})


def _stopwatch() -> Callable[[], float]:
    start = time.monotonic()
    return lambda: round(time.monotonic() - start, 6)


def _kill_all(world: World) -> None:
    """Whoever is left, round after round; also those who have fled to us."""
    while True:
        for tid in list(world.tracees):
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
            world.tracees.pop(tid, None)


if __name__ == "__main__":
    Recorder(json.loads(sys.argv[1])).run()
