"""Run a program by one schedule after the other, quickly.

    with Replay(program, argv) as replay:
        played = replay.play([])                    # always the first step that is possible
        replay.play(played.steps[:3] + [other])     # the same beginning, then another step

Each run is real: real processes, a real PID namespace where there is one, and the kernel's answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Self

from forklab.lens.loop.scheduled import Taken
from forklab.lens.record import CannotRecordError, environment_for, failure, find
from forklab.lens.world.tracee import Limits
from forklab.steps.state import Fact, Move, State

_GRACE = 10.0  # seconds that the replayer has to kill whom it must


@dataclass(frozen=True)
class Played:
    """One run. `status` is that of the first process; None if it did not end, and then `trouble` says why.

    `reasons`: why the same schedule may not give the same run. `stuck`: everybody who is left waits for ever.
    """

    taken: tuple[Taken, ...]
    status: int | None
    trouble: str | None
    reasons: tuple[str, ...]
    stuck: bool
    refused: str | None = None

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
        program: str | None = None,
        pipe: bool = False,
        limits: Limits | None = None,
        environment: Mapping[str, str] | None = None,
        ignored: int = 0,
        most: int,
        processor: int = 0,
        namespace: bool = True,
        subreaper: bool = False,
    ) -> None:
        """Raises CannotRecordError if there is no such program. `processor`: which one of ours to use."""
        self._name = argv[0]
        path = program or find(argv[0])
        lifeline, self._lifeline = os.pipe()
        self._ours, theirs = Pipe()
        request = {
            "program": path,
            "argv": list(argv),
            "environment": environment_for(os.environ if environment is None else environment),
            "seed": 0,
            "schedule": [],
            "real_time": False,
            "pipe": pipe,
            "limits": asdict(limits or Limits()),
            "echo": False,
            "namespace": namespace,
            "subreaper": subreaper,
            "lifeline": lifeline,
            "answer": theirs.fileno(),
            "ignored": ignored,
            "most": most,
            "processor": processor,
        }
        self._replayer = subprocess.Popen(
            [sys.executable, "-P", "-m", "forklab.lens.replayer", json.dumps(request)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(lifeline, theirs.fileno()),
            start_new_session=True,
        )
        os.close(lifeline)
        theirs.close()

    def play(self, steps: Sequence[Move]) -> Played:
        """By this schedule, then always the first step that is possible. Raises CannotRecordError."""
        self.ask(steps)
        return self.answer()

    @property
    def connection(self) -> Connection:
        """Ready when there is an answer."""
        return self._ours

    def ask(self, steps: Sequence[Move]) -> None:
        self._ours.send(list(steps))

    def answer(self) -> Played:
        try:
            played = self._ours.recv()
        except (EOFError, ConnectionError):
            assert self._replayer.stderr is not None
            complaint = self._replayer.stderr.read().decode(errors="replace").strip()
            raise failure(complaint) from None
        assert isinstance(played, Played)
        if played.refused:
            raise CannotRecordError(f"{self._name} can't be run: {played.refused}")
        return played

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def end(self) -> None:
        """Tell it to kill everybody and to end; `close` waits until it has."""
        if not self._ours.closed:
            os.close(self._lifeline)
            self._ours.close()

    def close(self) -> None:
        self.end()
        try:
            self._replayer.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            self._replayer.kill()
            self._replayer.wait()
        assert self._replayer.stderr is not None
        self._replayer.stderr.close()
