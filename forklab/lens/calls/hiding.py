"""A process that hides its memory from the lens: what it writes, and for how long it waits, nobody sees.

Where the lens has no CAP_SYS_PTRACE, the kernel refuses it the memory of who has become another user, or has called
prctl(PR_SET_DUMPABLE, 0). That looks like a bad pointer, but is not the process's mistake.
"""

from __future__ import annotations

from forklab.lens.edge import ptrace
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import HIDDEN
from forklab.lens.world.tracees import Tracee


def notice(run: Run, tracee: Tracee) -> None:
    """Where something in its memory could not be read."""
    if not ptrace.can_be_read(tracee.tid):
        run.because(HIDDEN)
