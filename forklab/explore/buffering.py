"""Whether what a program can print depends on buffers: then a book, and a slide, may give another answer.

The same program is explored once more, so that all that it prints is written at once (`forklab.unbuffered`). It is
looked at only once if it writes the same as before in that one run, and is not small: that is as a rule.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Unpack

from forklab.bounds import Stop
from forklab.explore.exploration import Exploration
from forklab.explore.explore import explore
from forklab.lens.replay import Played, Replay
from forklab.lens.request import Options, find
from forklab.steps import state as facts
from forklab.steps.deeds import DeedKind, deed_of
from forklab.steps.moves import CALL
from forklab.steps.schedule import Schedule
from forklab.steps.state import Fact
from forklab.unbuffered import CannotUnbufferError, may_keep_text, unbuffered

_SMALL = 60  # states: to explore it once more takes no time

_Writes = Counter[tuple[str, str]]  # who writes what, and how often


def compared(
    found: Exploration,
    argv: Sequence[str],
    *,
    limit: int,
    seconds: float,
    stop: Stop | None = None,
    **options: Unpack[Options],
) -> Exploration:
    """With what it can print without buffers, if that is known not to be the same. Raises CannotRecordError."""
    program = options.get("program") or find(argv[0])
    if (
        seconds <= 0
        or not found.complete
        or not may_keep_text(program, pipe=options.get("pipe", False))
    ):
        return found
    try:
        options["environment"] = unbuffered(program, os.environ)
    except CannotUnbufferError:  # nobody has asked for it
        return found
    if found.states > _SMALL:
        with Replay(argv, **options) as replay:
            if _writes_the_same(found, replay.play(Schedule())):
                return found
    other = explore(
        argv, limit=limit, seconds=seconds, text_only=True, tempt=False, stop=stop, **options
    )
    mine, others = set(found.outputs), set(other.outputs)
    differ = mine != others if other.complete else bool(others - mine)
    return replace(found, unbuffered=other.outputs) if differ else found


def _writes_the_same(found: Exploration, played: Played) -> bool:
    """What this run writes others were found to write too, and what they write always is written here."""
    here = _written(played)
    vertices = [v for v in found.process_graph.vertices if v.kind is DeedKind.WRITE]
    known: _Writes = Counter((v.process, v.deed.text) for v in vertices)
    always: _Writes = Counter((v.process, v.deed.text) for v in vertices if v.always)
    return here <= known and always <= here


def _written(played: Played) -> _Writes:
    state: dict[Fact, Hashable] = {}
    found: _Writes = Counter()
    for taken in played.taken:
        facts.apply(taken.changes.items(), state)
        if taken.move is not None and taken.move.kind == CALL:
            deed = deed_of(state, taken.move)
            if deed.kind is DeedKind.WRITE:
                found[deed.process, deed.text] += 1
    return found
