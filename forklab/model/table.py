"""The process table of the model: what the kernel keeps about each process, as immutable values.

A `Table` is never changed; forklab.model.apply() answers a new one. Processes are known by their names, which are
never used again, and so are process groups and sessions: a group is named after the process whose pid is its id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from forklab.history import State
from forklab.kernel.statuses import killer

NO_SIGNALS: frozenset[str] = frozenset()
ANY_CHILD = "any child"  # what a process waits for that called waitpid(-1)


class ModelError(Exception):
    """An action that a process table does not allow. The message says what and why.

    `errno` is the error that the system call would give ("ECHILD"); None if the action makes no sense at all, as when
    the dead act.
    """

    def __init__(self, message: str, errno: str | None = None) -> None:
        super().__init__(message if errno is None else f"{message} ({errno})")
        self.errno = errno


class Pending(NamedTuple):
    """A signal that was sent and not yet delivered; `sender` None: from outside, or the kernel's own doing."""

    signal: str
    sender: str | None


@dataclass(frozen=True)
class Entry:
    """One process.

    `adopted_at` orders the children of a parent as the kernel's list does: by when they became its children. `status`
    is what wait(2) will tell once it is dead: 0 to 255, or minus the number of the signal that killed it. `execed`:
    whether it has called execve(2) since it was forked. `waits_for`: the child, or ANY_CHILD, if it is blocked in
    wait(2).
    """

    name: str
    parent: str | None
    group: str
    session: str
    adopted_at: int = 0
    pid1: bool = False
    subreaper: bool = False
    ignored: frozenset[str] = NO_SIGNALS
    caught: frozenset[str] = NO_SIGNALS
    blocked: frozenset[str] = NO_SIGNALS
    pending: tuple[Pending, ...] = ()
    execed: bool = False
    stopped_by: str | None = None
    waits_for: str | None = None
    status: int | None = None
    reaped_by: str | None = None

    @property
    def dead(self) -> bool:
        return self.status is not None

    @property
    def killer(self) -> str | None:
        """The signal that killed it, if one did."""
        return killer(self.status)

    @property
    def stopped(self) -> bool:
        return self.stopped_by is not None

    @property
    def state(self) -> State:
        if self.reaped_by is not None:
            return State.REAPED
        if self.dead:
            return State.ZOMBIE
        if self.stopped:
            return State.STOPPED
        return State.RUNNING if self.waits_for is None else State.WAITING

    @property
    def pending_signals(self) -> frozenset[str]:
        return frozenset(pending.signal for pending in self.pending)


@dataclass(frozen=True)
class Table:
    """All processes that there ever were, in order of birth; each appears exactly once.

    The first one adopts whoever finds no other reaper, and it has no parent in the table. `foreground` tells for each
    session that has a terminal which process group is in the foreground there.
    """

    entries: Mapping[str, Entry]
    foreground: Mapping[str, str] = field(default_factory=dict)
    adoptions: int = 0

    @classmethod
    def starting_with(cls, name: str, *, pid1: bool = True) -> Self:
        """A table of one process, which leads a session of its own. If it is not `pid1`, it is a subreaper."""
        return cls({name: Entry(name, None, name, name, pid1=pid1, subreaper=not pid1)})

    def __getitem__(self, name: str) -> Entry:
        """Raises ModelError if there never was a process of that name."""
        try:
            return self.entries[name]
        except KeyError:
            known = ", ".join(self.entries)
            raise ModelError(f"no process is called {name!r}: there are {known}", "ESRCH") from None

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def children(self, name: str) -> tuple[Entry, ...]:
        """Whom `name` can wait for, zombies too, in the order in which they became its children."""
        children = [entry for entry in self if entry.parent == name and entry.reaped_by is None]
        return tuple(sorted(children, key=lambda entry: entry.adopted_at))

    def can_wait(self, parent: str, wanted: str) -> bool:
        """Whether there is a child left that a wait for `wanted` could ever reap; ECHILD otherwise."""
        return any(wanted in (ANY_CHILD, child.name) for child in self.children(parent))

    def zombie_for(self, parent: str, wanted: str) -> str | None:
        """Whom a wait for `wanted` reaps now. POSIX leaves open which of several; Linux takes the first child."""
        for child in self.children(parent):
            if child.dead and wanted in (ANY_CHILD, child.name):
                return child.name
        return None

    def ancestors(self, name: str) -> Iterator[Entry]:
        """Its parent, the parent's parent and so on, up to the first process."""
        parent = self[name].parent
        while parent is not None:
            yield self[parent]
            parent = self[parent].parent

    def descendants(self, name: str) -> tuple[Entry, ...]:
        """Everybody below `name` that is still in the kernel's table, in order of birth."""
        return tuple(
            entry
            for entry in self
            if entry.reaped_by is None and any(a.name == name for a in self.ancestors(entry.name))
        )

    def is_within(self, name: str, pid1: str) -> bool:
        """Whether `name` is in the PID namespace whose PID 1 is `pid1`; re-parenting never leaves a namespace."""
        return name == pid1 or any(ancestor.name == pid1 for ancestor in self.ancestors(name))

    def members(self, group: str) -> tuple[Entry, ...]:
        """Who is in a process group; a zombie stays in its group until it is reaped."""
        return tuple(entry for entry in self if entry.group == group and entry.reaped_by is None)

    def reaper_for(self, name: str) -> str:
        """Who adopts the children of `name` when it dies.

        "A subreaper fulfills the role of init(1) for its descendant processes": the nearest living ancestor that is
        marked so, else PID 1 of the namespace (PR_SET_CHILD_SUBREAPER in prctl(2)).
        """
        first = next(iter(self)).name
        return next((a.name for a in self.ancestors(name) if a.subreaper or a.pid1), first)

    def is_orphaned(self, group: str) -> bool:
        """Whether `group` is an orphaned process group. The dead do not count.

        "A process group in which the parent of every member is either itself a member of the group or is not a member
        of the group's session." (POSIX, Base Definitions) The child of a container's init is therefore not in an
        orphaned group, as long as init stands in another group of the same session.
        """
        for member in self.members(group):
            if member.dead or member.parent is None:
                continue
            parent = self[member.parent]
            if parent.group != group and parent.session == member.session:
                return False
        return True
