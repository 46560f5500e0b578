"""A loop that reads the clock, as `while (time(NULL) < end) {}`, is a wait for a moment: which one is found out.

The process is led through its loop and told one time after the other, each a bit later, until it does something else
than to look again. Then it is put back to where it stood, with the memory and the registers that it had there, and is
held before its reading until that moment. So others do what they do in the meantime, at their own times.

That this is the whole truth is proved, not guessed. Told the same time again, it has to come back to where it stood
with the same in all registers and in all memory; and just before the moment it has to be the same whether it has looked
often or once. Who counts how often it looks is not like that: then it is said that it is not known.
"""

from __future__ import annotations

import struct
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from forklab.kernel.calls import calls_in
from forklab.kernel.processors import X86_64, name_of, this_processor
from forklab.lens.calls import sleeping
from forklab.lens.edge import memory, proc, ptrace
from forklab.lens.edge.memory import Memory
from forklab.lens.loop import letting, listening
from forklab.lens.loop.ledger import Ledger
from forklab.lens.loop.loop import Loop, Report
from forklab.lens.world import clock as clocks
from forklab.lens.world.onward import AT_ONCE, Onward
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

CLOCKS = calls_in("clock")
# What may be called in between.
_HARMLESS = frozenset({"sched_yield", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid"})
_OFTEN = 64  # readings in a row: then it is looked at
_ROUNDS = 3  # through the loop at one time, until it is the same again
_MOST_READINGS = 100  # in one round
# How far the next time is from the last one: so much, and then such a part of what has gone by.
_STEP, _PART = 1_000_000, 30
_FURTHEST = 100_000 * clocks.SECOND
_MOST_MEMORY = 64 << 20  # bytes
_TOP_OF_STACK = 512  # bytes
_TOO_LONG = 50_000_000  # nanoseconds on the processor without a call
_STOPPED = 0x7F


def holds(loop: Loop, ledger: Ledger, tracee: Tracee, call: Call) -> bool:
    """At the entry of a reading. True: it has been taken care of; `deadline` is set if it is to be held until then.

    Its own processor time is the virtual time in which it was in such loops: computing takes none.
    """
    run, standing = loop.run, ledger.of(tracee)
    is_own = _reads_processor_time(call)
    if is_own:
        run.because(f"{tracee.member.name} asks how much processor time it has used")
        run.alarms.count(tracee.member)
        run.time_passes()
    standing.readings += 1
    standing.waits_at_clock = False
    if run.clock.watched:  # from now on it moves while others could have acted
        run.because(f"{tracee.member.name} reads the clock again and again")
    if standing.readings > _OFTEN and _can_be_led(run, tracee):
        standing.readings = 0
        try:
            found = _moment(_Loop(loop, tracee, call))
        except _LostError as lost:
            listening.hear(loop, lost.report)
            return True
        if found is not None and not found.is_over:
            run.clock.looked_away()
            if not found.is_certain:
                run.because(
                    f"{tracee.member.name} keeps count of how often it looks at the clock: that is not modelled"
                )
            tracee.deadline = found.moment
            standing.waits_at_clock = True
            return True
    if is_own:
        sleeping.answer(tracee, call, _time_of(run, tracee, call, run.clock.now))
        letting.go(run, tracee)
    return is_own


def make(loop: Loop, ledger: Ledger, tracee: Tracee, call: Call) -> Onward:
    """The reading before which it was held; its moment has come. Raises ProcessLookupError if it was killed."""
    run, standing = loop.run, ledger.of(tracee)
    tracee.deadline, standing.readings = None, 0
    run.time_passes()
    try:
        _Loop(loop, tracee, call).comes_back_at(run.clock.now - 1)
    except _LostError:
        raise ProcessLookupError from None
    time = _time_of(run, tracee, call, run.clock.now)
    tracee.saw(time)
    sleeping.answer(tracee, call, time)
    return AT_ONCE


def _reads_processor_time(call: Call) -> bool:
    return sleeping.clock_of(call) in clocks.OWN_PROCESSOR_TIME


def _time_of(run: Run, tracee: Tracee, call: Call, now: int) -> int:
    """What it is told, if it is so late, and it has been on the processor since the clock stood still last."""
    if _reads_processor_time(call):
        return run.alarms.processor[tracee.member] + now - run.clock.now
    return now + run.clock.shows(sleeping.clock_of(call)) - run.clock.now


def _can_be_led(run: Run, tracee: Tracee) -> bool:
    masks = proc.masks(tracee.member.pid, tracee.tid)
    alone = len(run.world.threads_of(tracee.member)) == 1
    undisturbed = masks is not None and not masks.pending & ~masks.blocked
    return alone and undisturbed and this_processor() is X86_64


class _Look(NamedTuple):
    """What is in it, and once more the vector registers, in the form in which they can be set."""

    memory: Memory
    all_vectors: bytes


@dataclass(frozen=True)
class _Found:
    """`moment`: when it does something else; None: never. `is_over`: at once."""

    moment: int | None = None
    is_over: bool = False
    is_certain: bool = True


def _moment(loop: _Loop) -> _Found | None:
    """It stands where it stood when this returns. None: we cannot look at its memory."""
    start = loop.look()
    if start is None:
        return None
    settled, is_certain = start, False
    for _ in range(_ROUNDS):
        if not loop.comes_back_at(loop.now):
            loop.put_back(start)
            return _Found(is_over=True)
        before, settled = settled, loop.look() or settled
        if is_certain := _are_same(before, settled):
            break
    looks = [loop.now]
    moment: int | None = None
    while looks[-1] < _FURTHEST:
        late = looks[-1] + max(_STEP, (looks[-1] - loop.now) // _PART)
        if not loop.comes_back_at(late):
            moment = _between(loop, settled, looks[-1], late)
            break
        looks.append(late)
    last = looks[-1] if moment is None else moment - 1
    loop.put_back(settled)
    looked_often = all(loop.comes_back_at(time) for time in [*looks, last])
    often = loop.look()
    loop.put_back(settled)
    looked_once = loop.comes_back_at(last)
    once = loop.look()
    is_certain &= bool(looked_often and looked_once and often and once and _are_same(often, once))
    loop.put_back(settled)
    return _Found(moment, is_certain=is_certain)


def _between(loop: _Loop, before: _Look, early: int, late: int) -> int:
    """The first time from `early` on at which it does something else, if it still does so from then on."""
    loop.put_back(before)
    while late - early > 1:
        middle = (early + late) // 2
        if loop.comes_back_at(middle):
            early = middle
        else:
            late = middle
            loop.put_back(before)
    return late


def _are_same(one: _Look, other: _Look) -> bool:
    return memory.change(one.memory, one.memory) == memory.change(one.memory, other.memory)


class _LostError(Exception):
    """It has ended."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


class _Loop:
    """A process that is led through its loop, and the reading at whose entry it stands."""

    def __init__(self, loop: Loop, tracee: Tracee, call: Call) -> None:
        self._run, self._tracee, self._call = loop.run, tracee, call
        self._code = [
            range(*(int(word, 16) for word in area.split("-")))
            for area, rights, *_ in proc.maps(tracee.tid)
            if "x" in rights
        ]
        self._here = ptrace.call(tracee.tid)
        self._place = self._place_of(self._here)
        self.now = loop.run.clock.now

    def comes_back_at(self, time: int) -> bool:
        """It is told this time, whatever it reads. False: it does something else, and stands somewhere.

        Raises _LostError.
        """
        call, tid = self._call, self._tracee.tid
        for _ in range(_MOST_READINGS):
            shown = _time_of(self._run, self._tracee, call, time)
            sleeping.answer(self._tracee, call, shown)
            self._stops_next(to_exit=True)
            if not self._comes_to_a_reading():
                return False
            here = ptrace.call(tid)
            call = Call(name_of(here.number) or "", here.arguments)
            is_known = clocks.is_virtual(sleeping.clock_of(call)) or (
                _reads_processor_time(call) and self._tracee.member in self._run.alarms.processor
            )
            if not is_known:
                return False
            if self._place_of(here) == self._place:
                return True
        return False

    def look(self) -> _Look | None:
        tid = self._tracee.tid
        found = memory.read(tid, _MOST_MEMORY)
        return _Look(found, ptrace.all_vectors(tid)) if found else None

    def put_back(self, before: _Look) -> None:
        """Memory and registers as they were, when it stood where it has to stand. Raises _LostError."""
        tid = self._tracee.tid
        now = memory.read(tid, _MOST_MEMORY)
        for address, page in before.memory.pages.items():
            if now is None or now.pages.get(address) != page:
                ptrace.patch_memory(tid, address, page)
        ptrace.set_vectors(tid, before.all_vectors)
        ptrace.set_registers(tid, before.memory.general)
        ptrace.stand_before_call(tid, self._here.number)
        while True:
            status = self._stops_next(to_exit=False)
            is_entry = status >> 16 == ptrace.EVENT_SECCOMP
            if is_entry and ptrace.call(tid).number == self._here.number:
                return

    def _place_of(self, stop: ptrace.CallStop) -> Hashable:
        """Where it stands, and who has called it: what looks like code on top of its stack."""
        stack = ptrace.read_memory(self._tracee.tid, stop.stack, _TOP_OF_STACK)
        words = struct.unpack_from(f"<{len(stack) // 8}Q", stack)
        callers = [
            (place, word)
            for place, word in enumerate(words)
            if any(word in area for area in self._code)
        ]
        return stop.number, stop.counter, stop.stack, tuple(callers)

    def _comes_to_a_reading(self) -> bool:
        tid = self._tracee.tid
        while self._stops_next(to_exit=True) >> 8 == ptrace.SYSCALL_STOP:
            name = name_of(ptrace.call(tid).number)
            if name in CLOCKS:
                return self._stops_next(to_exit=False) >> 16 == ptrace.EVENT_SECCOMP
            if name not in _HARMLESS:
                return False
            self._stops_next(to_exit=True)
        return False

    def _stops_next(self, *, to_exit: bool) -> int:
        """The status with which it does. Who computes for long is interrupted. Raises _LostError."""
        tid = self._tracee.tid
        ptrace.resume(tid, to_exit=to_exit)
        began = 0
        while (report := ptrace.wait(tid)) is None:
            spent = proc.nanoseconds(tid)
            began = began or spent
            if spent - began > _TOO_LONG:
                ptrace.interrupt(tid)
        if report[1] & 0xFF != _STOPPED:
            raise _LostError(report)
        return report[1]
