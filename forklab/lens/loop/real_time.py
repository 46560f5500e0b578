"""Real time: everybody runs free, and the same stops are only written down."""

from __future__ import annotations

from dataclasses import dataclass

from forklab.kernel.calls import calls_in
from forklab.lens.edge import ptrace
from forklab.lens.edge.seccomp import Stops
from forklab.lens.loop import letting, listening
from forklab.lens.loop.loop import Loop
from forklab.lens.world.onward import Onward, Turn
from forklab.lens.world.tracees import Call, Tracee

_WRITES = frozenset({"write", "writev"})
# What every policy wants to see: who waits, who sends signals, who writes what, what becomes of signals, who adopts
# orphans; and who would set the machine's clock, or trace us, which must not be.
ALWAYS = (
    calls_in("wait", "signal", "set_clock")
    | _WRITES
    | {"rt_sigaction", "prctl", "ptrace", "unshare", "setns"}
)
_STOPS = Stops(ALWAYS)


@dataclass(eq=False)
class EverybodyRuns:
    """Nobody is held, and no clock but the machine's is asked."""

    stops: Stops = _STOPS

    def begins(self, loop: Loop, tracee: Tracee) -> None:
        pass

    def holds(self, loop: Loop, tracee: Tracee, call: Call) -> bool:
        return False

    def goes_on(self, loop: Loop, tracee: Tracee, onward: Onward) -> None:
        to_exit = onward.to_exit or onward.turn is Turn.HELD
        if tracee.call is not None and tracee.call.name in _WRITES:
            to_exit = False  # how it comes out of a full pipe tells nobody anything
        letting.go(loop.run, tracee, to_exit=to_exit, with_signal=onward.with_signal)

    def returned(self, loop: Loop, tracee: Tracee, result: int) -> None:
        pass

    def trapped(self, loop: Loop, tracee: Tracee) -> bool:
        return False

    def next(self, loop: Loop) -> None:
        listening.hear(loop, ptrace.wait())

    def alarm(self, loop: Loop) -> None:
        pass
