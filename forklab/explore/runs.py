"""Real runs of one program, whoever plays them, and what all of them together say about how it has to be explored."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from forklab.lens.replay import Played
from forklab.source import line_of
from forklab.steps.moves import Move
from forklab.steps.schedule import PLAIN, Grain


class Runs(ABC):
    """`most` are played at a time; `runs` is how often the program has run so far.

    `until`: when all have to be over, by the clock of whoever plays them. `reasons`: why a run may not be repeatable,
    and where in the source that is. `touched`: who has had to do with which resource so far, and told there.
    `by_memory`: what a process has seen is what it can still tell of it.
    """

    def __init__(self, *, grain: Grain = PLAIN, until: float = math.inf, most: int = 1) -> None:
        self.grain = grain
        self.by_memory = False
        self.until = until
        self.most = most
        self.runs = 0
        self.reasons: dict[str, str] = {}
        self.touched: dict[str, dict[str, bool]] = {}
        self._mapped: set[str] = set()
        self._disturbed = False  # two runs at once may have seen each other's files

    @abstractmethod
    def play_all(self, schedules: Iterable[Sequence[Move]]) -> Iterator[Played]:
        """One run a schedule, in their order. Raises CannotRecordError, and TimeIsUpError: runs are given up then."""

    def play(self, steps: Sequence[Move]) -> Played:
        return next(self.play_all([steps]))

    def begin_by_memory(self) -> bool:
        """From now on what a process has seen is what it can still tell of it, if that is the same in each run."""
        self.by_memory = True
        one, other = self.play_all([(), ()])
        self.by_memory = one.taken == other.taken
        return self.by_memory

    @property
    def are_void(self) -> bool:
        """Whether what the runs have taught does not count: see `begin_anew`."""
        return self._disturbed or bool(self._contested())

    def begin_anew(self) -> None:
        """Each call on a contested resource is a step from now on, and who changes files runs alone."""
        contested = self._contested()
        self.grain = self.grain._replace(shared=self.grain.shared | contested)
        self._disturbed = False
        self.reasons.clear()
        self._say_what_is_mapped()

    def _contested(self) -> frozenset[str]:
        """Resources that one process changes and another one has to do with, and that are not `shared` yet."""
        found = (
            resource for resource, who in self.touched.items() if len(who) > 1 and any(who.values())
        )
        return frozenset(found) - self.grain.shared

    def _note(self, played: Played) -> None:
        """One more is over."""
        self.runs += 1
        for reason, site in played.reasons.items():
            if reason not in self.reasons:
                line = site and line_of(site.program, site.addresses)
                self.reasons[reason] = f", in {line}" if line else ""
        if played.changes_files and self.most > 1:
            self.most, self._disturbed = 1, self.runs > 1
        self._mapped |= played.mapped
        self._say_what_is_mapped()
        for resource, who in played.touched.items():
            known = self.touched.setdefault(resource, {})
            for name, tells in who.items():
                known[name] = known.get(name, False) or tells

    def _say_what_is_mapped(self) -> None:
        for resource in sorted(self._mapped & self.grain.shared):
            self.reasons[f"it maps the {resource} into memory, and others change it"] = ""
