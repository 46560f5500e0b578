"""vfork(2) where every step is chosen: its parent goes on a moment before its child has done more than begin to end.

The kernel lets it go when the memory that both use is free, do_exit() in Linux' kernel/exit.c, and nobody could stand
between that and the rest. So the call is made without CLONE_VFORK, and the parent stands still at the birth until its
child has executed a program, or has begun to end.
"""

from __future__ import annotations

import contextlib
import struct

from forklab.kernel.signals import CHLD
from forklab.lens.edge import ptrace
from forklab.lens.loop.loop import Loop
from forklab.lens.world.onward import IN_TURN
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee

_CLONE_VM, _CLONE_VFORK = 0x100, 0x4000
_FLAGS = struct.Struct("<Q")  # how struct clone_args begins


def is_one(tracee: Tracee, call: Call) -> bool:
    """At the entry of a call: whether it is a vfork, whatever its name."""
    if call.name == "clone3":
        return bool(_flags_of_clone3(tracee, call) & _CLONE_VFORK)
    return call.name == "vfork" or (call.name == "clone" and bool(call.arguments[0] & _CLONE_VFORK))


def begin(tracee: Tracee, call: Call) -> None:
    """At its entry: the kernel is told of a fork."""
    tracee.vfork = call
    if call.name == "vfork":
        ptrace.call_another(tracee.tid, "clone", (_CLONE_VM | CHLD, 0, 0, 0, 0))
    elif call.name == "clone":
        ptrace.set_argument(tracee.tid, 0, call.arguments[0] & ~_CLONE_VFORK)
    else:
        _set_flags_of_clone3(tracee, call, _flags_of_clone3(tracee, call) & ~_CLONE_VFORK)


def put_back(tracee: Tracee, call: Call) -> None:
    """At the birth, in parent and child, or if there was none: its registers are as they were. libc needs that."""
    ptrace.place_arguments(tracee.tid, call.arguments)
    if call.name == "clone3":
        _set_flags_of_clone3(tracee, call, _flags_of_clone3(tracee, call) | _CLONE_VFORK)


def release(loop: Loop, child: Tracee) -> None:
    """Its parent goes on, if it still waits in vfork."""
    child.is_waited_for = False
    parent = loop.run.world.tracees.get(child.member.mother)
    if parent is not None and parent.vfork is not None and parent.stand is Stand.INSIDE:
        parent.vfork, parent.unfinished_birth = None, False
        loop.goes_on(parent, IN_TURN)


def _flags_of_clone3(tracee: Tracee, call: Call) -> int:
    with contextlib.suppress(OSError):
        return ptrace.read_word(tracee.tid, call.arguments[0])
    return 0  # EFAULT


def _set_flags_of_clone3(tracee: Tracee, call: Call, flags: int) -> None:
    ptrace.patch_memory(tracee.tid, call.arguments[0], _FLAGS.pack(flags))
