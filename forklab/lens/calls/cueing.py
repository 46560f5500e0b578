"""A call that no kernel has, by which the actors of a play get their orders from the lens, and answer.

    cue(LISTEN, text, size)     waits for the next order, which is written there; answers how long it is
    cue(TELL, text, size)       says something
    cue(ANSWER, text, size, order, room)
                                says something, and waits for the next order
    cue(BEGIN)                  answers 0: who asks is traced by now

The number is in a gap of the tables of x86-64 and aarch64 that will not be filled: from 424 on all processors have the
same numbers, and none between 335 and 423 was given to these. Where nobody directs a play it fails with ENOSYS.
"""

from __future__ import annotations

import errno

from forklab.lens.edge import ptrace
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import FOR_ORDERS

NUMBER = 400
NAME = FOR_ORDERS  # as a call is called that no kernel has
LISTEN, TELL, BEGIN, ANSWER = range(4)
_MOST = 4096  # bytes


def text_of(tracee: Tracee, call: Call) -> str:
    """What it tells. Raises OSError if that is nowhere in its memory."""
    address, size = call.arguments[1:3]
    return ptrace.read_memory(tracee.tid, address, min(size, _MOST)).decode(errors="replace")


def give(tracee: Tracee, call: Call, order: str) -> None:
    """It listens, and hears this, as far as it has room for it."""
    address, size = call.arguments[3:5] if call.arguments[0] == ANSWER else call.arguments[1:3]
    content = order.encode()[:size]
    try:
        ptrace.write_memory(tracee.tid, address, content)
    except OSError:
        answer(tracee, -errno.EFAULT)
    else:
        answer(tracee, len(content))


def answer(tracee: Tracee, result: int) -> None:
    ptrace.skip_call(tracee.tid, result)


def refuse(tracee: Tracee) -> None:
    """As the kernel would."""
    answer(tracee, -errno.ENOSYS)
