"""The processes below a keeper, as /proc shows them at this moment: what `ctl status` draws."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

_MOST: Final = 200  # more than that nobody reads


class Process(NamedTuple):
    pid: int
    parent: int
    name: str  # of its program, unless it calls itself otherwise
    command: str


def children(parent: int) -> list[int]:
    """Those of a process that has several threads are in several files (proc(5))."""
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{parent}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    except OSError:
        pass
    return found


def below(root: int) -> list[Process]:
    """All below a process, parents first; some, if there are hundreds."""
    found = [_process(pid, root) for pid in children(root)]
    for each in found:
        if len(found) < _MOST:
            found += [_process(pid, each.pid) for pid in children(each.pid)]
    return found


def _process(pid: int, parent: int) -> Process:
    """A zombie has no command line any more, only a name."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
        words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return Process(pid, parent, "", "n/a")
    return Process(pid, parent, name, words.rstrip("\0").replace("\0", " ") or f"[{name}]")
