"""How long a build may take: what it does counts, not what else this machine does meanwhile.

The processor time of all its processes has a limit, and so has the time in which all of them are asleep. Whoever waits
for a processor or a disk is waited for, until it is clear that this machine will not do.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.stage.errors import NeverEndsError
from autograder.stage.looks import look_twice
from autograder.stage.watch import Watched, ready

_LOOK_SECONDS = 0.1
# What two looks at sleepers vouch for, however far they lie apart.
_LONGEST_NAP_SECONDS = 2 * _LOOK_SECONDS


@dataclass(frozen=True)
class Endurance:
    """Seconds of `processor` time, `asleep`, and until we give up on the `machine`, on the wall."""

    processor: float
    asleep: float
    machine: float

    def overrun_of(self, process: Watched) -> str:
        """Waits for a process, and answers what it and its descendants took too much of, in words; empty if it ended.

        Raises NeverEndsError if it has neither ended nor taken too much when the machine's time is over.
        """
        begun = before = time.monotonic()
        computed = slept = 0.0
        while not ready(process.pidfd, seconds=_LOOK_SECONDS):
            now = time.monotonic()
            with _family_of(process) as everybody:
                computed = max(computed, sum(one.processor_seconds() for one in everybody))
                if (still := look_twice(everybody, [], lambda: True)) and not still.stuck:
                    slept += min(now - before, _LONGEST_NAP_SECONDS)
            before = now
            if computed > self.processor:
                return f"it used the processor for more than {self.processor:g} s"
            if slept > self.asleep:
                return f"all of it slept, for more than {self.asleep:g} s"
            if now - begun > self.machine:
                raise NeverEndsError(
                    f"the build had {computed:.0f} s of processor time in {self.machine:g} s, and has not ended"
                )
        return ""


@contextlib.contextmanager
def _family_of(process: Watched) -> Iterator[list[Watched]]:
    """It and whoever descends from it, but those who end meanwhile."""
    found = [process]
    try:
        for one in found:
            for child in one.children():
                with contextlib.suppress(ProcessLookupError):
                    found.append(Watched(child))
        yield found
    finally:
        for one in found[1:]:
            one.close()
