"""What follows from what: deaths, orphans, zombies, waits and signals of one action, as POSIX and Linux say.

An `Unfolding` is the working copy of a table while one action takes its course. It is private to forklab.model: from
outside an action is a function from a table to the next one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, Unpack

from forklab.history import KERNEL, Details, Event
from forklab.kernel.signals import (
    STOPPING,
    UNTOUCHABLE,
    DefaultAction,
    default_action,
    is_realtime,
    signal_number,
)
from forklab.model.table import Entry, ModelError, Pending, Table


class Changes(TypedDict, total=False):
    """What of an `Entry` can change."""

    parent: str | None
    group: str
    session: str
    adopted_at: int
    subreaper: bool
    ignored: frozenset[str]
    caught: frozenset[str]
    blocked: frozenset[str]
    pending: tuple[Pending, ...]
    execed: bool
    stopped_by: str | None
    waits_for: str | None
    status: int | None
    reaped_by: str | None


class Unfolding:
    """A table in motion, and the events that it has come through so far."""

    def __init__(self, table: Table) -> None:
        self.entries = dict(table.entries)
        self.foreground = dict(table.foreground)
        self.adoptions = table.adoptions
        self.events: list[Event] = []

    @property
    def table(self) -> Table:
        return Table(self.entries, self.foreground, self.adoptions)

    def __getitem__(self, name: str) -> Entry:
        return self.table[name]

    def change(self, name: str, **what: Unpack[Changes]) -> None:
        self.entries[name] = replace(self.entries[name], **what)

    def tell(self, kind: str, process: str, **details: Unpack[Details]) -> None:
        self.events.append(Event(len(self.events), 0.0, kind, process, **details))

    # Deaths and orphans

    def die(self, name: str, status: int) -> None:
        """The process exits with `status`, or is killed by signal number minus `status`.

        POSIX lists the "Consequences of Process Termination" under _exit(); the order is that of Linux: the foreground
        group loses its terminal, the children get a new parent, groups that become orphaned are hung up, the parent is
        told.
        """
        dead = self[name]
        if dead.parent is None and not dead.pid1:
            raise ModelError(f"{name} must not die: it is the reaper of last resort in this table")
        self.change(name, status=status, stopped_by=None, waits_for=None, pending=())
        if dead.pid1:
            self._end_namespace(dead)
        elif dead.session == name and name in self.foreground:
            self._hang_up(self.foreground.pop(name))
        if not dead.pid1:
            self._part_from_children(dead)
        if dead.parent is not None:
            self._cut_off(dead.group, self[dead.parent], dead)
        self._tell_parent_of_death(name)

    def _end_namespace(self, pid1: Entry) -> None:
        """PID 1 takes its namespace with it.

        If the init process of a PID namespace terminates, "the kernel terminates all of the processes in the namespace
        via a SIGKILL signal" (pid_namespaces(7)). Linux also waits for them in PID 1's name before anybody is told
        that PID 1 is dead: nobody outside ever sees zombies of theirs.
        """
        self.foreground.pop(pid1.name, None)
        left = self.table.descendants(pid1.name)
        for entry in left:
            if not entry.dead:
                killed = -signal_number("SIGKILL")
                self.change(entry.name, status=killed, stopped_by=None, waits_for=None, pending=())
                self.tell("killed", entry.name, signal="SIGKILL")
        for entry in left:
            self.reap(pid1.name, entry.name)

    def _part_from_children(self, dead: Entry) -> None:
        """Only the dead one's own children move, zombies among them; their children stay with them."""
        reaper = self.table.reaper_for(dead.name)
        children = self.table.children(dead.name)
        for child in children:
            self.adoptions += 1
            self.change(child.name, parent=reaper, adopted_at=self.adoptions)
            self.tell("reparented", child.name, old=dead.name, new=reaper)
        for child in children:
            if child.dead:  # Linux tells the new parent too, as if the child had died just now.
                self._tell_parent_of_death(child.name)
        for group in dict.fromkeys(child.group for child in children):
            member = next(child for child in children if child.group == group)
            self._cut_off(group, dead, member)

    def _cut_off(self, group: str, connection: Entry, member: Entry) -> None:
        """If `connection` was the last to tie the group of `member` to its session, hang the group up.

        "If the exit of the process causes a process group to become orphaned, and if any member of the newly-orphaned
        process group is stopped, then a SIGHUP signal followed by a SIGCONT signal shall be sent to each process in
        the newly-orphaned process group." (POSIX, _exit) One that was orphaned before is left alone.
        """
        tied = connection.group != group and connection.session == member.session
        stopped = any(entry.stopped for entry in self.table.members(group))
        if tied and stopped and self.table.is_orphaned(group):
            self._hang_up(group)

    def _hang_up(self, group: str) -> None:
        for signal in ("SIGHUP", "SIGCONT"):
            for member in self.table.members(group):
                self.send(None, member.name, signal)

    # Zombies and waits

    def _tell_parent_of_death(self, name: str) -> None:
        """SIGCHLD to the parent, which reaps at once if it is blocked in a fitting wait.

        "If the disposition of SIGCHLD is set to SIG_IGN [...] children that terminate do not become zombies" (wait(2),
        NOTES). Such a parent gets no SIGCHLD either.
        """
        parent = self[name].parent
        if parent is None:
            return
        if "SIGCHLD" in self[parent].ignored:
            self.reap(KERNEL, name)
        else:
            self.send(name, parent, "SIGCHLD")
        self.resume_wait(parent)

    def resume_wait(self, parent: str) -> None:
        """Ends the wait that `parent` is blocked in, if it is over. A stopped process does not come out of its wait.

        The children of a parent that ignores SIGCHLD leave no zombie; its wait "will block until all children have
        terminated, and then fail with errno set to ECHILD" (wait(2), NOTES).
        """
        entry = self[parent]
        if entry.waits_for is None or entry.stopped:
            return
        if zombie := self.table.zombie_for(parent, entry.waits_for):
            self.change(parent, waits_for=None)
            self.reap(parent, zombie)
        elif not self.table.can_wait(parent, entry.waits_for):
            self.change(parent, waits_for=None)

    def reap(self, reaper: str, zombie: str) -> None:
        """`zombie` is gone: its parent has waited for it, or the kernel takes it away."""
        self.change(zombie, reaped_by=reaper)
        self.tell("reaped", zombie, by=reaper, status=self[zombie].status)

    # Signals

    def send(self, sender: str | None, name: str, signal: str) -> None:
        """`signal` is generated for the process `name`. No `sender`: it is somebody outside, or the kernel itself.

        A stop signal discards a pending SIGCONT, and SIGCONT discards pending stop signals. SIGCONT continues a
        stopped process as soon as it is sent, also if it is blocked or ignored (POSIX, 2.4.1 Signal Generation and
        Delivery).
        """
        target = self[name]
        if target.dead:
            return  # a zombie is still there to be signalled, without any effect
        if signal in STOPPING:
            self._discard(name, frozenset({"SIGCONT"}))
        elif signal == "SIGCONT":
            self._discard(name, STOPPING)
            self._continue(name)
        if self._is_dropped(sender, name, signal):
            pass
        elif signal == "SIGKILL":
            self._kill(name, Pending(signal, sender))
        elif is_realtime(signal) or signal not in target.pending_signals:
            # "Standard signals do not queue. If multiple instances of a standard signal are
            # generated while that signal is blocked, then only one instance of the signal is marked
            # as pending" (signal(7)).
            self.change(name, pending=(*self[name].pending, Pending(signal, sender)))
        self.deliver(name)
        self.resume_wait(name)

    def deliver(self, name: str) -> None:
        """What is pending and not blocked takes effect, the lowest number first, unless the process is stopped.

        Linux prepares the frames of all handlers before the first one runs: if a later one of the signals kills the
        process, no handler has run.
        """
        handled: list[Pending] = []
        while not self[name].stopped:
            entry = self[name]
            ready = [pending for pending in entry.pending if pending.signal not in entry.blocked]
            if not ready:
                break
            first = min(ready, key=lambda pending: signal_number(pending.signal))
            left = list(entry.pending)
            left.remove(first)
            self.change(name, pending=tuple(left))
            if first.signal in entry.caught:
                handled.append(first)
            elif not self._has_no_effect(name, first.signal):
                if first.signal not in STOPPING:
                    self._kill(name, first)
                    return
                if first.signal == "SIGSTOP" or not self.table.is_orphaned(entry.group):
                    self._stop(name, first)
        for pending in handled:
            self.tell("signal", name, signal=pending.signal, sender=pending.sender)

    def _is_dropped(self, sender: str | None, name: str, signal: str) -> bool:
        """Whether the signal is thrown away on the spot. A blocked one never is: its disposition may change yet.

        Of the signals for PID 1 "only signals for which the init process has established a signal handler can be sent"
        to it. But SIGKILL and SIGSTOP "are forcibly delivered when sent from an ancestor PID namespace"
        (pid_namespaces(7)).
        """
        target = self[name]
        if signal in target.blocked:
            return False
        if signal in UNTOUCHABLE:
            return target.pid1 and sender is not None and self.table.is_within(sender, name)
        return signal not in target.caught and self._has_no_effect(name, signal)

    def _has_no_effect(self, name: str, signal: str) -> bool:
        """Whether a signal that is not caught does nothing to this process. SIGCONT did its work when it was sent."""
        entry = self[name]
        return (
            signal in entry.ignored
            or default_action(signal) in (DefaultAction.IGNORE, DefaultAction.CONTINUE)
            or (entry.pid1 and signal not in UNTOUCHABLE)
        )

    def _discard(self, name: str, signals: frozenset[str]) -> None:
        pending = tuple(p for p in self[name].pending if p.signal not in signals)
        self.change(name, pending=pending)

    def disposition_changed(self, name: str, signal: str) -> None:
        """Discards what is pending and would be ignored now.

        "Setting a signal action to SIG_IGN for a signal that is pending shall cause the pending signal to be
        discarded, whether or not it is blocked." (POSIX, 2.4.3 Signal Actions) The same holds for SIG_DFL where that
        ignores.
        """
        entry = self[name]
        ignorable = default_action(signal) in (DefaultAction.IGNORE, DefaultAction.CONTINUE)
        if signal in entry.ignored or (signal not in entry.caught and ignorable):
            self._discard(name, frozenset({signal}))

    def _kill(self, name: str, by: Pending) -> None:
        self.tell("signal", name, signal=by.signal, sender=by.sender)
        self.tell("killed", name, signal=by.signal)
        self.die(name, -signal_number(by.signal))

    def _stop(self, name: str, by: Pending) -> None:
        self.change(name, stopped_by=by.signal)
        self.tell("signal", name, signal=by.signal, sender=by.sender)
        self.tell("stopped", name, signal=by.signal)
        self._tell_parent_of_change(name)

    def _continue(self, name: str) -> None:
        if self[name].stopped:
            self.change(name, stopped_by=None)
            self.tell("continued", name)
            self._tell_parent_of_change(name)

    def _tell_parent_of_change(self, name: str) -> None:
        """A parent gets SIGCHLD also when a child stops or continues (POSIX, <signal.h>; SA_NOCLDSTOP is not set)."""
        parent = self[name].parent
        if parent is not None and "SIGCHLD" not in self[parent].ignored:
            self.send(name, parent, "SIGCHLD")
