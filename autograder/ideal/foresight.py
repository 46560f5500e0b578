"""Whether an expectation of a script holds in a play with a perfect init, and if not, why.

The rules are those by which the judge reads the kernel (checks.py and inbox.py in autograder/trial/), applied to
the model's table.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from autograder.ideal.perfect import OUTSIDE, PerfectPlay
from autograder.language.script import INIT, Step, Verb
from forklab.history import State
from forklab.kernel.signals import DefaultAction, default_action
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

    def next_stimulus(self) -> None:
        """A step that is no expectation comes: whoever's signals were asked for, their count starts afresh."""
        for name in self._examined:
            entry = self._play.table[name]
            self._marks[name] = _Mark(
                len(self._play.got[name]), entry.dead, entry.stopped, entry.pending_signals
            )
        self._examined.clear()

    def objections(self, step: Step) -> list[str]:
        """Why the expectation does not hold, a clause for each process; empty if it does."""
        match step.verb:
            case Verb.EXPECT_OUTPUT:
                said = (step.text or "") in self._play.output
                return [] if said else [f"nobody has written {step.text!r} by then"]
            case Verb.EXPECT_NOBODY_LEFT:
                left = [e for e in self._play.table if e.name not in (OUTSIDE, INIT)]
                return [_stands(e) for e in left if e.state is not State.REAPED]
        try:
            if step.verb is Verb.EXPECT_CHILD:
                clauses = [self._not_child(self._play.table[a], b) for a, b in step.pairs()]
            else:
                entries = [self._play.table[name] for name in step.actors or ()]
                clauses = [self._objection(step, entry) for entry in entries]
        except ModelError as error:
            return [str(error)]
        return [clause for clause in clauses if clause]

    def _objection(self, step: Step, entry: Entry) -> str:
        match step.verb:
            case Verb.EXPECT_ALIVE:
                return _stands(entry) if entry.dead else ""
            case Verb.EXPECT_ZOMBIE:
                return "" if entry.state is State.ZOMBIE else _stands(entry)
            case Verb.EXPECT_REAPED:
                return "" if entry.state is State.REAPED else _stands(entry)
            case Verb.EXPECT_STOPPED:
                return "" if entry.state is State.STOPPED else _stands(entry)
            case Verb.EXPECT_GETS:
                return self._not_got(entry, step.signal or "", step.number)
            case Verb.EXPECT_GETS_NOTHING:
                got = sorted(self._received(entry))
                return f"{entry.name} gets {' and '.join(got)}" if got else ""
            case Verb.EXPECT_EXITS:
                return "" if entry.status == step.number else _stands(entry)
            case Verb.EXPECT_DIES:
                return "" if entry.killer == step.signal else _stands(entry)
            case Verb.EXPECT_IDLE:
                return self._not_idle(entry)
            case Verb.EXPECT_CLEAN:
                unclean = entry.name in self._play.unclean
                return f"{entry.name} inherits what its parent does to signals" if unclean else ""
        raise AssertionError(f"{step.verb} is not an expectation")

    def _not_child(self, entry: Entry, parent: str) -> str:
        if entry.state is State.REAPED:
            return _stands(entry)
        return "" if entry.parent == parent else f"{entry.name} is a child of {entry.parent}"

    def _not_idle(self, entry: Entry) -> str:
        if entry.name == INIT and self._play.frozen:
            return "init is frozen, so idling is no merit"
        return _stands(entry) if entry.dead else ""

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
        """What has come since the mark: caught signals, newly pending ones, what killed, stopped or continued it."""
        self._examined.add(entry.name)
        mark = self._marks.get(entry.name, _Mark())
        found = Counter(self._play.got[entry.name][mark.got :])
        found.update(entry.pending_signals - mark.pending)
        if entry.killer is not None and not mark.dead:
            found[entry.killer] += 1
        if entry.stopped_by is not None and not mark.stopped:
            found[entry.stopped_by] += 1
        return found


def _stands(entry: Entry) -> str:
    """ "child has exited with 3 and is reaped by init" """
    if entry.status is None:
        return f"{entry.name} is {entry.state if entry.stopped else 'alive'}"
    end = (
        f"has been killed by {entry.killer}" if entry.killer else f"has exited with {entry.status}"
    )
    after = f"is reaped by {entry.reaped_by}" if entry.reaped_by else "is a zombie"
    return f"{entry.name} {end} and {after}"
