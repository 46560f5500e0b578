"""Which mode of isolation this machine can do, found out by trying, once; and what it cannot enforce."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass

from autograder.language.roles import (
    PIDNS,
    SUBREAPER,
    VIRTUAL,
    VIRTUAL_SUBREAPER,
    is_in_virtual_time,
    isolation_of,
)
from autograder.stage.errors import StageError
from autograder.stage.stage import refusal_to_trace
from autograder.stage.walls import walls


@dataclass(frozen=True)
class ModeChoice:
    """The mode for this machine and, in a sentence, why; and what is not enforced in it, a sentence each."""

    mode: str
    why: str
    lacks: tuple[str, ...] = ()


@functools.cache
def probe() -> ModeChoice:
    """The best mode that this machine can do, found out by trying."""
    if shutil.which("bwrap") is None:
        why = "bubblewrap (bwrap) is not installed, so init cannot be PID 1 here"
        return ModeChoice(SUBREAPER, why, lacks(SUBREAPER))
    try:
        lacking = lacks(PIDNS)
    except StageError as error:
        why = f"this machine refuses a PID namespace of our own ({error})"
        return ModeChoice(SUBREAPER, why, lacks(SUBREAPER))
    why = "user and PID namespaces work here, so init is a real PID 1"
    return ModeChoice(PIDNS, why, lacking)


def choose(asked: str | None) -> ModeChoice:
    """What somebody gets who has `asked` for a mode. Raises StageError if this machine cannot do it.

    Virtual time is had with namespaces, or else without.
    """
    if asked is None:
        return probe()
    why = "as you asked"
    if asked == VIRTUAL and probe().mode != PIDNS:
        asked, why = VIRTUAL_SUBREAPER, f"as you asked; {probe().why}"
    if is_in_virtual_time(asked) and (refusal := refusal_to_trace(isolation_of(asked))):
        raise StageError(refusal)
    return ModeChoice(asked, why, lacks(asked))


def lacks(mode: str) -> tuple[str, ...]:
    """What this machine cannot enforce in `mode`, in plain sentences. Raises StageError if it cannot do the mode."""
    return tuple(wall.words for wall in walls(isolation_of(mode)) if not wall.stands)


def dangers(mode: str | None) -> tuple[str, ...]:
    """Those of `lacks`, by default of the best mode, for which strangers' work is not to be graded here."""
    isolation = isolation_of(choose(mode).mode)
    return tuple(w.words for w in walls(isolation) if w.guards and not w.stands)
