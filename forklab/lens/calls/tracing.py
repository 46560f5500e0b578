"""Who traces whom: a program can trace nobody here, as everybody is traced already, and nobody is left untraced.

ptrace(2), and clone(2) with CLONE_UNTRACED. Nor may a program trace us: we would stop.
"""

from __future__ import annotations

import errno

from forklab.kernel.calls import int32
from forklab.lens.edge import proc, ptrace
from forklab.lens.edge.seccomp import CLONE_UNTRACED
from forklab.lens.world.onward import AT_ONCE, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_TRACEME = 0
_BEGINNINGS = frozenset({16, 0x4206})  # PTRACE_ATTACH, PTRACE_SEIZE


def trace(run: Run, tracee: Tracee, call: Call) -> Onward:
    request, whom = int32(call.arguments[0]), int32(call.arguments[1])
    if request == _TRACEME or request in _BEGINNINGS:
        run.remark(
            "ptrace is refused, as the lens traces already, and a process has one tracer only"
        )
    if request in _BEGINNINGS and whom not in run.world.tracees and proc.exists(whom):
        ptrace.skip_call(tracee.tid, -errno.EPERM)
    return AT_ONCE


def keep_the_child(run: Run, tracee: Tracee, call: Call) -> Onward:
    """clone(2)"""
    if call.arguments[0] & CLONE_UNTRACED:
        ptrace.set_argument(tracee.tid, 0, call.arguments[0] & ~CLONE_UNTRACED)
    return AT_ONCE
