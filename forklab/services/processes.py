"""The processes below a keeper, as /proc shows them at this moment: what `ctl status` draws."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

_MOST: Final = 200  # more than that nobody reads


class Process(NamedTuple):
    pid: int
    parent: int
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
    found = [Process(pid, root, _command(pid)) for pid in children(root)]
    for each in found:
        if len(found) < _MOST:
            found += [Process(pid, each.pid, _command(pid)) for pid in children(each.pid)]
    return found


def _command(pid: int) -> str:
    """Its command line; a zombie has none any more, only a name."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        words = words or b"[" + Path(f"/proc/{pid}/comm").read_bytes().strip() + b"]"
    except OSError:
        words = b"n/a"
    return words.decode(errors="replace")
