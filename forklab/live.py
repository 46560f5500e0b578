"""The machine's own tree right now: who is whose child, who is a zombie, as psutil sees it.

A sweep over living processes is not a photograph: they are born and vanish while we look. So every
question about a process may find it gone, and a process whose parent is gone is asked again who its
parent is now.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from forklab.history import Node, State, Tree
from forklab.kernel.calls import calls_in
from forklab.kernel.processors import this_processor
from forklab.kernel.statuses import exit_code, killer

_STATES: Mapping[str, State] = {
    psutil.STATUS_ZOMBIE: State.ZOMBIE,
    psutil.STATUS_DEAD: State.ZOMBIE,
    psutil.STATUS_STOPPED: State.STOPPED,
    psutil.STATUS_TRACING_STOP: State.STOPPED,
}


@dataclass(frozen=True)
class _Seen:
    """A process as one sweep met it. `born` is in seconds since the epoch, by clock ticks."""

    process: psutil.Process
    pid: int
    parent: int
    name: str
    born: float
    status: str


def live_tree(root: int | None = None) -> Tree:
    """The processes of this machine as they stand now; with `root`, that process and all below it.

    Nodes are in order of birth and named by their command: the second `bash` is `bash#2`. A process
    blocked in wait(2) is waiting, if we may know that. A zombie has its exit status or signal where
    the kernel shows it to us. Kernel threads (everything below kthreadd) are left out unless `root`
    is one of them. Raises ProcessLookupError if there is no process `root`.
    """
    seen = _sweep()
    if root is not None and root not in seen:
        raise ProcessLookupError(f"there is no process {root}")
    families = _families(seen.values())
    starts = [root] if root is not None else families.pop(0, [])
    if root is None:
        starts = [pid for pid in starts if seen[pid].name != "kthreadd"]
    order = list(starts)
    for pid in order:  # grows while we walk: parents first
        order += families.get(pid, [])
    order.sort(key=lambda pid: seen[pid].born)
    names = _unique_names({pid: seen[pid].name for pid in order})
    parents = {pid: None if pid in starts else names[seen[pid].parent] for pid in order}
    return Tree(tuple(_node(seen[pid], names[pid], parents[pid]) for pid in order))


def _sweep() -> dict[int, _Seen]:
    """Every process by pid; `parent` is 0 for those whose parent is not among them."""
    seen = {}
    for process in psutil.process_iter():
        if (met := _meet(process)) is not None:
            seen[met.pid] = met
    for pid, child in list(seen.items()):
        # It vanished between two questions: somebody has adopted the child by now.
        if child.parent not in seen:
            if (met := _meet(child.process)) is None:
                del seen[pid]
            else:
                seen[pid] = met
    return {pid: _with_parent_in(seen, child) for pid, child in seen.items()}


def _meet(process: psutil.Process) -> _Seen | None:
    try:
        with process.oneshot():
            return _Seen(
                process,
                process.pid,
                process.ppid(),
                _without_control_characters(process.name()),
                process.create_time(),
                process.status(),
            )
    except psutil.NoSuchProcess:
        return None


def _with_parent_in(seen: Mapping[int, _Seen], child: _Seen) -> _Seen:
    """A parent younger than its child is somebody else, who has got the real one's pid."""
    parent = seen.get(child.parent)
    if parent is not None and parent.born <= child.born:
        return child
    return _Seen(child.process, child.pid, 0, child.name, child.born, child.status)


def _families(seen: Iterable[_Seen]) -> dict[int, list[int]]:
    """The children of each, in order of birth.

    Birth times are clock ticks of 10 ms, and pids start again from the bottom some day: neither
    orders children that were forked in a row. The kernel's own list of children does, where there
    is one (CONFIG_PROC_CHILDREN).
    """
    families: dict[int, list[_Seen]] = {}
    for child in seen:
        families.setdefault(child.parent, []).append(child)
    ordered = {}
    for parent, children in families.items():
        rank = _children_file(parent) if len(children) > 1 else {}
        children.sort(key=lambda c: (c.born, rank.get(c.pid, len(rank)), c.pid))
        ordered[parent] = [child.pid for child in children]
    return ordered


def _children_file(parent: int) -> dict[int, int]:
    """Position of each child in the kernel's list, newest last. Empty if we can't know."""
    pids: list[str] = []
    try:
        for task in sorted(Path(f"/proc/{parent}/task").iterdir(), key=lambda path: int(path.name)):
            pids += (task / "children").read_text().split()
    except OSError:
        pass
    return {int(pid): place for place, pid in enumerate(pids)}


def _node(seen: _Seen, name: str, parent: str | None) -> Node:
    state = _STATES.get(seen.status, State.RUNNING)
    ended = _status(seen) if state is State.ZOMBIE else None
    if state is State.RUNNING and _waits(seen.pid):
        state = State.WAITING
    return Node(
        name,
        seen.pid,
        parent,
        state,
        reaper=seen.pid == 1,
        status=exit_code(ended),
        signal=killer(ended),
    )


def _waits(pid: int) -> bool:
    """Whether it is blocked in wait(2): /proc/PID/syscall begins with the number of its call, see proc(5).

    False also where we are not allowed to know.
    """
    try:
        call = Path(f"/proc/{pid}/syscall").read_text().split(maxsplit=1)[0]
        numbers = this_processor().calls
    except (OSError, IndexError):
        return False
    return call in {str(numbers[name]) for name in calls_in("wait")}


def _status(zombie: _Seen) -> int | None:
    """How a zombie ended, as os.waitstatus_to_exitcode() says it; None if the kernel hides it.

    The last field of /proc/PID/stat is the wait status. The kernel shows 0 to those who may not
    know: so a 0 counts only if the zombie ran as the user that we are.
    """
    try:
        wait_status = int(Path(f"/proc/{zombie.pid}/stat").read_bytes().split()[-1])
        ours = set(zombie.process.uids()) == {os.geteuid()}
    except (OSError, psutil.Error):
        return None
    return None if wait_status == 0 and not ours else os.waitstatus_to_exitcode(wait_status)


def _without_control_characters(name: str) -> str:
    """A process names itself as it likes, with control characters if it likes."""
    return "".join(c if c.isprintable() else "?" for c in name) or "?"


def _unique_names(names: Mapping[int, str]) -> dict[int, str]:
    """A tree knows its nodes by name: the second of a name gets #2, the third #3."""
    unique: dict[int, str] = {}
    taken: set[str] = set()
    count: dict[str, int] = {}
    for pid, name in names.items():
        candidate = name
        while candidate in taken:
            count[name] = count.get(name, 1) + 1
            candidate = f"{name}#{count[name]}"
        taken.add(candidate)
        unique[pid] = candidate
    return unique
