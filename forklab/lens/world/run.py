"""One run of a program: all that is known of it while it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.lens.edge.undo import Undo
from forklab.lens.world.alarms import Alarms
from forklab.lens.world.channels import Channels
from forklab.lens.world.chronicle import Chronicle, Member
from forklab.lens.world.clock import Clock
from forklab.lens.world.dispositions import Dispositions
from forklab.lens.world.limits import Findings, Limits
from forklab.lens.world.pipes import Pipes
from forklab.lens.world.resources import Resources
from forklab.lens.world.semaphores import Semaphores
from forklab.lens.world.socket_limits import SocketLimits
from forklab.lens.world.surroundings import Surroundings
from forklab.lens.world.tracees import Tracee
from forklab.lens.world.world import World
from forklab.steps.chance import Chance


class Edit(NamedTuple):
    """Of what is in a file: from `start` to `end` the program shall see `new` instead."""

    start: int
    end: int
    new: bytes


@dataclass(eq=False)
class Run:
    """`echo` gets output as it is written; `in_namespace`: our PID 1 is the tracer, nobody else can be reached.

    `orphans_go_outside`: to somebody who is neither of the program nor the tracer, and who reaps them.
    `in_virtual_time`: its clock is ours. `stops_at_time_stamps`: it gets SIGSEGV when it reads the time stamp counter.
    `chance`: what nobody decides differs from that of other runs. `processors` are those of the machine that the
    program may use, `began` is when its first run did, by the machine's clock, in nanoseconds. `shown`: how the files
    of /proc are changed that somebody reads, by whom and his descriptor. `processor_limit`: the program's from its
    start, in seconds (RLIMIT_CPU); None of a play, in which others may have set it.
    """

    chronicle: Chronicle
    clock: Clock
    limits: Limits
    surroundings: Surroundings
    findings: Findings
    echo: Callable[[bytes], None]
    in_namespace: bool
    in_virtual_time: bool
    stops_at_time_stamps: bool = False
    chance: Chance | None = None
    processors: frozenset[int] = frozenset()
    began: int = 0
    orphans_go_outside: bool = False
    processor_limit: int | None = None
    world: World = field(default_factory=World)
    alarms: Alarms = field(default_factory=Alarms)
    dispositions: Dispositions = field(default_factory=Dispositions)
    resources: Resources = field(default_factory=Resources)
    socket_limits: SocketLimits = field(default_factory=SocketLimits)
    pipes: Pipes = field(default_factory=Pipes)
    channels: Channels = field(default_factory=Channels)
    semaphores: Semaphores = field(default_factory=Semaphores)
    undo: Undo = field(default_factory=Undo)
    varied: int = 0  # so many answers of the kernel
    old_inodes: set[int] = field(default_factory=set)  # of files that were there before
    chose_processors: bool = False
    suspects: set[Member] = field(default_factory=set)  # a signal may be pending for them
    shown: dict[tuple[Member, int], tuple[Edit, ...]] = field(default_factory=dict)
    threaded: set[Member] = field(default_factory=set)  # they have, or had, several threads
    kernel_keeps_time: bool = (
        False  # of something: what we would have to have for that, we may not take
    )

    def because(self, reason: str) -> None:
        """Why the same seed may not give the same history."""
        self.findings.because(reason)

    def remark(self, difference: str) -> None:
        """What the program would find without a lens, and does not find here."""
        if difference not in self.findings.remarks:
            self.findings.remarks.append(difference)

    def time_passes(self) -> None:
        """The clock may have moved: who could compute meanwhile has done so, for all that its timers know."""
        self.alarms.time_passes(self.clock.now, self.world.computes)

    @property
    def somebody_waits_for_a_moment(self) -> bool:
        return bool(self.alarms.timers or self.alarms.files) or any(
            tracee.deadline is not None for tracee in self.world.tracees.values()
        )

    def timer_deadlines(self) -> Iterator[tuple[Member, int]]:
        """When timers ring by a signal, and for whom, if nobody does anything else than now."""
        self.time_passes()
        return self.alarms.deadlines(self.clock.now, self.world.computes)

    def tell_parent(self, member: Member) -> None:
        """Something happened to it: its parent may wait for that, and gets SIGCHLD."""
        if member.parent is not None:
            self.suspects.add(member.parent)

    def wrote(self, tracee: Tracee, content: bytes) -> None:
        """Part of the program's output; what it wrote is passed on as it is, if nothing in it has to be changed."""
        findings = self.findings
        room = self.limits.output - findings.written
        if len(content) > room:
            findings.cut = True
            content = content[:room]
        if not content:
            return
        text = content.decode(errors="replace")
        shown = self.chronicle.in_our_numbers(text)
        findings.written += len(content)
        findings.output.append(shown)
        self.chronicle.wrote(tracee.member, shown)
        self.echo(content if shown == text else shown.encode())
