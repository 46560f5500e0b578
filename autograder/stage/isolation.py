"""Which mode this machine can judge in, found out by trying, once; and what it cannot enforce there."""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
from dataclasses import dataclass

from autograder.language.roles import (
    PIDNS,
    SUBREAPER,
    VIRTUAL,
    VIRTUAL_SUBREAPER,
    in_virtual_time,
    is_in_virtual_time,
    isolation_of,
)
from autograder.stage.errors import StageError
from autograder.stage.stage import Stage, refusal_to_trace
from autograder.stage.walls import walls
from autograder.stage.workspace import Workspace

# What is played to try virtual time: two processes, and a sleep that takes none. It is not waited for where it would.
_TRIED = ("/bin/sh", "-c", "sleep 4; exit 7")


@dataclass(frozen=True)
class ModeChoice:
    """The mode for this machine and, in a sentence, why; and what is not enforced in it, a sentence each."""

    mode: str
    why: str
    lacks: tuple[str, ...] = ()


@functools.cache
def probe() -> ModeChoice:
    """The best mode in real time that this machine can do, found out by trying: it tells where init can stand here."""
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


def default() -> ModeChoice:
    """The mode of whoever asks for none: in virtual time, or where that is refused in real time."""
    return _in_virtual_time_if_it_may_be(probe())


def default_without_namespaces() -> ModeChoice:
    """The same of whoever wants to be asked what a subreaper can be asked, on this machine as on any other."""
    why = "init is a subreaper, wherever it is judged"
    return _in_virtual_time_if_it_may_be(ModeChoice(SUBREAPER, why, lacks(SUBREAPER)))


def _in_virtual_time_if_it_may_be(real: ModeChoice) -> ModeChoice:
    if refusal := refusal_of_virtual_time(real.mode):
        return ModeChoice(real.mode, f"{real.why}; in real time: {refusal}", real.lacks)
    mode = in_virtual_time(real.mode)
    return ModeChoice(mode, f"{real.why}; in virtual time, below the lens", lacks(mode))


def possible() -> tuple[ModeChoice, ...]:
    """All that this machine can do, the better ones first: to be PID 1 comes before virtual time."""
    real = [probe()]
    if real[0].mode == PIDNS:
        real.append(ModeChoice(SUBREAPER, "without namespaces", lacks(SUBREAPER)))
    found = []
    for one in real:
        first = _in_virtual_time_if_it_may_be(one)
        found += [first, one] if first.mode != one.mode else [first]
    return tuple(found)


def refusal_of_virtual_time(isolation: str) -> str:
    """Why nobody who stands so can be judged in virtual time, found out by trying; empty if it works."""
    if threading.current_thread() is not threading.main_thread():
        return "only the main thread of a process can have it"  # alarms come to that one
    return refusal_to_trace(isolation) or _refusal_of_a_try(isolation)


@functools.cache
def _refusal_of_a_try(isolation: str) -> str:
    # Here alone: it brings the lens along, which plays in real time do without.
    from autograder.stage.virtual import VirtualPlay

    mode = in_virtual_time(isolation)
    try:
        with (
            Workspace() as workspace,
            Stage(mode, workspace, workspace.subfolder()) as stage,
            contextlib.closing(VirtualPlay(stage, _TRIED)) as play,
        ):
            if not stage.sandbox.means().filters:
                return "filters of system calls, by seccomp(2), are refused here"
            play.settle()
            ended = play.init.ended() and stage.sandbox.status() == 7
    except (StageError, OSError) as error:
        return str(error)
    return "" if ended else "a play that was tried did not come to its end"


def choose(asked: str | None) -> ModeChoice:
    """What somebody gets who has `asked` for a mode. Raises StageError if this machine cannot do it.

    Virtual time is had with namespaces, or else without.
    """
    if asked is None:
        return default()
    why = "as you asked"
    if asked == VIRTUAL and probe().mode != PIDNS:
        asked, why = VIRTUAL_SUBREAPER, f"as you asked; {probe().why}"
    lacking = lacks(asked)
    if is_in_virtual_time(asked) and (refusal := refusal_of_virtual_time(isolation_of(asked))):
        raise StageError(f"there is no virtual time here: {refusal}")
    return ModeChoice(asked, why, lacking)


def lacks(mode: str) -> tuple[str, ...]:
    """What this machine cannot enforce in `mode`, in plain sentences. Raises StageError if it cannot do the mode."""
    return tuple(wall.words for wall in walls(mode) if not wall.stands)


def dangers(mode: str | None) -> tuple[str, ...]:
    """Those of `lacks`, by default of the default mode, for which strangers' work is not to be graded here."""
    found = walls(choose(mode).mode)
    return tuple(wall.words for wall in found if wall.guards and not wall.stands)
