"""Real runs of one program, as many at a time as there are processors."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from typing import Self, Unpack

from forklab.bounds import TimeIsUpError
from forklab.lens.replay import Played, Replay
from forklab.lens.request import Options
from forklab.source import line_of
from forklab.steps.moves import Move
from forklab.steps.schedule import MOST_STEPS, PLAIN, Grain, Schedule

_AT_FIRST = 2  # processes that begin at once: to start takes longer than to play


class Replays:
    """`most` processes play, as soon as they are needed; `runs` is how often the program has run so far.

    `reasons`: why a run may not be repeatable, and where in the source that is. `touched`: who has had to do with which
    resource so far, and told there.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        grain: Grain = PLAIN,
        longest: int = MOST_STEPS,
        until: float = math.inf,
        **options: Unpack[Options],
    ) -> None:
        """`longest` is how many steps a run may have, `until` when all have to be over, by time.monotonic().

        For the `options` see Replay.
        """
        self.grain = grain
        self.by_memory = False
        self.until = until
        self.most = max(1, len(os.sched_getaffinity(0)))
        self.runs = 0
        self.reasons: dict[str, str] = {}
        self.touched: dict[str, dict[str, bool]] = {}
        self._mapped: set[str] = set()
        self._disturbed = False  # two runs at once may have seen each other's files
        self._argv, self._options, self._longest = argv, options, longest
        self._replays: list[Replay] = []
        self._open = ExitStack()

    def play(self, steps: Sequence[Move]) -> Played:
        return next(self.play_all([steps]))

    def play_all(self, schedules: Iterable[Sequence[Move]]) -> Iterator[Played]:
        """One run a schedule, in their order. Raises CannotRecordError, and TimeIsUpError: runs are given up then."""
        waiting = list(enumerate(schedules))[::-1]
        asked: dict[Connection, tuple[int, Replay]] = {}
        idle = list(self._replays)
        found: dict[int, Played] = {}
        turn = 0
        while waiting or asked or found:
            while waiting and len(asked) < self.most:
                replay = idle.pop() if idle else self._one_more()
                number, steps = waiting.pop()
                schedule = Schedule(tuple(steps), self.grain, self._longest, self.by_memory)
                replay.ask(schedule)
                asked[replay.connection] = number, replay
            while turn in found:
                yield found.pop(turn)
                turn += 1
            ready = self._wait([replay for _, replay in asked.values()]) if asked else []
            for connection in [c for c in asked if c in ready]:
                number, replay = asked.pop(connection)
                played = replay.answer()
                self.runs += 1
                self._note(played)
                found[number] = played
                idle.append(replay)

    def begin_by_memory(self) -> bool:
        """From now on what a process has seen is what it can still tell of it, if that is the same in each run."""
        self.by_memory = True
        one, other = self.play_all([(), ()])
        self.by_memory = one.taken == other.taken
        return self.by_memory

    def _wait(self, asked: list[Replay]) -> list[Connection]:
        """Those who have an answer."""
        left = None if self.until == math.inf else max(0.0, self.until - time.monotonic())
        ready = wait([replay.connection for replay in asked], left)
        if not ready:
            for replay in asked:
                self._replays.remove(replay)
                replay.end()
            raise TimeIsUpError
        return [found for found in ready if isinstance(found, Connection)]

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

    def _one_more(self) -> Replay:
        replay = Replay(self._argv, processor=len(self._replays), **self._options)
        self._replays.append(self._open.enter_context(replay))
        return replay

    def __enter__(self) -> Self:
        for _ in range(min(self.most, _AT_FIRST)):
            self._one_more()
        return self

    def __exit__(self, *_: object) -> None:
        for replay in self._replays:
            replay.end()  # all of them, before we wait for the first
        self._open.close()
