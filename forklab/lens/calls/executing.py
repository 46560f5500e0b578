"""Who executes a file that others write, or writes one that others execute, gets ETXTBSY as long as both last.

How long they do is not followed, as nobody is held before close(2): so it is said. See execve(2) and open(2).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from forklab.kernel.calls import calls_in
from forklab.lens.calls import paths
from forklab.lens.calls.touching import flags_of_open
from forklab.lens.edge import descriptors, proc
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import Touch

_OPENS, _EXECS = calls_in("open"), calls_in("exec")


def notice(run: Run, tracee: Tracee, call: Call, touches: Iterable[Touch]) -> None:
    """At its entry."""
    if call.name in _EXECS:
        deed, against = "executes", "writes"
    elif call.name in _OPENS and flags_of_open(call) & os.O_ACCMODE != os.O_RDONLY:
        deed, against = "writes", "executes"
    else:
        return
    me, resources = tracee.member.name, run.resources
    written = _written_by_others(run, tracee) if call.name in _EXECS else set()
    for resource, _ in touches:
        kind, _, path = resource.partition(" ")
        if kind not in ("file", "name") or os.path.isdir(path):  # others may be about to make it
            continue
        resources.users.setdefault((deed, path), set()).add(me)
        if path in written or resources.users.get((against, path), set()) - {me}:
            run.because(f"{me} {deed} {path}, which another one {against}, maybe at the same time")


def notice_itself(run: Run, tracee: Tracee, call: Call) -> None:
    """Of the program of a source file, which is called as if it stood here: it stands elsewhere."""
    if call.name != "execve":
        return
    name = paths.text(tracee, call.arguments[0]) or ""
    mine = proc.command_line(tracee.member.pid)[:1]
    if name.startswith("./") and mine == (name,):
        there = os.path.join(paths.base(tracee, paths.AT_FDCWD), name)
        if not os.path.lexists(there):
            run.because(
                f"it executes itself as {name}, which is not there: compile it, and give that"
            )


def _written_by_others(run: Run, tracee: Tracee) -> set[str]:
    """Files that others have open for writing, as resources are called."""
    pids = {other.member.pid for other in run.world.tracees.values()} - {tracee.member.pid}
    files = {
        file
        for pid in pids
        for number in descriptors.all_of(pid)
        if descriptors.flags(pid, number) & os.O_ACCMODE != os.O_RDONLY
        and (file := identity(f"/proc/{pid}/fd/{number}")) is not None
    }
    return {path for file in files if (path := run.resources.label_of(file)) is not None}
