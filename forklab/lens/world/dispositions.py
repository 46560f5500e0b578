"""What becomes of a signal in each process: its masks, and the flags of its handlers."""

from __future__ import annotations

from dataclasses import dataclass, field

from forklab.kernel.signals import CHLD, SA_NOCLDWAIT, bit, numbers_in
from forklab.lens.edge import proc
from forklab.lens.world.chronicle import Member
from forklab.lens.world.tracees import Tracee

SA_SIGINFO = 4


@dataclass(eq=False)
class Dispositions:
    """`flags` are those of handlers by signal, as sigaction(2) has them: of SIGCHLD, and where schedules are explored
    of all. `sees_changes`: each of masks is seen, so that they have to be read only once until then.
    """

    sees_changes: bool = True
    _masks: dict[Member, proc.Masks] = field(default_factory=dict)
    flags: dict[Member, dict[int, int]] = field(default_factory=dict)

    def of(self, tracee: Tracee) -> proc.Masks | None:
        """None if it is gone."""
        member = tracee.member
        if not self.sees_changes:
            return proc.masks(member.pid, tracee.tid)
        if member not in self._masks and (read := proc.masks(member.pid, tracee.tid)):
            self._masks[member] = read
        return self._masks.get(member)

    def changed(self, member: Member) -> None:
        self._masks.pop(member, None)

    def executed(self, member: Member) -> None:
        """execve(2): what was caught is not any more. That flags are forgotten too, SA_NOCLDWAIT as well, is Linux."""
        self.changed(member)
        self.flags.pop(member, None)

    def inherited(self, parent: Member, child: Member) -> None:
        if parent in self.flags:
            self.flags[child] = dict(self.flags[parent])

    def set_flags(self, member: Member, number: int, flags: int) -> None:
        if flags:
            self.flags.setdefault(member, {})[number] = flags
        else:  # as nobody has set it: many a program goes through all signals
            self.flags.get(member, {}).pop(number, None)

    def flags_of(self, member: Member, number: int) -> int:
        return self.flags.get(member, {}).get(number, 0)

    def will_tell_senders(self, member: Member, signals: int) -> None:
        """Of these, as a bit mask."""
        for number in numbers_in(signals):
            self.set_flags(member, number, self.flags_of(member, number) | SA_SIGINFO)

    def told_of(self, member: Member) -> int:
        """The signals of whose senders it is told, as a bit mask."""
        known = self.flags.get(member, {})
        return sum(bit(number) for number, flags in known.items() if flags & SA_SIGINFO)

    def tells_senders(self, member: Member, number: int) -> bool:
        """Whether it can learn from whom this signal comes: by SA_SIGINFO or sigwaitinfo(2)."""
        return bool(self.flags_of(member, number) & SA_SIGINFO)

    def wants_no_zombies(self, member: Member) -> bool:
        """Whether the kernel collects its children by itself."""
        masks = proc.masks(member.pid, member.pid)
        ignores = masks is not None and bool(masks.ignored & bit(CHLD))
        return ignores or bool(self.flags_of(member, CHLD) & SA_NOCLDWAIT)
