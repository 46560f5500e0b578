"""Run a program by one schedule after the other, quickly.

    with Replay(program, argv) as replay:
        played = replay.play(Schedule())                     # always the first step that is possible
        replay.play(Schedule((*played.steps[:3], other)))    # the same beginning, then another step

Each run is real: real processes, a real PID namespace where there is one, and the kernel's answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from typing import Self, Unpack

from forklab.lens.edge.callsite import CallSite
from forklab.lens.edge.helper import Helper
from forklab.lens.errors import CannotRecordError, CannotTraceError, LensFailedError
from forklab.lens.loop.scheduled import Taken
from forklab.lens.request import Options, Request
from forklab.steps.moves import Move
from forklab.steps.schedule import Schedule
from forklab.steps.state import Fact, State


@dataclass(frozen=True)
class Played:
    """One run. `status` is that of the first process; None if it did not end, and then `ended_early` says why.

    `reasons`: why the same schedule may not give the same run, and where that call was made, if it is one. `stuck`:
    everybody who is left waits for ever. `refused` is what exec(2) had against the program, `untraceable` why we may
    not trace it. `touched` says who has had to do with which resource, and whether it told there; of those that are
    `mapped` nobody sees who looks at them.
    """

    taken: tuple[Taken, ...] = ()
    status: int | None = None
    ended_early: str | None = None
    reasons: Mapping[str, CallSite | None] = field(default_factory=dict)
    stuck: bool = False
    refused: str | None = None
    untraceable: str | None = None
    touched: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    mapped: frozenset[str] = frozenset()
    changes_files: bool = False

    @property
    def steps(self) -> list[Move]:
        return [taken.move for taken in self.taken if taken.move is not None]

    @property
    def last_state(self) -> State:
        """What was the case at its end."""
        state: dict[Fact, Hashable] = {}
        for taken in self.taken:
            state.update(taken.changes)
        return {fact: value for fact, value in state.items() if value is not None}


class Replay:
    """Plays schedules of one program, one at a time; `ask` and `answer` are for those who have several of these."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        processor: int = 0,
        **options: Unpack[Options],
    ) -> None:
        """`processor`: which one of ours to use.

        For the `options` see `forklab.lens.request.Request`. Raises CannotRecordError if there is no such program.
        """
        self._name = argv[0]
        request = Request.of(argv, order=Schedule(), **options)
        self._program = request.program
        self._ours, theirs = Pipe()
        words = [str(theirs.fileno()), str(processor), request.to_json()]
        with theirs:
            self._replayer = Helper(
                "forklab.lens.replayer",
                words,
                keeps=[theirs.fileno()],
                forks=options.get("forks", False),
            )

    @property
    def pid(self) -> int:
        """Of the process that replays: in a namespace its grandchild does."""
        return self._replayer.pid

    def play(self, schedule: Schedule) -> Played:
        """Raises CannotRecordError."""
        self.ask(schedule)
        return self.answer()

    @property
    def connection(self) -> Connection:
        """Ready when there is an answer."""
        return self._ours

    def ask(self, schedule: Schedule) -> None:
        self._ours.send(schedule)

    def answer(self) -> Played:
        try:
            played = self._ours.recv()
        except (EOFError, ConnectionError):
            raise LensFailedError(self._replayer.answer()[1]) from None
        assert isinstance(played, Played)
        if played.untraceable:
            raise CannotTraceError.because(played.untraceable)
        if played.refused:
            raise CannotRecordError.refused(self._name, self._program, played.refused)
        return played

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def end(self) -> None:
        """Tell it to kill everybody and to end; `close` waits until it has."""
        self._replayer.cut()
        self._ours.close()

    def close(self) -> None:
        self.end()
        self._replayer.close()
