"""What really happened in a play: the kernel's facts, written down as a History.

The observer looks after each step has come to rest, and notes what has changed since its last look. What changed
between two looks is put in an order that causes allow: deaths first, then who lost a parent, then who was reaped.
"""

from __future__ import annotations

import signal
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from autograder.language.roles import COMMAND_PID, FIRST_PID, INIT, INIT_PIDS, MAIN, OUTSIDE, PIDNS
from autograder.stage.staged import StagedPlay
from autograder.stage.watch import DEAD_STATES, STOPPED_STATES
from forklab.history import KERNEL, History, HistoryBuilder, Process, State
from forklab.kernel.signals import signal_name
from forklab.kernel.statuses import exit_code, killer


class Fate(NamedTuple):
    """How a process stands: its state, whose child it is, how it ended if it did, what stopped it if it is stopped.

    `status` is that of os.waitstatus_to_exitcode(); None too if nobody can know it any more.
    """

    state: State
    parent: str | None
    status: int | None = None
    stopped_by: str | None = None

    @property
    def dead(self) -> bool:
        return self.state in (State.ZOMBIE, State.REAPED)


def fate_of(play: StagedPlay, name: str) -> Fate:
    """What the kernel says of one process now. `parent` is None once it is reaped: nobody can know any more."""
    process = play.process(name)
    stat = process.stat()
    if stat is None:
        return Fate(State.REAPED, None, play.status(name))
    parent = play.name_of(stat.parent) or OUTSIDE
    if stat.state in DEAD_STATES:
        return Fate(State.ZOMBIE, parent, play.status(name))
    if stat.state in STOPPED_STATES and play.held_exit(name) is None:  # that is our doing
        return Fate(
            State.STOPPED,
            parent,
            stopped_by=signal_name(stat.wait_status) if stat.wait_status else None,
        )
    return Fate(State.RUNNING, parent)


