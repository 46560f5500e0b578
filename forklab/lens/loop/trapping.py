"""Functions of libc as calls: a process stops at the first instruction of one, and where it has returned from it.

For POSIX semaphores. A breakpoint (`forklab.lens.edge.breakpoints`) stands at each of these functions in the C library
of a program that asks for sem_open(3), from its first own instruction on. When its turn has come, it runs the function
itself, from the beginning to the end: nothing comes between, no signal either. One that would have to wait is not let
into it, but to be told by the kernel, in our voice, why it waits no more: a signal has come, or its time is over.
"""

from __future__ import annotations

import errno
from dataclasses import replace

from forklab.kernel.functions import SEM_FUNCTIONS, SEM_INIT, SEM_OPEN, SEM_WAITS
from forklab.kernel.signals import SEGV, TRAP, mask_of, numbers_in
from forklab.lens.calls import guarding, semaphores
from forklab.lens.calls.patience import waits_on_futex
from forklab.lens.edge import breakpoints, functions, proc, ptrace, vdso
from forklab.lens.loop import letting, listening
from forklab.lens.loop.ledger import Ledger
from forklab.lens.loop.loop import Loop
from forklab.lens.world.onward import AT_ONCE, IN_TURN
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Frame, Functions, Tracee, Trap
from forklab.runnable import is_python

_START = "start"
_ASKED_FOR = (SEM_OPEN, SEM_INIT)
_SA_RESTART = 0x10000000
# What the kernel sends for what a process itself has just done: to block these would be to change what they do.
_FAULTS = mask_of(("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"))
_ALL_BUT_FAULTS = (1 << 64) - 1 & ~_FAULTS
_STEPPED = (0, TRAP)


def begins(tracee: Tracee) -> None:
    """It has just executed a program: where it begins by itself, all libraries are there."""
    tracee.functions = Functions()
    program = proc.program(tracee.member.pid)
    try:
        if is_python(program) or not any(functions.mentions(program, name) for name in _ASKED_FOR):
            return
        address = vdso.entry(tracee.tid)
        if address:
            trap = Trap(_START, breakpoints.plant(tracee.tid, address))
            tracee.functions = Functions({address: trap})
    except OSError:
        return  # nobody may read it


def trapped(loop: Loop, ledger: Ledger, tracee: Tracee) -> bool:
    """It is about to get a SIGTRAP: whether that is one of ours, of which has been taken care."""
    mine = tracee.functions
    info = ptrace.signal_info(tracee.tid) if mine.traps or mine.frames else None
    if info is None or info.code <= 0:
        return False
    if info.number == SEGV:
        if guarding.at(loop.run, tracee.tid, ptrace.fault_address(tracee.tid)) is not None:
            guarding.give_up(loop.run, tracee)
        return False
    address = breakpoints.hit(tracee.tid)
    trap = mine.traps.get(address)
    if trap is not None and trap.name == _START:
        breakpoints.remove(tracee.tid, address, trap.before)
        breakpoints.stand_before(tracee.tid, address)
        tracee.functions = Functions(_plant(loop.run, tracee))
        loop.goes_on(tracee, AT_ONCE)
    elif trap is not None:
        _enters(loop, ledger, tracee, trap.name)
    elif any(frame.returns_to == address for frame in mine.frames):
        _leaves(loop, ledger, tracee, address)
    else:
        return False
    return True


def _plant(run: Run, tracee: Tracee) -> dict[int, Trap]:
    """At the functions of its C library."""
    found: dict[int, Trap] = {}
    try:
        for path, start in proc.mapped_files(tracee.tid).items():
            known = functions.of_glibc(path, SEM_FUNCTIONS)
            if known is not None:
                for name, address in known.addresses.items():
                    there = start - known.begins + address
                    found[there] = Trap(name, breakpoints.plant(tracee.tid, there))
    except OSError:
        run.because("it uses semaphores in a C library that can't be read")
    return found


def _enters(loop: Loop, ledger: Ledger, tracee: Tracee, name: str) -> None:
    stop = ptrace.function(tracee.tid)
    tracee.call = call = Call(name, stop.arguments)
    tracee.deadline, tracee.interrupted = None, False
    if not loop.policy.holds(loop, tracee, call):
        makes = name == SEM_INIT and guarding.at(loop.run, tracee.tid, call.arguments[0])
        if name == SEM_OPEN or makes:
            run_it(loop, ledger, tracee, call)
        else:  # one that it shares with nobody, or of which has been said that it is not modelled
            _over_the_first(loop, ledger, tracee)


def stand_before(tracee: Tracee) -> None:
    """It comes to the function once more when it goes on: whatever signal is pending comes before."""
    breakpoints.stand_before(tracee.tid, breakpoints.hit(tracee.tid))


