"""Where programs read the time without a system call: hidden from them, or showing our own. See vdso(7).

libc reads clocks in the vDSO, code that the kernel puts into each process. `hide` takes the mention of it out of the
auxiliary vector: libc makes the system call instead, where we hear it.

`lay_ours` puts a vDSO of ours over the kernel's (`vdso_image.py`), in this process alone: the pages are copied when
they are written to, as for a debugger's breakpoints, and the process cannot write to them itself. Its data is a clock
face, set by us before the process goes on, whenever the time is another: then it can be read for some times without
us. What is left of these times is counted in eight bytes that the kernel leaves free above all that it puts on a new
stack. A fork copies both, a thread shares both, an exec removes both.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from forklab.kernel.processors import X86_64, this_processor
from forklab.lens.edge import ptrace
from forklab.lens.edge.vdso_image import DATA, image

_AT_ENTRY = 9
_AT_NULL, _AT_IGNORE, _AT_RANDOM, _AT_EXECFN, _AT_SYSINFO_EHDR = 0, 1, 25, 31, 33
_RANDOM = bytes(range(16))
_WORD, _COUNT = struct.Struct("<Q"), struct.Struct("<q")
_PAGE = 4096
_LONGEST_NAME = 4096  # PATH_MAX
_STACK = (1 << 13, 1 << 20)  # bytes of it that are read: mostly enough, and the most


class Face(NamedTuple):
    """Where in a process the data of our vDSO is, and the count of the readings that are left."""

    data: int
    counter: int

    def set(self, tid: int, wall: int, uptime: int, step: int, readings: int) -> None:
        """For a thread that is stopped: so many readings from now on, up to these times, a step each."""
        ptrace.patch_memory(tid, self.data, DATA.pack(0, wall, uptime, step, self.counter))
        ptrace.write_memory(tid, self.counter, _COUNT.pack(readings))

    def left(self, tid: int) -> int:
        """How many readings are."""
        count: int = _COUNT.unpack(ptrace.read_memory(tid, self.counter, _COUNT.size))[0]
        return max(0, count)

    def set_left(self, tid: int, readings: int) -> None:
        ptrace.write_memory(tid, self.counter, _COUNT.pack(readings))

    def ask(self, tid: int, *, shall_ask: bool) -> None:
        """Whether each reading is a system call. The process may be running: one byte changes as a whole."""
        with contextlib.suppress(OSError):  # it has ended
            ptrace.patch_memory(tid, self.data, bytes([shall_ask]))


def hide(tid: int) -> None:
    """At the exec stop."""
    for kind, _, place in _auxiliary_vector(tid):
        if kind == _AT_SYSINFO_EHDR:
            ptrace.write_memory(tid, place, _WORD.pack(_AT_IGNORE))


def fix_chance(tid: int) -> None:
    """At the exec stop: the random bytes there, for canaries of libc, are the same in each run."""
    for kind, value, _ in _auxiliary_vector(tid):
        if kind == _AT_RANDOM:
            ptrace.write_memory(tid, value, _RANDOM)


def lay_ours(tid: int) -> Face | None:
    """At the exec stop. The face has still to be set. None where it can't be, and then the vDSO is hidden."""
    face = None
    if this_processor() is X86_64:
        with contextlib.suppress(OSError):  # a kernel that lets nobody write there
            face = _lay_ours(tid)
    if face is None:
        hide(tid)
    return face


def _lay_ours(tid: int) -> Face | None:
    values = {kind: value for kind, value, _ in _auxiliary_vector(tid)}
    vdso, name = values.get(_AT_SYSINFO_EHDR), values.get(_AT_EXECFN)
    if not vdso or not name:
        return None
    # Above the name of the file that is executed there is nothing but eight empty bytes: see fs/exec.c of Linux.
    top = ptrace.read_memory(tid, name, _LONGEST_NAME + _WORD.size)
    end = top.find(b"\0") + 1
    counter = name + end
    if (counter + _WORD.size) % _PAGE or any(top[end : end + _WORD.size]):
        return None
    ours = image()
    ptrace.patch_memory(tid, vdso, ours.content)
    return Face(vdso + ours.data, counter)


def entry(tid: int) -> int | None:
    """At the exec stop: the address at which the program itself begins, when its libraries are there."""
    return {kind: value for kind, value, _ in _auxiliary_vector(tid)}.get(_AT_ENTRY)


def _auxiliary_vector(tid: int) -> list[tuple[int, int, int]]:
    """Kinds and values, and where the kinds stand; empty for a 32-bit program."""
    stop = ptrace.call(tid)
    for length in _STACK if stop.native else ():
        content = ptrace.read_memory(tid, stop.stack, length)
        words = struct.unpack_from(f"<{len(content) // _WORD.size}Q", content)
        with contextlib.suppress(IndexError):  # it begins beyond what we have read
            return [
                (words[place], words[place + 1], stop.stack + _WORD.size * place)
                for place in _places(words)
            ]
    return []


def _places(words: tuple[int, ...]) -> Iterator[int]:
    """The stack holds argc, argv, NULL, environment, NULL, then pairs of kind and value."""
    place = 2 + words[0]
    while words[place]:
        place += 1
    place += 1
    while words[place] != _AT_NULL:
        yield place
        place += 2
