"""Writes down what the world sees, as the JSON form of a history.

Knows who is whose child and who is still a zombie, and nothing of tracing: the world tells it facts by pid, in the
order in which they become true. Plain dictionaries, not events: they leave for another process anyway, which checks
them, and there are several for each process.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from forklab.history import KERNEL
from forklab.kernel import waits
from forklab.kernel.signals import KILL, signal_name, signal_number
from forklab.numbering import FIRST_PID

INIT, INIT_PID = "init", 1
# What others can notice; and signals that somebody has sent.
_EFFECTS = frozenset(
    {"fork", "exec", "exit", "killed", "reaped", "reparented", "stopped", "continued", "output"}
)
_OF_SIGNALS = frozenset({"signal", "killed", "stopped"})


@dataclass(eq=False, slots=True)
class Member:
    """A process that takes part. `parent` is whose child it is now, None for init's.

    Where the program has made PID namespaces, `spaces` are those around it, and `numbers` its pids there, from the
    outermost on inwards. `pid` is its number for us.
    """

    name: str
    pid: int
    number: int
    parent: Member | None
    born: int  # how many others were there before it
    children: list[Member] = field(default_factory=list)  # not yet reaped, in the order of adoption
    forks: int = 0
    status: int | None = None  # as os.waitstatus_to_exitcode() has it
    reaped: bool = False
    adopts: bool = False  # a subreaper
    mother: int = 0  # the thread that has forked it
    is_clone: bool = False  # it ends by another signal than SIGCHLD, or by none: see clone(2)
    stopped: bool = False
    stopped_by: int = 0  # the signal that has stopped it last
    stop_untold: bool = False  # to its parent, by WUNTRACED
    continue_untold: bool = False
    spaces: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    is_init: bool = False  # PID 1 of one of them: the others there end with it
    fault: int = 0  # the signal of which it would have died, had nobody traced it

    def number_for(self, other: Member) -> int | None:
        """Its pid, as the other one has to call it; None if that cannot see it."""
        depth = len(other.spaces)
        if self.spaces[:depth] != other.spaces:
            return None
        return self.numbers[depth - 1] if depth else self.pid

    def is_within(self, other: Member) -> bool:
        """Whether it is in the PID namespace of the other one, or in one below."""
        return self.spaces[: len(other.spaces)] == other.spaces

    @property
    def dead(self) -> bool:
        return self.status is not None

    @property
    def zombie(self) -> bool:
        return self.dead and not self.reaped

    @property
    def news(self) -> int:
        """What a wait can tell its parent of it, as `forklab.kernel.waits` has it."""
        if self.dead:
            return waits.WEXITED
        if self.stop_untold:
            return waits.WSTOPPED
        return waits.WCONTINUED if self.continue_untold else 0


class Chronicle:
    """`now` answers the time in seconds. `real_pids`: the kernel's numbers are those that we want to show.

    Where they are not, a process gets the number that `number_of` has for its name, or the next one, and `outside`, the
    parent of those who have none among them, gets that of init. `within_words`: in a text also where a number is part
    of a word.
    """

    def __init__(
        self,
        pid: int,
        now: Callable[[], float],
        *,
        real_pids: bool,
        number_of: Callable[[str], int] | None = None,
        outside: int = INIT_PID,
        within_words: bool = False,
    ) -> None:
        self._now = now
        self._outside = outside
        self._number = re.compile(r"\d+" if within_words else r"\b\d+\b")
        self._number_of = number_of
        self._real_pids = real_pids
        self._events: list[dict[str, object]] = []
        self._adopted_by_init = False
        self._killers: dict[Member, Member] = {}
        self._attempts: dict[Member, list[dict[str, object]]] = {}
        self._comings: dict[
            Member, list[dict[str, object]]
        ] = {}  # of signals, and what came of them
        self._members: dict[int, Member] = {}
        self._latest: dict[int, Member] = {}
        self.everybody: list[Member] = []
        self.effects = 0  # so many things have happened that others can notice
        self.first = self._add(pid, "P", None)
        self._processes = [{"name": "P", "pid": self.first.number, "parent": None}]
        self._tell("start", self.first)

    def __getitem__(self, pid: int) -> Member:
        return self._members[pid]

    def get(self, pid: int) -> Member | None:
        """Whoever has the pid now, zombies too."""
        return self._members.get(pid)

    def latest(self, pid: int) -> Member | None:
        """Whoever had the pid last, if it is gone by now."""
        return self._latest.get(pid)

    def called(self, viewer: Member, number: int) -> Member | None:
        """Who has this pid now for the viewer, zombies too."""
        if not viewer.spaces:
            return self._members.get(number)
        found = (m for m in self._members.values() if m.number_for(viewer) == number)
        return next(found, None)

    def latest_called(self, viewer: Member, number: int) -> Member | None:
        """Who had it last, if it is gone by now."""
        if not viewer.spaces:
            return self._latest.get(number)
        found = (m for m in reversed(self.everybody) if m.number_for(viewer) == number)
        return next(found, None)

    def in_our_numbers(self, text: str) -> str:
        """`text` with our numbers for the kernel's, if those are not the ones that we want to show."""
        if self._real_pids:
            return text

        def ours(number: re.Match[str]) -> str:
            if int(number[0]) == self._outside:
                return str(INIT_PID)
            member = self._latest.get(int(number[0]))
            if member is None:
                return number[0]
            width = (
                len(number[0]) if number[0].startswith("0") else 0
            )  # it was filled up with zeros
            return str(member.number).zfill(width)

        return self._number.sub(ours, text)

    def _add(self, pid: int, name: str, parent: Member | None) -> Member:
        born = len(self.everybody)
        number = pid
        if not self._real_pids:
            number = self._number_of(name) if self._number_of else FIRST_PID + born
        member = self._members[pid] = self._latest[pid] = Member(name, pid, number, parent, born)
        self.everybody.append(member)
        return member

    def _tell(self, kind: str, member: Member, **details: object) -> None:
        self.effects += kind in _EFFECTS or (kind == "signal" and "sender" in details)
        event = {"t": self._now(), "kind": kind, "process": member.name, **details}
        self._events.append(event)
        if kind in _OF_SIGNALS:
            self._comings.setdefault(member, []).append(event)

    def forked(self, parent: Member, pid: int) -> Member:
        parent.forks += 1
        child = self._add(pid, f"{parent.name}.{parent.forks}", parent)
        parent.children.append(child)
        self._processes.append({"name": child.name, "pid": child.number, "parent": parent.name})
        self._tell("fork", parent, child=child.name)
        return child

    def executed(self, member: Member, argv: tuple[str, ...]) -> None:
        self._tell("exec", member, argv=list(map(self.in_our_numbers, argv)))

    def wrote(self, member: Member, text: str) -> None:
        self._tell("output", member, text=text)

    def waits(self, member: Member, child: Member | None) -> None:
        if child is None:
            self._tell("waits", member)
        else:
            self._tell("waits", member, child=child.name)

    def sends(self, sender: Member, number: int, targets: Sequence[Member]) -> None:
        """By one call, which may still be refused."""
        before = len(self._events)
        for target in targets:
            if number == KILL and target.number_for(sender) != 1:  # nobody within ends their PID 1
                self._killers.setdefault(target, sender)
            self._tell("sends", sender, signal=signal_name(number), to=target.name)
        self._attempts[sender] = self._events[before:]

    def refused(self, sender: Member, targets: Iterable[Member]) -> None:
        """Its last call has sent nothing to them."""
        attempts = list(map(id, self._attempts.pop(sender, [])))
        if attempts:
            self._events = [event for event in self._events if id(event) not in attempts]
        for target in targets:
            if self._killers.get(target) is sender:
                del self._killers[target]

    def killer_of(self, member: Member) -> Member | None:
        """Who has sent it SIGKILL, if one of them has."""
        return self._killers.get(member)

    def signalled(self, member: Member, number: int, sender: Member | None) -> None:
        known = {"sender": sender.name} if sender else {}
        self._tell("signal", member, signal=signal_name(number), **known)

    def caught_by(self, member: Member) -> list[tuple[int, str]]:
        """The signals that have come to it, and neither killed nor stopped it: number, and the sender's name or ""."""
        mine = self._comings.get(member)
        if not mine:
            return []
        return [
            (signal_number(str(event["signal"])), str(event.get("sender", "")))
            for event, following in itertools.zip_longest(mine, mine[1:], fillvalue={"kind": ""})
            if event["kind"] == "signal" and following["kind"] not in ("killed", "stopped")
        ]

    def stopped(self, member: Member, number: int) -> None:
        member.stopped = member.stop_untold = True
        member.stopped_by = number
        member.continue_untold = False
        self._tell("stopped", member, signal=signal_name(number))

    def continued(self, member: Member) -> None:
        member.stopped = member.stop_untold = False
        member.continue_untold = True
        self._tell("continued", member)

    def died(self, member: Member, status: int) -> None:
        member.status = status
        member.stopped = member.stop_untold = member.continue_untold = False
        if status < 0:
            self._tell("killed", member, signal=signal_name(-status))
        else:
            self._tell("exit", member, status=status)

    def reparented(self, child: Member, old: Member, new: Member | None) -> None:
        old.children.remove(child)
        child.parent, child.is_clone = new, False
        if new is None:
            self._adopted_by_init = True
        else:
            new.children.append(child)
        self._tell("reparented", child, old=old.name, new=new.name if new else INIT)

    def reaped(self, member: Member, *, by_kernel: bool = False) -> None:
        """Its parent has waited for it, or wants no zombies: its pid is free for somebody else."""
        member.reaped = True
        if member.parent is not None:
            member.parent.children.remove(member)
        if self._members.get(member.pid) is member:
            del self._members[member.pid]
        by = KERNEL if by_kernel else member.parent.name if member.parent else INIT
        self._tell("reaped", member, by=by, status=member.status)

    @property
    def form(self) -> dict[str, object]:
        """What there is so far, as `History.to_json` has it; init is in it if it has adopted somebody."""
        processes, events = self._processes, self._events
        if self._adopted_by_init:
            init = {"name": INIT, "pid": INIT_PID, "parent": None, "reaper": True}
            processes = [init, {**processes[0], "parent": INIT}, *processes[1:]]
            events = [{"t": 0.0, "kind": "start", "process": INIT}, *events]
        numbered = [{"n": number, **event} for number, event in enumerate(events)]
        return {"processes": processes, "events": numbered}
