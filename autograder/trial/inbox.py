"""Which signals an actor has got since the play last asked.

An expectation looks at what has come since the last deeds. Two expectations in a row see the same signals, and several
signals sent one after the other are counted together.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from autograder.stage.staged import StagedPlay, told_status
from autograder.stage.watch import STOPPED_STATES
from forklab.kernel.signals import signal_name
from forklab.kernel.statuses import killer


@dataclass(frozen=True)
class _Mark:
    """How an actor stood when the current window opened."""

    caught: int = 0
    dead: bool = False
    stopped: bool = False
    pending: frozenset[int] = frozenset()


class Inbox:
    """The signals of every actor of one play."""

    def __init__(self, play: StagedPlay) -> None:
        self._play = play
        self._marks: dict[str, _Mark] = {}
        self._examined: set[str] = set()
        self._stops: set[str] = set()  # who was stopped at some moment since the window opened

    @property
    def memory(self) -> Hashable:
        """All that it will ever go by, beside what it sees then."""
        marks = (
            (name, mark.caught, mark.dead, mark.stopped, *sorted(mark.pending))
            for name, mark in sorted(self._marks.items())
        )
        return tuple(marks), tuple(sorted(self._examined)), tuple(sorted(self._stops))

    def next_deed(self, stopped: frozenset[str]) -> None:
        """A deed is about to happen: who was asked about before starts afresh.

        `stopped` is who is stopped now: whoever is found running later has been continued.
        """
        for name in self._examined:
            self._marks[name] = self._stand(name)
            self._stops.discard(name)
        self._stops |= stopped
        self._examined.clear()

    def received(self, name: str) -> Counter[str]:
        """The signals by name: those it caught, the one that killed or stopped it, those it blocks, a SIGCONT."""
        self._examined.add(name)
        mark = self._marks.get(name, _Mark())
        process = self._play.process(name)
        found = Counter(
            signal_name(number) for number, _ in self._play.cast.hear(name).caught[mark.caught :]
        )
        found.update(signal_name(number) for number in process.pending() - mark.pending)
        killed_by = None if mark.dead else killer(told_status(self._play, name))
        if killed_by is not None:
            found[killed_by] += 1
        stat = process.stat()
        stopped = stat is not None and stat.state in STOPPED_STATES
        if stat is not None and stopped and not mark.stopped and stat.wait_status:
            found[signal_name(stat.wait_status)] += 1
        if name in self._stops and not process.ended() and not stopped and not found["SIGCONT"]:
            found[signal.SIGCONT.name] += 1
        return found

    def _stand(self, name: str) -> _Mark:
        process = self._play.process(name)
        stat = process.stat()
        return _Mark(
            caught=len(self._play.cast.hear(name).caught),
            dead=process.ended(),
            stopped=stat is not None and stat.state in STOPPED_STATES,
            pending=process.pending(),
        )
