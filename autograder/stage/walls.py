"""What stands between a submission and this machine, wall by wall: found out by trying, once for each mode."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.language.roles import PIDNS, is_in_virtual_time, isolation_of
from autograder.stage.compiled import compiled, is_dynamic
from autograder.stage.machine import Needs, refuse_if_short
from autograder.stage.sandbox import Means, Sandbox
from autograder.stage.workspace import Workspace

_IN_A_TRY = 2  # processes at a time
_SHARES = {
    False: "512 processes and 5 minutes",
    True: "256 processes and 20 s on a processor",
}
_NAMESPACES = "grade where bubblewrap may open namespaces"
_NAMESPACES_OR_ROOT = f"{_NAMESPACES}, or as root with all its rights"
_FILTERS_THAT_ASK = "with Linux 5.9 or later, not below a filter that asks as well"
_NEWER = "or with Linux 6.12 or later, with Landlock"


@dataclass(frozen=True)
class Wall:
    """What one of them is about, whether it `stands`, and in `words` what then holds; or what does not, and its `mend`.

    Where one that `guards` is missing, a submission reaches what belongs to others: strangers' work is not graded
    there, unless somebody says that they are trusted. Without one of the others it gets more than its share.
    """

    about: str
    stands: bool
    words: str
    mend: str = ""
    guards: bool = True


def walls(mode: str) -> tuple[Wall, ...]:
    """All of them in this mode. Raises StageError if nobody can stand on this machine as in that mode."""
    isolation, traced = isolation_of(mode), is_in_virtual_time(mode)
    means, own_user = _tried(isolation)
    of_the_isolation = (
        _in_a_namespace() if isolation == PIDNS else among_others(means, own_user, traced=traced)
    )
    return (*of_the_isolation, *everywhere(means, traced=traced))


@functools.cache
def _tried(isolation: str) -> tuple[Means, bool]:
    """A play is tried, in real time: what there is to confine it, and whether it has a user of its own."""
    with Workspace() as workspace, _sandbox(isolation, workspace) as sandbox:
        means, own_user = sandbox.means(), sandbox.user is not None
        with open(os.devnull, "r+b") as nothing:
            pid, _ = sandbox.open_play(["/bin/sh", "-c", "exit 7"], (nothing.fileno(),) * 3)
            Path(f"/proc/{pid}/status").read_text()
        sandbox.end_play()
    return means, own_user


def _sandbox(isolation: str, workspace: Workspace) -> Sandbox:
    """What this machine is short of is said first: with the remedy, and not as the mode's fault."""
    refuse_if_short(Needs(_IN_A_TRY, workspace.folder))
    return Sandbox(isolation, workspace.subfolder(), workspace.subfolder())


def _in_a_namespace() -> Iterator[Wall]:
    yield Wall("processes", True, "a PID namespace of its own: no others are there")
    yield Wall("files", True, "a view of its own, read-only; a /tmp of its own, in memory")
    yield Wall("sockets", True, "no network, and nobody else's sockets")
    yield Wall("user", True, "its rights end with its namespaces")


def among_others(means: Means, own_user: bool, *, traced: bool = False) -> Iterator[Wall]:
    """Those of a submission that has no namespaces. Who is `traced`, in virtual time, connects to nobody at all."""
    alone = own_user or means.fenced
    asks = means.filters if traced else means.asks
    yield Wall(
        "processes",
        alone,
        "signals reach its own processes alone; limits, priorities and memory of others are refused"
        if alone
        else "a submission can send signals to all processes of yours",
        f"{_NAMESPACES_OR_ROOT}, {_NEWER}",
    )
    yield _files(means, own_user)
    yield Wall(
        "names of files",
        False,
        "a submission can see which files there are, and change times and rights of those that its user may change",
        _NAMESPACES if own_user else _NAMESPACES_OR_ROOT,
        guards=not own_user,
    )
    yield Wall(
        "network",
        means.filters,
        "sockets of this machine alone" if means.filters else "the network is not closed",
        _NAMESPACES,
    )
    yield Wall(
        "sockets in the file system",
        asks,
        (
            "nobody connects to anybody"
            if traced
            else "actors connect to the judge, and nobody to anybody else"
        )
        if asks
        else "a submission can connect to sockets in the file system that its user may connect to",
        f"{_NAMESPACES_OR_ROOT}, or {_FILTERS_THAT_ASK}",
        guards=not own_user,
    )
    yield Wall(
        "abstract sockets",
        asks or means.scopes,
        "those of others are out of reach"
        if asks or means.scopes
        else "a submission can connect to abstract sockets of this machine",
        f"{_NAMESPACES}, {_NEWER}",
    )
    yield Wall(
        "user",
        own_user,
        "one that nobody else has"
        if own_user
        else "a submission runs as you: it counts with your other processes, and with those of other submissions, "
        "for what an account may have (processes, pages of pipes, descriptors under way)",
        _NAMESPACES_OR_ROOT,
    )
    yield Wall(
        "disk",
        False,
        "/tmp and the folder of a build are on the disk: how full they are is looked at every 20 ms, "
        "and what is deleted but still open is not seen",
        _NAMESPACES,
        guards=False,
    )


def _files(means: Means, own_user: bool) -> Wall:
    what = (
        "read what everybody on this machine can read"
        if own_user
        else "read and delete all that you can"
    )
    return Wall(
        "files",
        means.landlock > 0,
        "the system's to read, its own folder, a /tmp of its own"
        if means.landlock
        else f"files are not hidden: a submission can {what}",
        f"{_NAMESPACES}, or with Linux 5.13 or later, with Landlock",
    )


def everywhere(means: Means, *, traced: bool = False) -> Iterator[Wall]:
    """Those of all modes."""
    yield Wall(
        "system calls",
        means.filters,
        "what no submission needs is refused"
        if means.filters
        else "no system call is forbidden: a submission can trace and change its own actors",
        "let the grader use seccomp(2), on x86-64 or aarch64",
    )
    yield Wall(
        "timers",
        means.asks or traced,
        "whoever has set one is waited for"
        if means.asks or traced
        else "only who sleeps in a call with a time is known to wait: a play can be judged before an alarm rings",
        _FILTERS_THAT_ASK,
        guards=False,
    )
    static = not is_dynamic(compiled("actor"))
    yield Wall(
        "actors",
        static,
        "nobody can put code into them"
        if static
        else "there is no static C library here: a submission can change its actors by LD_PRELOAD",
        "install one (Debian: apt install libc6-dev; Fedora: glibc-static)",
        guards=False,
    )
    yield Wall(
        "share",
        True,
        f"512 MB, {_SHARES[traced]} for a whole play; then all of it is killed",
    )
    yield Wall(
        "memory of the kernel",
        False,
        "memory that only the kernel holds (full pipes and sockets, shared memory that no process has mapped) "
        "is not counted",
        "none that we know of, but a virtual machine for the grader",
        guards=False,
    )
