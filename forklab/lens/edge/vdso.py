"""Has a program ask the kernel for the time, where we hear it.

libc reads clocks without a system call, in the vDSO. Where the auxiliary vector does not mention the vDSO, it makes the
call instead. See vdso(7), getauxval(3).
"""

from __future__ import annotations

import struct

from forklab.lens.edge import ptrace

_AT_NULL, _AT_IGNORE, _AT_RANDOM, _AT_SYSINFO_EHDR = 0, 1, 25, 33
_RANDOM = bytes(range(16))  # of which libc makes the canaries on its stack: the same in each run
_MOST = (
    1 << 20
)  # bytes between the stack pointer and the auxiliary vector's end; arguments are elsewhere


def hide_vdso(tid: int) -> None:
    """At the exec stop: the stack holds argc, argv, NULL, environment, NULL, then pairs of type and value."""
    address = ptrace.call(tid).stack
    words = _words(tid, address)
    place = 2 + words[0]
    while words[place]:
        place += 1
    place += 1
    while words[place] != _AT_NULL:
        if words[place] == _AT_SYSINFO_EHDR:
            ptrace.write_memory(tid, address + 8 * place, struct.pack("<Q", _AT_IGNORE))
        elif words[place] == _AT_RANDOM:
            ptrace.write_memory(tid, words[place + 1], _RANDOM)
        place += 2


def _words(tid: int, address: int) -> tuple[int, ...]:
    content = ptrace.read_memory(tid, address, _MOST)
    return struct.unpack_from(f"<{len(content) // 8}Q", content)