def make(loop: Loop, ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """The function before which it is held has been chosen."""
    run = loop.run
    if call.name == SEM_OPEN:
        tracee.saw(run.resources.values(ledger.of(tracee).touches))
    deadline, tracee.deadline = tracee.deadline, None
    is_over = deadline is not None and deadline <= run.clock.now
    if not semaphores.would_wait(run, tracee, call) or is_over:
        run_it(loop, ledger, tracee, call)
    elif _breaks_off(run, tracee, call):
        run_it(loop, ledger, tracee, call, is_broken_off=True)
    else:
        stand_before(tracee)
        loop.goes_on(tracee, AT_ONCE)


def _breaks_off(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether the signal that comes first ends its waiting; else it comes, and then it goes on to wait.

    So it is for futex(2): a handler without SA_RESTART does; and any, if there is a limit.
    """
    masks = proc.masks(tracee.member.pid, tracee.tid)
    due = numbers_in(masks.deliverable) if masks else []
    flags = run.dispositions.flags_of
    ends = [
        masks is not None
        and masks.catches(number)
        and (call.name != "sem_wait" or not flags(tracee.member, number) & _SA_RESTART)
        for number in due
    ]
    if len(set(ends)) > 1:
        run.because(f"signals come for {tracee.member.name} in {call.name}, some of which end it")
    return any(ends)


def run_it(
    loop: Loop, ledger: Ledger, tracee: Tracee, call: Call, *, is_broken_off: bool = False
) -> None:
    """The function before which it stands, as a whole."""
    if call.name == SEM_OPEN:
        semaphores.remember(loop.run, tracee, call)
    tid, mine = tracee.tid, tracee.functions
    stop, masks = ptrace.function(tid), proc.masks(tracee.member.pid, tracee.tid)
    blocked = None
    if masks is not None and masks.pending & ~masks.blocked:
        blocked = masks.blocked
        ptrace.set_signal_mask(tid, _ALL_BUT_FAULTS | blocked)
    area = None if call.name == SEM_OPEN else guarding.at(loop.run, tid, call.arguments[0])
    known = [frame.before for frame in mine.frames if frame.returns_to == stop.returns_to]
    before = known[0] if known else breakpoints.plant(tid, stop.returns_to)
    frame = Frame(call, stop.returns_to, stop.stack, before, True, blocked, is_broken_off, area)
    tracee.functions = replace(mine, frames=(*mine.frames, frame))
    if area is not None:
        guarding.open_it(tracee, area)
    _over_the_first(loop, ledger, tracee)


def _over_the_first(loop: Loop, ledger: Ledger, tracee: Tracee) -> None:
    """It makes the instruction at which it has stopped, and goes on."""
    address = breakpoints.hit(tracee.tid)
    _step_over(loop, ledger, tracee, address, tracee.functions.traps[address].before)


def _step_over(loop: Loop, ledger: Ledger, tracee: Tracee, address: int, before: bytes) -> None:
    report = breakpoints.step_over(tracee.tid, address, before)
    status = report[1]
    if status & 0xFF == 0x7F and (status >> 16, status >> 8 & 0xFF) == _STEPPED:
        _go(loop, ledger, tracee)
    else:
        listening.hear(loop, report)


def _go(loop: Loop, ledger: Ledger, tracee: Tracee) -> None:
    ledger.of(tracee).moved = True
    letting.go(loop.run, tracee)


def calls_within(loop: Loop, ledger: Ledger, tracee: Tracee, call: Call, frame: Frame) -> bool:
    """At the entry of a system call that such a function makes. Whether it has been let go."""
    tid, is_wait = tracee.tid, call.name == "futex" and waits_on_futex(call)
    if is_wait and frame.call.name in SEM_WAITS:  # it is told at once what has ended its waiting
        ptrace.skip_call(tid, -errno.EINTR if frame.is_broken_off else -errno.ETIMEDOUT)
    elif frame.call.name != SEM_OPEN and call.name != "futex":  # it has a handler for its own fault
        loop.run.because(f"{tracee.member.name} leaves {frame.call.name} without its end")
        _may_be_disturbed(loop.run, tracee, frame)
        return False
    if is_wait and frame.is_broken_off:
        _may_be_disturbed(loop.run, tracee, frame)
    _go(loop, ledger, tracee)
    return True


def _may_be_disturbed(run: Run, tracee: Tracee, frame: Frame) -> None:
    """The signals that were kept off come now."""
    if frame.area is not None:
        guarding.give_up(run, tracee)  # a handler must not find it open
    if frame.blocked is not None:
        ptrace.set_signal_mask(tracee.tid, frame.blocked)
    mine = tracee.functions
    frame = replace(frame, is_whole=False, blocked=None)
    tracee.functions = replace(mine, frames=(*mine.frames[:-1], frame))


def _leaves(loop: Loop, ledger: Ledger, tracee: Tracee, address: int) -> None:
    """It has come to where one of them returns to."""
    tid, mine = tracee.tid, tracee.functions
    _, stack = ptrace.counter_and_stack(tid)
    *outer, frame = (frame for frame in mine.frames if frame.returns_to == address)
    others = tuple(frame for frame in mine.frames if frame.returns_to != address)
    tracee.functions = replace(mine, frames=others)
    breakpoints.remove(tid, address, frame.before)
    ptrace.go_to(tid, address)
    if outer or frame.stack != stack:
        loop.run.because(f"{tracee.member.name} leaves {frame.call.name} without its end")
    if frame.stack != stack:
        loop.goes_on(tracee, AT_ONCE)
        return
    if frame.area is not None:
        guarding.close(tracee, frame.area)
    if frame.blocked is not None:
        ptrace.set_signal_mask(tid, frame.blocked)
    tracee.call = frame.call
    loop.policy.returned(loop, tracee, ptrace.result(tid))
    loop.goes_on(tracee, IN_TURN)


def returned(run: Run, tracee: Tracee, ledger: Ledger, call: Call, result: int) -> None:
    """From a function, with this in the register for results."""
    if call.name == SEM_INIT:
        semaphores.initialized(run, tracee, call, result)
        return
    if call.name != SEM_OPEN:
        semaphores.returned(run, tracee, call, result)
        return
    semaphores.opened(run, tracee, call, result)
    touches = ledger.of(tracee).touches
    if result:
        run.resources.told(touches, tracee.member.name, tracee.history, call.name)
