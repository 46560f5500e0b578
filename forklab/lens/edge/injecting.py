"""Calls that a process makes for us: where it stands still, with registers and text as they were afterwards."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from forklab.kernel.processors import this_processor
from forklab.kernel.signals import STOP
from forklab.lens.edge import proc, ptrace

_PROCESSOR = this_processor()
_ALL = (1 << 64) - 1  # signals
_RED_ZONE = 128  # bytes below its stack pointer that a function may use
REFUSED = (errno.EPERM, errno.ENOSYS)  # what containers answer to calls that they forbid
Make = Callable[..., int]  # a call by its name, with its arguments; -errno for an error


def make(tid: int, name: str, *arguments: int) -> None:
    """It must not be at a system call, and no signal may be about to come."""
    before, (address, _) = ptrace.registers(tid), ptrace.counter_and_stack(tid)
    instruction = _PROCESSOR.calls_by[0]
    text = ptrace.read_memory(tid, address, len(instruction))
    ptrace.patch_memory(tid, address, instruction)
    placed = dict(zip(_PROCESSOR.arguments, arguments, strict=False))
    ptrace.change(tid, {**placed, _PROCESSOR.number_in: _PROCESSOR.calls[name]})
    stop = ptrace.EVENT_SECCOMP
    while stop == ptrace.EVENT_SECCOMP:  # it is stopped at this call too
        ptrace.single_step(tid)
        _, status = ptrace.next_report(tid)
        if status & 0xFF != 0x7F:
            raise ProcessLookupError(f"{tid} has ended in a call of ours")
        stop = status >> 16
    ptrace.patch_memory(tid, address, text)
    ptrace.set_registers(tid, before)


@contextmanager
def at_its_call(tid: int) -> Iterator[Make]:
    """It stands at a seccomp stop or at the exit of a call, and so it does again when this is over.

    Meanwhile it makes others by the very instruction that has called the kernel, and no signal comes between. None of
    them may have to wait. Raises ProcessLookupError if it has been killed: its end is there to be heard. Raises OSError
    at other stops, and where it has a filter of its own: who knows what that would do to it for our calls.
    """
    if proc.filters(tid) > proc.filters(os.getpid()) + 1:
        raise OSError(errno.EPERM, f"{tid} has a filter of its own")
    phase = ptrace.phase(tid)
    if phase not in (ptrace.AT_SECCOMP, ptrace.AT_EXIT):
        raise OSError(errno.EBUSY, f"{tid} does not stand at a call")
    before, mask = ptrace.registers(tid), ptrace.signal_mask(tid)
    comes_back, number = phase == ptrace.AT_SECCOMP, ptrace.call(tid).number
    ptrace.set_signal_mask(tid, _ALL)
    if comes_back:
        ptrace.rewind_call(tid)
        stops = _go_on(tid, to_exit=True)
    else:
        stops = 0
    counter, _ = ptrace.counter_and_stack(tid)
    instruction = counter if comes_back else counter - _PROCESSOR.call_width

    def call(name: str, *arguments: int) -> int:
        nonlocal stops
        placed = dict(zip(_PROCESSOR.arguments, arguments, strict=False))
        _stand_before(tid, instruction, _PROCESSOR.calls[name], placed)
        stops += _go_on(tid, to_exit=True)
        while (
            ptrace.phase(tid) != ptrace.AT_EXIT
        ):  # it is at the entry, and may be stopped there twice
            stops += _go_on(tid, to_exit=True)
        return ptrace.call(tid).number

    try:
        yield call
    finally:
        if comes_back:
            ptrace.set_registers(tid, before)
            _stand_before(tid, instruction, number, {})
            stops += _go_on(tid, to_exit=False)
        ptrace.set_registers(tid, before)
        ptrace.set_signal_mask(tid, mask)
        if stops:
            os.kill(tid, STOP)


@contextmanager
def below_its_stack(tid: int, size: int) -> Iterator[tuple[int, Callable[[bytes], None]]]:
    """The address of so many bytes that nobody uses, and what writes there; afterwards they are as before.

    Raises OSError.
    """
    _, stack = ptrace.counter_and_stack(tid)
    address = (stack - _RED_ZONE - size) & ~15
    before = ptrace.read_memory(tid, address, size)
    if len(before) < size:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
    try:
        yield address, lambda content: ptrace.write_memory(tid, address, content)
    finally:
        ptrace.write_memory(tid, address, before)


def _stand_before(tid: int, address: int, number: int, placed: Mapping[int, int]) -> None:
    """The instruction there is next, and calls the kernel."""
    ptrace.change(
        tid, {**placed, _PROCESSOR.program_counter: address, _PROCESSOR.number_in: number}
    )


def _go_on(tid: int, *, to_exit: bool) -> int:
    """To the next stop that has to do with a call. Answers how often SIGSTOP came, which nobody can block."""
    stops = 0
    while True:
        ptrace.resume(tid, to_exit=to_exit)
        ptrace.await_stop(tid)
        _, status = ptrace.next_report(tid)
        number, event = status >> 8 & 0xFF, status >> 16
        if event == ptrace.EVENT_SECCOMP or number == ptrace.SYSCALL_STOP:
            return stops
        stops += not event and number == STOP
