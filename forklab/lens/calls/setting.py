"""Calls that would set the machine's clock: they set the program's own, and in real time they are refused.

Whoever looks at a program as root must not find the machine in another year afterwards.
"""

from __future__ import annotations

import errno
import struct

from forklab.kernel.calls import int32
from forklab.lens.edge import proc, ptrace
from forklab.lens.world import clock as clocks
from forklab.lens.world.onward import AT_ONCE, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_REALTIME = 0  # the one clock that can be set, see clock_settime(2)
_CAP_SYS_TIME = 25
_ADJ_OFFSET_SS_READ = 0xA001
_MODES = struct.Struct("<I")  # how struct timex begins; 0: it only asks


def set_clock(run: Run, tracee: Tracee, call: Call) -> Onward:
    """None of these calls is ever made, but those that only ask, or are an error whatever they say."""
    if call.name in ("adjtimex", "clock_adjtime"):
        return _adjust(tracee, call)
    allowed = run.in_virtual_time and proc.has_capability(tracee.tid, _CAP_SYS_TIME)
    ptrace.skip_call(tracee.tid, _set(run, tracee, call) if allowed else -errno.EPERM)
    return AT_ONCE


def _set(run: Run, tracee: Tracee, call: Call) -> int:
    """What the call returns."""
    of_day = call.name == "settimeofday"
    if not of_day and int32(call.arguments[0]) != _REALTIME:
        return -errno.EINVAL
    address = call.arguments[0 if of_day else 1]
    if of_day and not address:  # it sets the time zone alone
        return 0
    read = clocks.from_timeval if of_day else clocks.from_timespec
    try:
        changed = run.clock.set_wall(read(ptrace.read_memory(tracee.tid, address, 16)))
    except OSError:
        return -errno.EFAULT
    except ValueError:
        return -errno.EINVAL
    run.alarms.clock_was_set(changed)
    return 0


def _adjust(tracee: Tracee, call: Call) -> Onward:
    address = call.arguments[0 if call.name == "adjtimex" else 1]
    try:
        content = ptrace.read_memory(tracee.tid, address, _MODES.size)
        only_asks = _MODES.unpack(content)[0] in (0, _ADJ_OFFSET_SS_READ)
    except (OSError, struct.error):
        only_asks = False
    if not only_asks:
        ptrace.skip_call(tracee.tid, -errno.EPERM)
    return AT_ONCE
