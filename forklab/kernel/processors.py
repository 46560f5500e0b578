"""What differs between processors: numbers of system calls, registers, how a call is skipped or made again.

x86-64 and aarch64. A call that a processor does not have (aarch64 has no fork, pause or alarm: libc makes them of
others) is simply missing.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from forklab.kernel.calls import CALLS


class Processor(NamedTuple):
    """One kind of processor. Registers are places in `user_regs_struct`, which has so many `words` of 8 bytes.

    `audit` is its AUDIT_ARCH_ number (linux/audit.h); `call_width` is the length of an instruction that calls the
    kernel, `calls_by` are those that do, the native one first, before which the number stands in `number_in`.
    At the entry of a call the kernel takes its number from the register `wanted_call`, where that is one of the
    general ones, else from the register set `wanted_call_set` (NT_ARM_SYSTEM_CALL): -1 there means no call.
    `result` is where it puts what the call returns, and `made_by` the register in which a program puts the number,
    where that is another one's place by then: to make a call again, it has to be put back. `set_clock_of_32_bits` are
    the numbers of the calls by which its 32-bit programs set the machine's clock. `function_call` matches the end of
    what stands before an address to which a function returns.
    `breakpoint` is the instruction of debuggers, and the program counter so many bytes `behind` it when it has trapped.
    At its first instruction, a function's arguments are in the first three registers of `arguments`; where it returns
    to is in the register `link`, or on top of the stack.
    """

    name: str
    audit: int
    calls: Mapping[str, int]
    arguments: tuple[int, ...]
    result: int
    program_counter: int
    call_width: int
    words: int
    function_call: re.Pattern[bytes]
    stack_pointer: int
    breakpoint: bytes
    behind_breakpoint: int
    link: int | None = None
    wanted_call: int | None = None
    wanted_call_set: int | None = None
    made_by: int | None = None
    set_clock_of_32_bits: tuple[int, ...] = ()
    calls_by: tuple[bytes, ...] = ()
    number_in: int = 0


def _numbers(column: int) -> dict[str, int]:
    numbers = ((call.name, call.numbers[column]) for call in CALLS.values())
    return {name: number for name, number in numbers if number is not None}


_RAX, _ORIG_RAX = 10, 15

X86_64 = Processor(
    "x86_64",
    0xC000003E,
    _numbers(0),
    arguments=(14, 13, 12, 7, 9, 8),  # rdi rsi rdx r10 r8 r9
    result=_RAX,
    program_counter=16,
    call_width=2,
    words=27,
    # call rel32, call rel32(%rip), and those through registers, with and without an offset
    function_call=re.compile(
        rb"(?:\xe8.{4}|\xff(?:\x15.{4}|[\x10-\x17\xd0-\xd7]|[\x50-\x57].|[\x90-\x97].{4}))\Z",
        re.DOTALL,
    ),
    stack_pointer=19,
    breakpoint=b"\xcc",  # int3
    behind_breakpoint=1,
    wanted_call=_ORIG_RAX,
    made_by=_RAX,
    set_clock_of_32_bits=(25, 79, 124, 264, 343, 404, 405),  # stime, settimeofday, adjtimex ...
    calls_by=(b"\x0f\x05", b"\x0f\x34", b"\xcd\x80"),  # syscall, sysenter, int 0x80
    number_in=_RAX,
)

AARCH64 = Processor(
    "aarch64",
    0xC00000B7,
    _numbers(1),
    arguments=(0, 1, 2, 3, 4, 5),
    result=0,
    program_counter=32,
    call_width=4,
    words=34,
    function_call=re.compile(rb"(?:[\x94-\x97]|[\x00-\x03]\x3f\xd6)\Z", re.DOTALL),  # bl, blr
    stack_pointer=31,
    breakpoint=b"\x00\x00\x20\xd4",  # brk #0
    behind_breakpoint=0,
    link=30,
    wanted_call_set=0x404,
    set_clock_of_32_bits=(25, 79, 124, 262, 372, 404, 405),
    calls_by=(b"\x01\x00\x00\xd4",),  # svc #0
    number_in=8,
)

_KNOWN = {processor.name: processor for processor in (X86_64, AARCH64)}


def this_processor() -> Processor:
    """Of the machine that we run on. Raises OSError where the lens knows nothing of it."""
    machine = os.uname().machine
    if machine not in _KNOWN:
        raise OSError(f"the lens knows {' and '.join(_KNOWN)}, but this machine is {machine}")
    return _KNOWN[machine]


def name_of(number: int) -> str | None:
    """What the call of this number is called on the machine that we run on; None if nobody knows."""
    return _names().get(number)


@functools.cache
def _names() -> Mapping[int, str]:
    return {number: name for name, number in this_processor().calls.items()}
