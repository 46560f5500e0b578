"""What somebody asks for who calls rt_sigaction(2): read once, as several want to know it."""

from __future__ import annotations

import struct

from forklab.lens.edge import ptrace
from forklab.lens.world.tracees import Action, Call, Tracee

_LEAST_SIGACTION = struct.Struct("<QQ")  # handler, flags


def action_of(tracee: Tracee, call: Call) -> Action | None:
    """None if it only asks, or if there is nothing to read: EFAULT."""
    address = call.arguments[1]
    if call.action is None and address:
        try:
            content = ptrace.read_memory(tracee.tid, address, _LEAST_SIGACTION.size)
            call.action = Action(*_LEAST_SIGACTION.unpack(content))
        except (OSError, struct.error):
            return None
    return call.action
