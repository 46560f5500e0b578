"""Real runs of one program, as many at a time as there are processors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from forklab.lens.replay import Played, Replay
from forklab.steps.state import Move

_AT_FIRST = 2


@dataclass
class Replays:
    """`options` are those of Replay. _AT_FIRST processes begin to play, and further ones when they are needed."""

    options: dict[str, Any]
    most: int = field(default_factory=lambda: max(1, len(os.sched_getaffinity(0))))
    runs: int = 0
    reasons: dict[str, None] = field(default_factory=dict)  # why a run may not be repeatable
    _replays: list[Replay] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)

    def play(self, steps: Sequence[Move]) -> Played:
        return next(self.play_all([steps]))

    def play_all(self, schedules: Iterable[Sequence[Move]]) -> Iterator[Played]:
        """One run a schedule, in their order. Raises CannotRecordError."""
        waiting = list(enumerate(schedules))[::-1]
        asked: dict[Any, tuple[int, Replay]] = {}
        idle = list(self._replays)
        found: dict[int, Played] = {}
        turn = 0
        while waiting or asked or found:
            while waiting and (idle or len(self._replays) < self.most):
                replay = idle.pop() if idle else self._one_more()
                number, steps = waiting.pop()
                replay.ask(steps)
                asked[replay.connection] = number, replay
            while turn in found:
                yield found.pop(turn)
                turn += 1
            for connection in wait(list(asked)) if asked else ():
                number, replay = asked.pop(connection)
                played = replay.answer()
                self.runs += 1
                self.reasons.update(dict.fromkeys(played.reasons))
                found[number] = played
                idle.append(replay)

    def _one_more(self) -> Replay:
        replay = Replay(processor=len(self._replays), **self.options)
        self._replays.append(self._open.enter_context(replay))
        return replay

    def __enter__(self) -> Self:
        for _ in range(min(self.most, _AT_FIRST)):  # to start takes longer than to play
            self._one_more()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for replay in self._replays:
            replay.end()  # all of them, before we wait for the first
        self._open.close()
