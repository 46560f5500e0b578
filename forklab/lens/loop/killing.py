"""Who is ended by a signal is led to its end, moment by moment, as who exits: see `forklab.lens.loop.ending`.

Where a fatal signal is about to be delivered, or SIGKILL to be sent, the process makes the calls of those moments
instead, and comes to an exit that it never makes: there the signal is sent once more, and it dies.

Who sleeps in the kernel, or is stopped where another call could not be made, is ended in one step, and that is said.
"""

from __future__ import annotations

import contextlib
import os

from forklab.kernel.processors import this_processor
from forklab.kernel.signals import KILL, STOPPING_MASK, bit
from forklab.lens.edge import proc, ptrace
from forklab.lens.loop import ending, letting
from forklab.lens.loop.ledger import Ledger
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Tracee

_PROCESSOR = this_processor()
_ALL = (1 << 64) - 1  # signals


def leads(run: Run, ledger: Ledger, tracee: Tracee, number: int) -> bool:
    """This signal is about to be delivered. Whether that is its end, and it has been let go on the way to that."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    survives = masks is None or masks.catches(number) or masks.harmless(number)
    if tracee.dies_by or survives or bit(number) & STOPPING_MASK or tracee.member.is_init:
        return False
    return _set_out(run, ledger, tracee, number)


def kill(run: Run, ledger: Ledger, tracee: Tracee) -> None:
    """SIGKILL was sent, and is noticed now."""
    if tracee.dies_by or tracee.member.is_init or not _set_out(run, ledger, tracee, KILL):
        letting.kill(run, tracee)


def dies(run: Run, tracee: Tracee) -> None:
    """It stands at the entry of its exit: it dies by its signal instead."""
    if tracee.dies_by == KILL:
        letting.kill(run, tracee)
        return
    ptrace.skip_call(tracee.tid, 0)
    ptrace.set_signal_mask(tracee.tid, _ALL & ~bit(tracee.dies_by))
    os.kill(tracee.member.pid, tracee.dies_by)
    letting.go(run, tracee)


def _set_out(run: Run, ledger: Ledger, tracee: Tracee, number: int) -> bool:
    """On the way to the first moment of its end. False: it has none, or can't be led there."""
    moments = ending.moments_before(run, ledger, tracee)
    standing = ledger.of(tracee)
    if not moments:
        standing.is_watched = False
        return False
    instruction = _instruction(tracee.tid) if _stands_outside_of_calls(tracee) else None
    if instruction is None:
        return False
    ending.become_deaf(ledger, tracee)
    tracee.dies_by = number
    tracee.member.stopped = False
    standing.exits_by, standing.moments, standing.is_led = (None, 0), moments, True
    standing.makes_it_next = standing.tries_again = False
    ptrace.make_next(tracee.tid, instruction, moments[0].name, moments[0].arguments)
    letting.go(run, tracee)
    return True


def _stands_outside_of_calls(tracee: Tracee) -> bool:
    """Or at the entry of one, which it need not make."""
    if tracee.stand is Stand.INSIDE:
        return False
    if tracee.stand is Stand.STOPPED:
        ptrace.interrupt(tracee.tid)
        _, status = ptrace.next_report(tracee.tid)
        return status & 0xFF == 0x7F and status >> 16 == ptrace.EVENT_STOP
    return not ptrace.is_within_a_call(tracee.tid)


def _instruction(tid: int) -> int | None:
    """The address of one that calls the kernel: where it stands, or in the vDSO."""
    width, native = _PROCESSOR.call_width, _PROCESSOR.calls_by[0]
    counter, _ = ptrace.counter_and_stack(tid)
    for address in (counter - width, counter):
        with contextlib.suppress(OSError):
            if ptrace.read_memory(tid, address, width) == native:
                return address
    with contextlib.suppress(OSError, ValueError):
        start, end = proc.vdso(tid)
        place = ptrace.read_memory(tid, start, end - start).find(native)
        return start + place if place >= 0 else None
    return None
