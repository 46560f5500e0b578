"""Who stands where: every thread of the program, and nothing else."""

from __future__ import annotations

import bisect
import operator
from collections.abc import Iterable
from dataclasses import dataclass, field

from forklab.kernel.calls import calls_in
from forklab.kernel.processors import name_of
from forklab.lens.edge import proc
from forklab.lens.world import stands
from forklab.lens.world.chronicle import Member
from forklab.lens.world.stands import ASLEEP, LEADS_TO, Stand
from forklab.lens.world.tracees import Tracee
from forklab.steps.state import LOOP

_LOOPS = calls_in("clock") | {LOOP}  # who is held before a reading of the clock does so in a loop
_in_order = operator.attrgetter("order")


def _call_of(tracee: Tracee) -> str:
    """The one that it stopped at last may be over by now: some that hardly ever wait do not stop it."""
    is_asleep = tracee.stand is stands.INSIDE and tracee.vfork is None
    number = proc.system_call(tracee.tid) if is_asleep else None
    name = None if number is None else name_of(number)
    if name in (None, "restart_syscall"):
        return tracee.call.name if tracee.call else "a call"
    return name


def in_order(tracees: Iterable[Tracee]) -> list[Tracee]:
    return sorted(tracees, key=_in_order)


@dataclass(eq=False)
class World:
    """`tracees` by their ids. The other three say of some stands who has them: `queue` of READY, in order of birth."""

    tracees: dict[int, Tracee] = field(default_factory=dict)
    queue: list[Tracee] = field(default_factory=list)
    running: dict[int, Tracee] = field(default_factory=dict)
    asleep: dict[int, Tracee] = field(default_factory=dict)  # INSIDE, STOPPED or ENDED

    def new(self, tid: int, member: Member) -> Tracee:
        """A thread that is born, or adopted: it runs."""
        tracee = self.tracees[tid] = self.running[tid] = Tracee(tid, member)
        return tracee

    def let(self, tracee: Tracee, stand: Stand) -> None:
        """The one place where a stand changes."""
        before = tracee.stand
        if before is stand:
            return
        assert stand in LEADS_TO[before], f"{tracee.member.name}: {before.value} to {stand.value}"
        if before is stands.RUNNING:
            del self.running[tracee.tid]
        elif before is stands.READY:
            self.queue.remove(tracee)
        elif before in ASLEEP:
            del self.asleep[tracee.tid]
        tracee.stand = stand
        if stand is stands.RUNNING:
            self.running[tracee.tid] = tracee
        elif stand is stands.READY:
            bisect.insort(self.queue, tracee, key=_in_order)
        elif stand in ASLEEP:
            self.asleep[tracee.tid] = tracee
        elif stand is stands.GONE:
            self.tracees.pop(tracee.tid, None)

    def rename(self, tracee: Tracee, tid: int) -> None:
        """It has another id from now on, and is awaited under that."""
        self.let(tracee, stands.RUNNING)
        del self.running[tracee.tid]
        self.tracees.pop(tracee.tid, None)
        tracee.tid = tid
        self.tracees[tid] = self.running[tid] = tracee

    def threads_of(self, member: Member) -> list[Tracee]:
        return [tracee for tracee in self.tracees.values() if tracee.member is member]

    def computes(self, member: Member) -> bool:
        """Whether it does not wait: it runs, or could, or is in a loop that only a signal ends."""
        return any(
            tracee.stand in (stands.RUNNING, stands.READY)
            or (
                tracee.stand is stands.HELD
                and tracee.call is not None
                and tracee.call.name in _LOOPS
            )
            for tracee in self.threads_of(member)
        )

    def who_waits(self) -> str:
        """In words: "P is in wait4, P.1 is stopped"."""

        def place(tracee: Tracee) -> str:
            if tracee.stand is stands.STOPPED:
                return "is stopped"
            if tracee.stand is stands.ENDED:
                return "has ended its first thread"
            return f"is in {_call_of(tracee)}"

        return ", ".join(f"{t.member.name} {place(t)}" for t in self.tracees.values())
