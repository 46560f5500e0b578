"""Before files are changed: what is there is remembered, so that the next run finds it as this one did."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from forklab.kernel.calls import CALLS, Concern, Sort, calls_in, int32
from forklab.kernel.signals import DefaultAction, default_action, signal_name
from forklab.lens.calls import sockets
from forklab.lens.calls.paths import AT_FDCWD, is_below, names
from forklab.lens.calls.touching import flags_of_open
from forklab.lens.edge import descriptors
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import Touch

_CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
_CORE_USES_PID = Path("/proc/sys/kernel/core_uses_pid")
_WRITABLE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_SHM = "/dev/shm"
_OPENS = calls_in("open")
_RENAMES = frozenset({"rename", "renameat", "renameat2"})
_OF_NAMES = frozenset(
    call.name
    for call in CALLS.values()
    if Concern.TELLS in call.concerns
    and any(subject.sort in (Sort.PATH, Sort.PATH_AT) for subject in call.subjects)
) - calls_in("exec")
_REMOVE_NAMES = _RENAMES | {"unlink", "unlinkat", "rmdir"}
# What is written was opened for that before; these do without.
_OF_DESCRIPTORS = frozenset({"fchmod", "fchown", "fsetxattr", "fremovexattr"})


def remember(run: Run, tracee: Tracee, call: Call) -> None:
    """It is about to make this call, right now."""
    if call.name in _OPENS and not flags_of_open(call) & _WRITABLE:
        return
    if call.name in _OF_NAMES:
        ways = _ways(tracee, call)
        paths = [path for way in ways for path in way]
        if call.name in _RENAMES and len(ways) > 1:
            old, new = ways[0][0], ways[1][0]  # not what they lead to
            done = run.undo.remember_move(old, new)
        else:
            done = run.undo.remember_names(*paths)
    elif call.name == "bind":
        name = sockets.name_called(tracee, call)
        way = names(tracee, AT_FDCWD, name) if name is not None else ()
        paths = [path for path, is_last in way if is_last]
        done = run.undo.remember_names(*paths)
    elif call.name in _OF_DESCRIPTORS:
        paths = [descriptors.link(tracee.tid, int32(call.arguments[0])) or ""]
        done = not os.path.exists(paths[0]) or run.undo.remember(paths[0])
    else:
        return
    if call.name in _REMOVE_NAMES and not run.undo.keep(paths):
        run.because("it removes many files, of which some may have had the same number")
    if not done:
        run.because(f"it changes {' or '.join(paths)}, which can't be put back as it was")


def remember_core(run: Run, tracee: Tracee, number: int) -> None:
    """This signal is about to be delivered, and may leave a core file: core(5)."""
    masks = run.dispositions.of(tracee)
    caught = masks is not None and masks.catches(number)
    if caught or default_action(signal_name(number)) is not DefaultAction.CORE:
        return
    try:
        limit, _ = resource.prlimit(tracee.member.pid, resource.RLIMIT_CORE)
        pattern = _CORE_PATTERN.read_text().strip()
        folder = os.readlink(f"/proc/{tracee.tid}/cwd")
        by_pid = _CORE_USES_PID.read_text().strip() == "1"
    except OSError:
        return
    if limit == 0 or not pattern:
        return
    path = os.path.join(folder, f"{pattern}.{tracee.member.pid}" if by_pid else pattern)
    names = [f"name {path}", f"folder {os.path.dirname(path)}", f"file {path}"]
    run.resources.note(tracee.member.name, [Touch(name, tells=True) for name in names], waits=False)
    is_known = not set(pattern) & {"%", "|"} and run.undo.remember_names(path)
    if not is_known or run.resources.shared.intersection(names):
        run.because(f"{tracee.member.name} leaves a core file where others can see it")


def _ways(tracee: Tracee, call: Call) -> list[list[str]]:
    """Of each name that it is about: the name, and what that leads to. Nothing where that is an error."""
    found = []
    for sort, places in CALLS[call.name].subjects:
        arguments = [call.arguments[place] for place in places]
        folder = int32(arguments[0]) if sort is Sort.PATH_AT else AT_FDCWD
        way = [path for path, is_last in names(tracee, folder, arguments[-1]) if is_last]
        if way and not _is_made_by_kernel(way[0]):
            found.append(way)
    return found


def _is_made_by_kernel(path: str) -> bool:
    """Nothing of it is to be put back. But what is in /dev/shm are files, see shm_overview(7)."""
    return any(is_below(path, folder) for folder in ("/proc", "/dev")) and not is_below(path, _SHM)
