"""A call that a process makes for us: where it stands still, with registers and text as they were afterwards."""

from __future__ import annotations

from forklab.kernel.processors import this_processor
from forklab.lens.edge import ptrace

_PROCESSOR = this_processor()


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
