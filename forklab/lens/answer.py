"""What a recorder answers to a request, as JSON. The other end of it is in `forklab.lens.recorder`."""

from __future__ import annotations

import json
from typing import NamedTuple, Self

from forklab.history import VERSION, History


class Answer(NamedTuple):
    """What came of a request. `refused`: what exec(2) had against the program; `untraceable`: why we may not trace.

    `status` is that of the first process, None if the lens had to end it: `ended_early` says why. `real_pids`: the
    numbers in the history are those that the program saw. `seconds` are by its own clock. `lost`: why not all of its
    output could be passed on. `remarks`: what it would have found without a lens, and has not.
    """

    history: History = History()
    output: str = ""
    status: int | None = None
    seconds: float = 0.0
    real_pids: bool = True
    reasons: tuple[str, ...] = ()
    cut: bool = False
    ended_early: str | None = None
    lost: str | None = None
    remarks: tuple[str, ...] = ()
    refused: str | None = None
    untraceable: str | None = None

    @classmethod
    def from_json(cls, text: str) -> Self:
        form = json.loads(text)
        if "history" in form:
            form["history"] = History.from_json({"version": VERSION, **form["history"]})
        lists = {name: tuple(form.get(name, ())) for name in ("reasons", "remarks")}
        return cls(**{**form, **lists})
