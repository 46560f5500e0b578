"""A seccomp filter that stops a program at a few system calls and costs the others next to nothing.

See seccomp(2); the filter is a program for the kernel's BPF machine, as in linux/filter.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Collection, Iterable
from typing import NamedTuple

from forklab.kernel.processors import Processor, this_processor

_LIBC = ctypes.CDLL(None, use_errno=True)

_RET_ALLOW = 0x7FFF0000
_RET_TRACE = 0x7FF00000  # SECCOMP_RET_TRACE
_RET_ERRNO = 0x00050000
_SET_MODE_FILTER = 1
_PR_SET_SECCOMP, _MODE_FILTER, _PR_SET_NO_NEW_PRIVS = 22, 2, 38

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _JUMP_IF_SET = 0x05, 0x15, 0x35, 0x45
_RETURN = 0x06
_IN_A_ROW = 8  # tested one after the other, where a search has come to
# Where struct seccomp_data has them; the second argument in two halves.
_NUMBER, _ARCH, _FIRST_ARGUMENT, _SECOND_ARGUMENT, _FOURTH_ARGUMENT = 0, 4, 16, (24, 28), 40
CLONE_UNTRACED = 0x800000
_MAP_SHARED, _MAP_ANONYMOUS = 1, 0x20


A_FILTER = "a filter by seccomp(2)"  # that is what was refused, if it is in the text of an error


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Stops(NamedTuple):
    """At which calls a program is stopped: at those of these names, or at `all_but` these.

    Of rt_sigaction at those that change something: Python asks for all handlers when it starts, and nobody else can
    notice that, or change what it hears; and, if `handlers_of` says so, only for these signals: many a program goes
    through all that there are. With `all_but`, calls that have no name here stop it too, and those of 32-bit programs;
    a mapping of memory that nobody else can see is never worth a stop. `numbers` are those of calls that no kernel has,
    and that mean something to us.
    """

    names: frozenset[str]
    all_but: bool = False
    numbers: frozenset[int] = frozenset()
    handlers_of: frozenset[int] = frozenset()


def filter_for(stops: Stops) -> bytes:
    """A filter that hands these calls to the tracer, and lets all others pass.

    Names that this processor lacks are left out. 32-bit programs must not set the machine's clock, if they pass unseen.
    """
    processor = this_processor()
    named_ones = {processor.calls[name] for name in stops.names if name in processor.calls}
    numbers = sorted(named_ones | stops.numbers)
    named, others = _RET_TRACE, _RET_ALLOW
    if stops.all_but:
        named, others = others, named
    sets_handlers = ("rt_sigaction" in stops.names) is not stops.all_but
    refused = processor.set_clock_of_32_bits
    lines = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_IF_EQUAL, len(refused) + 3, 0, processor.audit),
        (_LOAD, 0, 0, _NUMBER),
        *(
            (_JUMP_IF_EQUAL, len(refused) - place, 0, number)
            for place, number in enumerate(refused)
        ),
        (_RETURN, 0, 0, others),
        (_RETURN, 0, 0, _RET_ERRNO | errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
        *(_mapping(processor) if stops.all_but else ()),
        *(() if "clone" in stops.names or stops.all_but else _leaving_us(processor)),
        *(_setting_a_handler(processor, stops.handlers_of) if sets_handlers else ()),
        *_search(numbers, named, others),
    ]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _search(numbers: list[int], named: int, others: int) -> list[tuple[int, int, int, int]]:
    """By halves: the kernel follows the filter once for each call that there is, each time that it is installed."""
    if len(numbers) <= _IN_A_ROW:
        return [
            *(
                (_JUMP_IF_EQUAL, len(numbers) - place, 0, number)
                for place, number in enumerate(numbers)
            ),
            (_RETURN, 0, 0, others),
            (_RETURN, 0, 0, named),
        ]
    middle = len(numbers) // 2
    lower = _search(numbers[:middle], named, others)
    upper = _search(numbers[middle:], named, others)
    return [
        (_JUMP_IF_AT_LEAST, 0, 1, numbers[middle]),
        (_JUMP, 0, 0, len(lower)),
        *lower,
        *upper,
    ]


def _mapping(processor: Processor) -> Iterable[tuple[int, int, int, int]]:
    """mmap(2) passes if it maps nothing but memory, for this process alone."""
    return (
        (_JUMP_IF_EQUAL, 0, 5, processor.calls["mmap"]),
        (_LOAD, 0, 0, _FOURTH_ARGUMENT),
        (_JUMP_IF_SET, 2, 0, _MAP_SHARED),
        (_JUMP_IF_SET, 0, 1, _MAP_ANONYMOUS),
        (_RETURN, 0, 0, _RET_ALLOW),
        (_RETURN, 0, 0, _RET_TRACE),
    )


def _leaving_us(processor: Processor) -> Iterable[tuple[int, int, int, int]]:
    """clone(2) of a child that nobody shall trace: it would stop for nobody, and be refused all calls that stop."""
    return (
        (_JUMP_IF_EQUAL, 0, 4, processor.calls["clone"]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_IF_SET, 0, 1, CLONE_UNTRACED),
        (_RETURN, 0, 0, _RET_TRACE),
        (_RETURN, 0, 0, _RET_ALLOW),
    )


def _setting_a_handler(
    processor: Processor, signals: Collection[int]
) -> Iterable[tuple[int, int, int, int]]:
    """rt_sigaction(2) passes if it only asks: where the new action should be is nothing.

    Where there are `signals`, also if it is about another one.
    """
    low, high = _SECOND_ARGUMENT
    others: tuple[tuple[int, int, int, int], ...] = (
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *(
            (_JUMP_IF_EQUAL, len(signals) - place, 0, number)
            for place, number in enumerate(signals)
        ),
        (_RETURN, 0, 0, _RET_ALLOW),
    )
    others = others if signals else ()
    return (
        (_JUMP_IF_EQUAL, 0, 6 + len(others), processor.calls["rt_sigaction"]),
        (_LOAD, 0, 0, low),
        (_JUMP_IF_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, high),
        (_JUMP_IF_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _RET_ALLOW),
        *others,
        (_RETURN, 0, 0, _RET_TRACE),
    )


def install(program: bytes) -> None:
    """Put this thread and all that it will fork under the filter, for good. Raises OSError.

    Whoever may not do so otherwise gives up gaining privileges by execve(2) (PR_SET_NO_NEW_PRIVS).
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.addressof(buffer))
    number = this_processor().calls["seccomp"]
    arguments = (ctypes.c_long(_SET_MODE_FILTER), ctypes.c_long(0), ctypes.byref(header))
    if _LIBC.syscall(ctypes.c_long(number), *arguments) == 0:
        return
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _LIBC.syscall(ctypes.c_long(number), *arguments) == 0:
        return
    error = ctypes.get_errno()
    # The older way to the same, where a container forbids the newer one: prctl(2).
    if _LIBC.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(header), 0, 0) != 0:
        raise OSError(error, f"it may not have {A_FILTER} ({os.strerror(error)})")
