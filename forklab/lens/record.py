"""Run any program and come back with its exact history.

    recording = record(["./a.out"])
    recording.history.tree()          # how everybody ended
    recording.output                  # what it printed
    recording.status                  # 0 to 255, or minus the number of a signal

In virtual time sleeps cost nothing, and a seed decides who runs when: the same seed gives the same history, byte for
byte. `reasons` says why not, where something takes part that the lens does not control.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import NamedTuple, Unpack

from forklab.history import History, Tree
from forklab.jsonform import JsonObject
from forklab.kernel.statuses import exit_code, killer
from forklab.lens.answer import Answer
from forklab.lens.edge.copies import DEVNULL
from forklab.lens.edge.helper import Helper
from forklab.lens.errors import CannotRecordError, CannotTraceError, LensFailedError
from forklab.lens.request import Options, Order, RealTime, Request, Seed
from forklab.lens.world.limits import Limits
from forklab.steps.schedule import Schedule

__all__ = ["DEVNULL", "CannotRecordError", "CannotTraceError", "Limits", "Recording", "record"]


class Recording(NamedTuple):
    """A program from its start to its end.

    `status` is that of the first process, as os.waitstatus_to_exitcode() says it; None if the lens had to end it, and
    then `ended_early` says why. `cut`: it wrote more than is kept. `reproducible`: the same seed gives the same again;
    else `reasons` has why not. `real_pids`: the numbers that it saw are those of the history; else they were changed
    in the output, and a program that computes with them may show it. `lost` says why not all of it could be passed on
    with `echo`. `seconds` is how long it took, by its own clock. `remarks`: what the program would have found without
    a lens, and has not.
    """

    history: History
    output: str
    status: int | None
    seed: int | None
    seconds: float
    real_pids: bool
    reasons: tuple[str, ...] = ()
    cut: bool = False
    ended_early: str | None = None
    lost: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def reproducible(self) -> bool:
        return not self.reasons

    @property
    def tree(self) -> Tree:
        return self.history.tree()

    def to_json(self) -> JsonObject:
        """The history's own form, and beside it what else there is to know about this run."""
        return {
            **self.history.to_json(),
            "run": {
                "seed": self.seed,
                "real_time": self.seed is None,
                "exit": exit_code(self.status),
                "signal": killer(self.status),
                "reproducible": self.reproducible,
                "reasons": list(self.reasons),
                "remarks": list(self.remarks),
                "pids": "real" if self.real_pids else "renumbered",
                "seconds": self.seconds,
                "trouble": self.ended_early,
                "output": self.output,
            },
        }


class RecordingInterrupted(KeyboardInterrupt):
    """Ctrl-C; `recording` is what there was until then."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording


def record(
    argv: Sequence[str],
    *,
    seed: int = 0,
    schedule: Schedule | None = None,
    real_time: bool = False,
    hidden_folder: str | None = None,
    stdin: int | None = DEVNULL,
    keeps: Sequence[int] = (),
    echo: bool = False,
    **options: Unpack[Options],
) -> Recording:
    """Run `argv` under the lens, to its end or to its `limits`; by `schedule` instead of `seed`, if there is one.

    The name of `hidden_folder` is left out wherever it appears: that of a temporary folder is another one each time.
    `keeps` are descriptors of ours that the program gets, too. For `echo` and the other `options` see
    `forklab.lens.request.Request`. Whatever happens here, no process of the program is left. Raises CannotRecordError,
    and RecordingInterrupted on Ctrl-C.
    """
    order: Order = schedule if schedule is not None else RealTime() if real_time else Seed(seed)
    request = Request.of(argv, order=order, echo=echo, **options)
    text, interrupted = _recorded(request, stdin, keeps, forks=options.get("forks", False))
    if hidden_folder is not None:
        text = text.replace(json.dumps(hidden_folder + "/")[1:-1], "")
    answer = Answer.from_json(text)
    if answer.untraceable:
        raise CannotTraceError.because(answer.untraceable)
    if answer.refused:
        raise CannotRecordError.refused(argv[0], request.program, answer.refused)
    recording = Recording(
        answer.history,
        answer.output,
        answer.status,
        order.number if isinstance(order, Seed) else None,
        answer.seconds,
        answer.real_pids,
        answer.reasons,
        answer.cut,
        "You have pressed Ctrl-C." if interrupted else answer.ended_early,
        answer.lost,
        answer.remarks,
    )
    if interrupted:
        raise RecordingInterrupted(recording)
    return recording


def _recorded(
    request: Request, stdin: int | None, keeps: Sequence[int], *, forks: bool
) -> tuple[str, bool]:
    """What the recorder answers, and whether it was told to end."""
    interrupted = False
    reading, writing = os.pipe()
    stdout = None if request.echo else DEVNULL
    words = [str(writing), request.to_json()]
    try:
        helper = Helper(
            "forklab.lens.recorder",
            words,
            keeps=[writing, *keeps],
            stdin=stdin,
            stdout=stdout,
            forks=forks,
        )
    finally:
        os.close(writing)
    with open(reading, encoding="utf-8") as file, helper:
        try:
            text = file.read()
        except KeyboardInterrupt:
            interrupted = True
            helper.cut()
            text = file.read()
        _, complaint, _ = helper.answer()
    if not text:
        raise LensFailedError(complaint)
    return text, interrupted
