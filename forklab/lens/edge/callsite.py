"""From where in a program a system call is made: for messages that name it, and to tell a library's from its own."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from forklab.kernel.processors import this_processor
from forklab.lens.edge import functions, proc, ptrace

_MOST_OF_STACK = 16 << 10  # bytes that are looked through
_MOST_CALLERS = 8
_WORD = struct.Struct("<Q")
_ELF_TYPE = struct.Struct("<16xH")
_ET_EXEC = 2  # its addresses are those in memory: elf(5)


class CallSite(NamedTuple):
    """A file that is executed, and addresses in it as its symbols and lines have them, the innermost caller's first."""

    program: str
    addresses: tuple[int, ...]


def call_site(tid: int) -> CallSite | None:
    """At the entry of a system call: which functions of the program itself, not of its libraries, have led to it.

    Libraries keep no chain of frames. But for each function that was called the stack has the address to which it
    returns: a word of it that points behind an instruction that calls is taken for one.
    """
    try:
        program = os.readlink(f"/proc/{tid}/exe")
        with open(program, "rb") as file:
            (kind,) = _ELF_TYPE.unpack(file.read(_ELF_TYPE.size))
        areas = list(_areas(tid, program))
        stop = ptrace.call(tid)
        stack = ptrace.read_memory(tid, stop.stack, _MOST_OF_STACK)
        callers = [stop.counter, *_returns(tid, stack, areas)]
    except (OSError, struct.error):
        return None
    loaded_at = 0 if kind == _ET_EXEC else min(area.start for area, _ in areas)
    inside = (address for address in callers if _is_code(address, areas))
    return CallSite(program, tuple(address - loaded_at for address in inside))


def is_below(tid: int, function: str) -> bool:
    """At the entry of a system call: whether this function of glibc's shared library has led to it."""
    try:
        for path, start in proc.mapped_files(tid).items():
            if not os.path.basename(path).startswith("libc.so"):
                continue
            known = functions.of_glibc(path, frozenset({function}))
            if known is not None and function in known.addresses:
                begin = start - known.begins + known.addresses[function]
                inside = [(range(begin, begin + known.sizes[function]), True)]
                stack = ptrace.read_memory(tid, ptrace.call(tid).stack, _MOST_OF_STACK)
                return any(_returns(tid, stack, inside))
    except OSError:
        pass
    return False


def _areas(tid: int, program: str) -> Iterator[tuple[range, bool]]:
    """Where in its memory the program is, and whether that is code."""
    for area, rights, _, _, _, *name in proc.maps(tid):
        if name == [program]:
            start, end = (int(word, 16) for word in area.split("-"))
            yield range(start, end), "x" in rights


def _is_code(address: int, areas: list[tuple[range, bool]]) -> bool:
    return any(address in area for area, is_code in areas if is_code)


def _returns(tid: int, stack: bytes, areas: list[tuple[range, bool]]) -> Iterator[int]:
    """Raises OSError."""
    found = 0
    for (address,) in _WORD.iter_unpack(stack[: len(stack) // _WORD.size * _WORD.size]):
        if found < _MOST_CALLERS and _is_code(address, areas):
            before = ptrace.read_memory(tid, address - _LONGEST_CALL, _LONGEST_CALL)
            if _FUNCTION_CALL.search(before):
                found += 1
                yield int(address)


_FUNCTION_CALL = this_processor().function_call
_LONGEST_CALL = 8  # bytes
