"""The time stamp counter, which a program on x86-64 can read without the kernel.

No two runs read the same: libc keeps such a number in each program that it starts. prctl(2) can make reading it a
SIGSEGV (PR_SET_TSC); then the answer is ours.
"""

from __future__ import annotations

import ctypes

from forklab.lens.edge import ptrace

_PR_SET_TSC, _PR_TSC_SIGSEGV = 26, 2
_RDTSC, _RDTSCP = b"\x0f\x31", b"\x0f\x01\xf9"
_RAX, _RCX, _RDX, _RIP = 10, 11, 12, 16  # places in user_regs_struct


def stop_at_them() -> None:
    """This process and those that it forks, whatever they execute. Nothing happens on other processors."""
    ctypes.CDLL(None).prctl(_PR_SET_TSC, _PR_TSC_SIGSEGV, 0, 0, 0)


def answer(tid: int, value: int) -> bool:
    """At the delivery of a SIGSEGV: whether it came of this. Then the counter has been read, and shows `value`."""
    try:
        counter = ptrace.call(tid).counter
        instruction = ptrace.read_memory(tid, counter, len(_RDTSCP))
    except OSError:
        return False
    changes = {_RAX: value & 0xFFFFFFFF, _RDX: value >> 32}
    if instruction.startswith(_RDTSC):
        ptrace.change(tid, {**changes, _RIP: counter + len(_RDTSC)})
    elif instruction == _RDTSCP:
        ptrace.change(tid, {**changes, _RCX: 0, _RIP: counter + len(_RDTSCP)})
    else:
        return False
    return True