class Observer:
    """Writes the history of one play."""

    def __init__(self, play: StagedPlay, mode: str) -> None:
        self._play = play
        self._subject = play.subject.name
        self._builder = HistoryBuilder()
        self._known: dict[str, Fate] = {self._subject: Fate(State.RUNNING, None)}
        self._heard: dict[str, int] = {}
        self._reaped_by_order: set[str] = set()
        self._fallen: frozenset[str] = frozenset()  # at this look
        if play.subject.is_init:
            self._builder.start(Process(INIT, INIT_PIDS[mode], None, reaper=True), 0)
        else:
            self._known[self._subject] = Fate(State.RUNNING, INIT)
            self._builder.start(Process(INIT, INIT_PIDS[PIDNS], None, reaper=True), 0)
            self._builder.fork(Process(self._subject, COMMAND_PID, INIT), 0)
        if play.subject.is_actor:
            self._heard[self._subject] = 0

    @property
    def history(self) -> History:
        return self._builder.history

    @property
    def memory(self) -> Hashable:
        """All that it will ever go by, beside what it sees then."""
        return (
            tuple(map(repr, self.history.events)),
            tuple(self._known.items()),
            tuple(self._heard.items()),
            tuple(sorted(self._reaped_by_order)),
        )

    def pid_shown(self, name: str) -> int:
        return self._builder.history.process(name).pid

    def stopped(self) -> frozenset[str]:
        """Who was stopped at the last look."""
        return frozenset(name for name, fate in self._known.items() if fate.state is State.STOPPED)

    def born(self, child: str, parent: str, line: int) -> None:
        """A new actor has reported."""
        self._builder.fork(Process(child, FIRST_PID + len(self._known) - 1, parent), line)
        self._known[child] = Fate(State.RUNNING, parent)
        self._heard[child] = 0

    def executed(self, name: str, words: Sequence[str], line: int) -> None:
        """An actor executes something else from now on."""
        self._builder.add("exec", name, line, argv=tuple(words))

    def said(self, name: str, text: str, line: int) -> None:
        self._builder.add("output", name, line, text=text + "\n")

    def reap_ordered(self, child: str) -> None:
        """The script has an actor wait for `child`."""
        self._reaped_by_order.add(child)

    def look(self, line: int) -> None:
        """Notes what has changed, as caused by the step at script line `line`."""
        self.greet(line)
        before = dict(self._known)
        now = {name: fate_of(self._play, name) for name in before}
        self._fallen = _fallen_with_init(before, now) if self._play.subject.is_init else frozenset()
        for name in before:
            self._note_signals(name, line)
        now = {name: fate for name, fate in now.items() if fate != before[name]}
        for name, fate in now.items():
            self._note_stop(name, before[name], fate, line)
            self._note_death(name, before[name], fate, line)
        for name, fate in now.items():
            self._note_parent(name, before[name], fate, line)
        for name, fate in now.items():
            self._note_reaping(name, before[name], fate, line)

    def greet(self, line: int) -> None:
        """Takes in whom the subject has started as commands, and those whom the script has named since."""
        commands = (actor.name for actor in self._play.cast if self._play.is_command(actor.name))
        started = sorted(commands, key=self._play.pid_inside)  # the oldest first
        for name in (*started, *self._play.made):
            if name not in self._known:
                self.born(name, fate_of(self._play, name).parent or OUTSIDE, line)

    def _note_signals(self, name: str, line: int) -> None:
        if name not in self._heard or name not in self._play.cast:
            return
        caught = self._play.cast.hear(name).caught
        for number, sender in caught[self._heard[name] :]:
            who = self._play.name_inside(sender) if sender else None
            self._builder.add("signal", name, line, signal=signal_name(number), sender=who)
        self._heard[name] = len(caught)

    def _note_stop(self, name: str, before: Fate, now: Fate, line: int) -> None:
        if name == self._subject and self._play.frozen:
            return  # the script froze it; that is no event of the play
        if now.state is State.STOPPED and before.state is State.RUNNING:
            self._builder.add("stopped", name, line, signal=now.stopped_by)
        elif before.state is State.STOPPED and now.state is State.RUNNING:
            self._builder.add("continued", name, line)

    def _note_death(self, name: str, before: Fate, now: Fate, line: int) -> None:
        if before.dead or not now.dead:
            return
        code = exit_code(now.status)
        if code is not None:
            self._builder.add("exit", name, line, status=code)
        else:
            self._builder.add("killed", name, line, signal=killer(now.status) or "unknown")

    def _note_parent(self, name: str, before: Fate, now: Fate, line: int) -> None:
        if now.parent is None or (name in (self._subject, MAIN) and now.parent == OUTSIDE):
            return
        if now.parent != before.parent and before.parent is not None:
            self._builder.add("reparented", name, line, old=before.parent, new=now.parent)

    def _note_reaping(self, name: str, before: Fate, now: Fate, line: int) -> None:
        state = now.state
        is_init = name == self._subject or (name == MAIN and self._play.is_its_own_init)
        if is_init and state is State.ZOMBIE:
            state = State.REAPED  # its parent, our launcher, keeps the zombie until we have asked
        parent = now.parent or before.parent or self._play.outside
        if state is State.REAPED and before.state is not State.REAPED:
            if self._outlived(name, parent):
                # In which order those die who fall with PID 1, nobody can tell: they keep their parents.
                if parent not in self._fallen:
                    self._builder.add("reparented", name, line, old=parent, new=INIT)
                parent = INIT
            by = KERNEL if self._wants_no_zombies(parent) else parent
            self._builder.add("reaped", name, line, by=by, status=now.status or 0)
        if name == self._subject and self._play.frozen and state is State.STOPPED:
            state = State.RUNNING
        self._known[name] = Fate(state, parent, now.status, now.stopped_by)

    def _wants_no_zombies(self, parent: str) -> bool:
        """Whether the kernel collects its children: wait(2), NOTES. Of SA_NOCLDWAIT nobody outside can know.

        A PID 1 that has ended seems to: the kernel has made it ignore SIGCHLD, to be rid of the namespace.
        """
        if parent in (OUTSIDE, self._play.outside) or self._play.process(parent).ended():
            return False
        return signal.SIGCHLD in self._play.process(parent).ignored()

    def _outlived(self, name: str, parent: str) -> bool:
        """Whether one that is gone must have changed its parent since we last saw it.

        Only a parent can reap, and an actor does so when the script says it: if it is dead and was never told to, the
        child was an orphan first.
        """
        if parent in (self._subject, INIT, OUTSIDE) or name in self._reaped_by_order:
            return False
        return self._play.process(parent).ended()


def _fallen_with_init(before: Mapping[str, Fate], now: Mapping[str, Fate]) -> frozenset[str]:
    """Who was killed because PID 1 had ended, as the kernel does with a PID namespace."""
    if not now[INIT].dead:
        return frozenset()
    return frozenset(
        name
        for name, fate in now.items()
        if name not in (INIT, MAIN) and not before[name].dead and fate.status == -signal.SIGKILL
    )
