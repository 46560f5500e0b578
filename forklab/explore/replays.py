"""Real runs of one program, as many at a time as there are processors."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from typing import Any, Self, Unpack

from forklab.bounds import Stop, TimeIsUpError
from forklab.explore.runs import Runs
from forklab.lens.replay import Played, Replay
from forklab.lens.request import Options
from forklab.steps.chance import Chance
from forklab.steps.moves import Move
from forklab.steps.schedule import MOST_STEPS, PLAIN, Grain, Schedule

_LOOK = 0.2  # seconds between two looks whether somebody wants it to end
_AT_FIRST = 2  # processes that begin at once: to start takes longer than to play


class Replays(Runs):
    """`most` processes play, as soon as they are needed."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        grain: Grain = PLAIN,
        longest: int = MOST_STEPS,
        until: float = math.inf,
        stop: Stop | None = None,
        **options: Unpack[Options],
    ) -> None:
        """`longest` is how many steps a run may have. For the `options` see Replay.

        Runs are given up at `until`, and so many seconds of `grace` after a `stop` was asked for.
        """
        super().__init__(grain=grain, until=until, most=max(1, len(os.sched_getaffinity(0))))
        self._argv, self._options, self._longest = argv, options, longest
        self.stop, self.grace = stop or Stop(), 0.0
        self._replays: list[Replay] = []
        self._open = ExitStack()

    def play_all(
        self, schedules: Iterable[Sequence[Move]], worlds: Sequence[Chance | None] = ()
    ) -> Iterator[Played]:
        """One run a schedule, in their order; each in its own one of these `worlds`, if there are any.

        Raises CannotRecordError, and TimeIsUpError: runs are given up then.
        """
        waiting = list(enumerate(schedules))[::-1]
        asked: dict[Connection, tuple[int, Replay]] = {}
        idle = list(self._replays)
        found: dict[int, Played] = {}
        turn = 0
        while waiting or asked or found:
            while waiting and len(asked) < self.most:
                replay = idle.pop() if idle else self._one_more()
                number, steps = waiting.pop()
                chance = worlds[number] if worlds else None
                schedule = Schedule(tuple(steps), self.grain, self._longest, self.by_memory, chance)
                replay.ask(schedule)
                asked[replay.connection] = number, replay
            while turn in found:
                yield found.pop(turn)
                turn += 1
            ready = self._wait([replay for _, replay in asked.values()]) if asked else []
            for connection in [c for c in asked if c in ready]:
                number, replay = asked.pop(connection)
                played = replay.answer()
                self._note(played)
                found[number] = played
                idle.append(replay)

    def _wait(self, asked: list[Replay]) -> list[Connection]:
        """Those who have an answer."""
        ready: list[Any] = []  # as wait() has it: whatever can be waited for
        left = _LOOK
        while not ready and left > 0:
            left = self._left()
            ready = wait([replay.connection for replay in asked], max(0.0, min(_LOOK, left)))
        if not ready:
            for replay in asked:
                self._replays.remove(replay)
                replay.end()
            raise TimeIsUpError
        return [found for found in ready if isinstance(found, Connection)]

    def _left(self) -> float:
        """Seconds."""
        return min(self.until, self.stop.since + self.grace) - time.monotonic()

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
