"""Which mode of isolation this machine can do, found out by trying, once; and what it cannot enforce."""

from __future__ import annotations

import functools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from autograder.language.roles import PIDNS, SUBREAPER
from autograder.stage.compiled import compiled, is_dynamic
from autograder.stage.errors import StageError
from autograder.stage.sandbox import Sandbox
from autograder.stage.users import private_user
from autograder.stage.workspace import Workspace

_LANDLOCK_WITH_SCOPES = 6  # Linux 6.12


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
        with (
            Workspace() as workspace,
            Sandbox(PIDNS, workspace.subfolder(), workspace.subfolder()) as sandbox,
        ):
            with open(os.devnull, "r+b") as nothing:
                pid, _ = sandbox.open_play(["/bin/sh", "-c", "exit 7"], (nothing.fileno(),) * 3)
                Path(f"/proc/{pid}/status").read_text()
            sandbox.end_play()
    except StageError as error:
        why = f"this machine refuses a PID namespace of our own ({error})"
        return ModeChoice(SUBREAPER, why, lacks(SUBREAPER))
    why = "user and PID namespaces work here, so init is a real PID 1"
    return ModeChoice(PIDNS, why, lacks(PIDNS))


@functools.cache
def lacks(mode: str) -> tuple[str, ...]:
    """What this machine cannot enforce in `mode`, in plain sentences. Raises StageError if it cannot do the mode."""
    with (
        Workspace() as workspace,
        Sandbox(mode, workspace.subfolder(), workspace.subfolder()) as sandbox,
    ):
        landlock, seccomp = sandbox.means()
    own_user = private_user() is not None
    found = [
        "memory that only the kernel holds (full pipes and sockets, shared memory that no process has mapped) "
        "is not counted"
    ]
    if not seccomp:
        found.append(
            "no system call is forbidden: a submission can trace and change its own actors"
        )
    if is_dynamic(compiled("actor")):
        found.append(
            "there is no static C library here: a submission can change its actors by LD_PRELOAD"
        )
    if mode == SUBREAPER:
        found += _lacks_of_subreaper(landlock, bool(seccomp), own_user)
    return tuple(found)


def _lacks_of_subreaper(landlock: int, seccomp: bool, own_user: bool) -> list[str]:
    found = [
        "/tmp and the folder of a build are on the disk: how full they are is looked at every 20 ms, "
        "and what is deleted but still open is not seen",
        "a submission can see which files there are, and change times and rights of those that its user may change",
    ]
    if not landlock:
        found.append(
            "files are not hidden: a submission can read what everybody on this machine can read"
            if own_user
            else "files are not hidden: a submission can read and delete all that you can"
        )
    if landlock < _LANDLOCK_WITH_SCOPES:
        found.append("a submission can connect to abstract sockets of this machine")
        if not own_user:
            found.append("a submission can send signals to all processes of yours")
    if not own_user:
        found.append("a fork bomb can outrun us for a time: we have no user for each submission")
    if not seccomp:
        found.append("the network is not closed")
    return found
