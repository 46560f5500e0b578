"""Breakpoints: a process stops where it comes to an instruction, as under a debugger.

Another instruction stands there meanwhile, one that traps, and in this process alone: the pages of a program's text are
copied when somebody writes to them. A fork copies them as they are, and an exec removes them.
"""

from __future__ import annotations

from forklab.kernel.processors import this_processor
from forklab.lens.edge import ptrace

_PROCESSOR = this_processor()


def plant(tid: int, address: int) -> bytes:
    """Answers what stood there. Raises OSError where nothing can be."""
    before = ptrace.read_memory(tid, address, len(_PROCESSOR.breakpoint))
    ptrace.patch_memory(tid, address, _PROCESSOR.breakpoint)
    return before


def remove(tid: int, address: int, before: bytes) -> None:
    ptrace.patch_memory(tid, address, before)


def hit(tid: int) -> int:
    """At the delivery of a SIGTRAP: which one it has hit, if it has hit one; its address."""
    return ptrace.counter_and_stack(tid)[0] - _PROCESSOR.behind_breakpoint


def stand_before(tid: int, address: int) -> None:
    """It has hit the one there, and comes to it again if it goes on."""
    ptrace.go_to(tid, address)


def step_over(tid: int, address: int, before: bytes) -> tuple[int, int]:
    """It makes the instruction that stood there. Answers its next report, as ptrace.wait() has it."""
    remove(tid, address, before)
    ptrace.go_to(tid, address)
    ptrace.single_step(tid)
    report = ptrace.next_report(tid)
    if report[1] & 0xFF == 0x7F:  # it has stopped, and has not ended
        plant(tid, address)
    return report
