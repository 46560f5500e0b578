"""Whether an expectation of a script holds in a play with a perfect init, and if not, why.

The rules are those by which the judge reads the kernel (checks.py and inbox.py in autograder/trial/), applied to
the model's table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from autograder.ideal.perfect import PerfectPlay
from autograder.language.bands import IsInBand, IsInPlace, IsNotInBand, LeadsBand, LeadsNoBand
from autograder.language.beginnings import (
    Beginning,
    StartsAsJob,
    StartsIn,
    StartsWithExitHandler,
    StartsWithNiceValue,
    StartsWithUmask,
    StartsWithVariable,
)
from autograder.language.every_signal import EVERY_SIGNAL
from autograder.language.expectations import (
    EndsWith,
    Expectation,
    Gets,
    GetsEverySignal,
    GetsExactly,
    GetsNothing,
    HasArguments,
    HasChildren,
    HasDied,
    HasExited,
    HasForked,
    HasRun,
    IsAlive,
    IsChild,
    IsIdle,
    IsReaped,
    IsStopped,
    IsZombie,
    NobodyIsLeft,
)
from autograder.language.grammar import write_line
from autograder.language.inheritance import (
    ExitHandlerIsInits,
    HasNiceValue,
    HasUmask,
    HasVariable,
    IsIn,
    StartsClean,
    TerminalIsAsBefore,
)
from autograder.language.roles import BACKGROUND, INIT, OUTSIDE, Actors
from autograder.language.services import CtlEnds, JournalHas, UnitIs
from autograder.language.streams import (
    ErrorOutputIs,
    HasAsStandard,
    HasErrorOutput,
    HasFoundTheEnd,
    HasNoSpareDescriptors,
    HasOutput,
    HasRead,
    OutputInAnyOrder,
    OutputIs,
    WritesTo,
)
from forklab.counted import counted
from forklab.history import State, taken_by
from forklab.kernel.signals import DefaultAction, default_action
from forklab.kernel.statuses import in_shell
from forklab.model import Entry, ModelError


@dataclass(frozen=True)
class _Mark:
    """How an actor stood when the signals were counted last."""

    got: int = 0
    dead: bool = False
    stopped: bool = False
    pending: frozenset[str] = frozenset()


class Foresight:
    """Answers for one play, step by step."""

    def __init__(self, play: PerfectPlay) -> None:
        self._play = play
        self._marks: dict[str, _Mark] = {}
        self._examined: set[str] = set()

    def next_deed(self) -> None:
        """A deed comes: whoever's signals were asked for, their count starts afresh."""
        for name in self._examined:
            entry = self._play.table[name]
            self._marks[name] = _Mark(
                len(self._play.got[name]), entry.dead, entry.stopped, entry.pending_signals
            )
        self._examined.clear()

    def objections(self, expected: Expectation) -> list[str]:
        """Why the expectation does not hold, a clause for each process; empty if it does."""
        try:
            return [clause for clause in self._clauses(expected) if clause]
        except ModelError as error:
            return [str(error)]

    def _clauses(self, expected: Expectation) -> Iterable[str]:
        """One for each process, empty where nothing is wrong."""
        match expected:
            case IsAlive(actors):
                return self._unless(actors, lambda entry: not entry.dead)
            case IsZombie(actors):
                return self._unless(actors, lambda entry: entry.state is State.ZOMBIE)
            case IsReaped(actors):
                return self._unless(actors, lambda entry: entry.state is State.REAPED)
            case IsChild():
                return (self._not_child(self._play.table[a], b) for a, b in expected.pairs())
            case IsStopped(actors):
                return self._unless(actors, lambda entry: entry.state is State.STOPPED)
            case GetsNothing(actors):
                return map(self._got_something, self._entries(actors))
            case Gets(actors, signal):
                return (self._not_got(entry, signal, None) for entry in self._entries(actors))
            case GetsExactly(actors, signal, times):
                return (self._not_got(entry, signal, times) for entry in self._entries(actors))
            case GetsEverySignal(actors):
                return (
                    self._not_got(entry, signal, None)
                    for entry in self._entries(actors)
                    for signal in EVERY_SIGNAL
                )
            case HasExited(actors, status):
                return self._unless(actors, lambda entry: entry.status == status)
            case HasDied(actors, killer):
                return self._unless(actors, lambda entry: entry.killer == killer)
            case IsIdle():
                return [self._not_idle(self._play.table[INIT])]
            case StartsClean(actors):
                return map(self._not_clean, self._entries(actors))
            case IsIn(folder=folder):
                return [self._not_begun(StartsIn(folder))]
            case HasVariable(variable=variable):
                return [self._not_begun(StartsWithVariable(variable))]
            case HasUmask(umask=umask):
                return [self._not_begun(StartsWithUmask(umask))]
            case HasNiceValue(nice=nice):
                return [self._not_begun(StartsWithNiceValue(nice))]
            case ExitHandlerIsInits():
                return [self._not_begun(StartsWithExitHandler())]
            case TerminalIsAsBefore():
                return [self._terminal_in_use()]
            case HasForked(actors):
                return [f"{name} forks nobody but whom the script names" for name in actors]
            case HasChildren(actors, count):
                return (self._not_so_many(name, count) for name in actors)
            case EndsWith(actors, status):
                return self._unless(actors, lambda entry: _in_shell(entry) == status)
            case IsInBand(band=band):
                return (self._not_together(a, b, band, True) for a, b in expected.pairs())
            case IsNotInBand(band=band):
                return (self._not_together(a, b, band, False) for a, b in expected.pairs())
            case LeadsBand(actors, band):
                return (self._not_leading(name, band, True) for name in actors)
            case LeadsNoBand(actors, band):
                return (self._not_leading(name, band, False) for name in actors)
            case (
                HasArguments()
                | HasRun()
                | IsInPlace()
                | WritesTo()
                | HasAsStandard()
                | HasNoSpareDescriptors()
            ):
                return []  # the model knows neither arguments nor descriptors
            case HasRead() | HasFoundTheEnd():
                return []  # nor what is read
            case OutputIs(text) | OutputInAnyOrder(text):
                lines = self._play.output.splitlines()
                same = sorted(lines) == sorted(text.splitlines())
                return [] if same else [f"what has been written is {self._play.output!r} by then"]
            case ErrorOutputIs(text) | HasErrorOutput(text):
                return [f"nobody has written {text!r} to standard error"] if text else []
            case HasOutput(text):
                said = text in self._play.output
                return [] if said else [f"nobody has written {text!r} by then"]
            case CtlEnds(ending):
                return (
                    []
                    if ending == "waits"
                    else ["an init that is no service manager answers nothing"]
                )
            case UnitIs() | JournalHas():
                return ["an init that is no service manager tells of no units"]
            case NobodyIsLeft():
                left = [e for e in self._play.table if e.name not in (OUTSIDE, INIT)]
                return [_stands(e) for e in left if e.state is not State.REAPED]
            case _:
                assert_never(expected)

    def _entries(self, actors: Actors) -> Iterator[Entry]:
        return (self._play.table[name] for name in actors)

    def _unless(self, actors: Actors, holds: Callable[[Entry], bool]) -> Iterator[str]:
        return ("" if holds(entry) else _stands(entry) for entry in self._entries(actors))

    def _not_child(self, entry: Entry, parent: str) -> str:
        if entry.state is State.REAPED:
            return _stands(entry)
        return "" if entry.parent == parent else f"{entry.name} is a child of {entry.parent}"

    def _not_so_many(self, name: str, wanted: int) -> str:
        there = len(self._play.table.children(name))
        return "" if there == wanted else f"{name} has {counted(there, 'child', 'children')}"

    def _not_together(self, one: str, other: str, band: str, wanted: bool) -> str:
        entries = self._play.table[one], self._play.table[other]
        group, others = (entry.session if band == "session" else entry.group for entry in entries)
        return "" if (group == others) is wanted else f"{one} is in the {band} that {group} leads"

    def _not_leading(self, name: str, band: str, wanted: bool) -> str:
        entry = self._play.table[name]
        leader = entry.session if band == "session" else entry.group
        return "" if (leader == name) is wanted else f"{leader} leads the {band} of {name}"

    def _not_idle(self, entry: Entry) -> str:
        if self._play.frozen:
            return "init is frozen, so idling is no merit"
        return _stands(entry) if entry.dead else ""

    def _not_clean(self, entry: Entry) -> str:
        unclean = entry.name in self._play.unclean
        return f"{entry.name} inherits what its parent does to signals" if unclean else ""

    def _not_begun(self, needed: Beginning) -> str:
        """Everybody inherits from init what init was started with, and keeps it."""
        if needed in self._play.beginnings:
            return ""
        return f"the script does not begin with '{write_line(needed)}'"

    def _terminal_in_use(self) -> str:
        """Main's group has the foreground of init's, as long as init lives; who is in the background has none."""
        background = StartsAsJob(BACKGROUND) in self._play.beginnings
        ended = self._play.table[INIT].dead
        return "" if background or ended else "main has the terminal, as long as it lives"

    def _got_something(self, entry: Entry) -> str:
        got = sorted(self._received(entry))
        return f"{entry.name} gets {' and '.join(got)}" if got else ""

    def _not_got(self, entry: Entry, signal: str, wanted: int | None) -> str:
        got = self._received(entry)[signal]
        if got == wanted or (wanted is None and got):
            return ""
        if signal in entry.ignored:
            return f"{entry.name} ignores {signal}, so nobody can see whether it comes"
        if got:
            return f"{entry.name} gets {signal} {got} times"
        touched = signal in entry.caught | entry.blocked
        if default_action(signal) is DefaultAction.IGNORE and not touched:
            return f"{entry.name} neither catches nor blocks {signal}, which is ignored by default"
        if signal in entry.pending_signals:
            return f"{signal} has been pending for {entry.name} since before: one bit holds one"
        return f"{entry.name} gets no {signal}"

    def _received(self, entry: Entry) -> Counter[str]:
        self._examined.add(entry.name)
        return self.received(entry)

    def received(self, entry: Entry) -> Counter[str]:
        """What has come since the mark: caught signals, newly pending ones, what killed, stopped or continued it.

        To look at it is no expectation: nobody's count starts afresh because of that.
        """
        mark = self._marks.get(entry.name, _Mark())
        found = Counter(self._play.got[entry.name][mark.got :])
        found.update(entry.pending_signals - mark.pending)
        if entry.killer is not None and not mark.dead:
            found[entry.killer] += 1
        if entry.stopped_by is not None and not mark.stopped:
            found[entry.stopped_by] += 1
        return found


def _in_shell(entry: Entry) -> int | None:
    return None if entry.status is None else in_shell(entry.status)


def _stands(entry: Entry) -> str:
    """ "child has exited with 3 and is reaped by init" """
    if entry.status is None:
        return f"{entry.name} is {entry.state if entry.stopped else 'alive'}"
    end = (
        f"has been killed by {entry.killer}" if entry.killer else f"has exited with {entry.status}"
    )
    after = f"is {taken_by(entry.reaped_by)}" if entry.reaped_by else "is a zombie"
    return f"{entry.name} {end} and {after}"
