"""The processor time of this process and of all that it has ever started, however those ended."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Where control groups of version 2 are, alone or beside those of version 1.
GROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))

Meter = Callable[[], float]  # in seconds, from any moment on


@contextlib.contextmanager
def meter() -> Iterator[Meter]:
    """Counts in a control group of our own where we may make one, see cgroups(7); else as times(2) does.

    That knows only of those for whom somebody has waited: not of those who are killed with their PID namespace, nor of
    those whose parents ignore SIGCHLD.
    """
    try:
        outer = next(path for path in map(_group_below, GROUPS) if path is not None)
        ours = outer / f"forklab-meter-{os.getpid()}"
        ours.mkdir()
    except (StopIteration, OSError):
        print(
            "as root in control groups of version 2 more would be counted: those that nobody waits for"
        )
        yield lambda: sum(os.times()[:4])
        return
    try:
        _move_to(ours)
        yield lambda: seconds_of_group(ours)
    finally:
        _move_to(outer)
        with contextlib.suppress(OSError):  # somebody whom we have started may still be there
            ours.rmdir()


def _group_below(root: Path) -> Path | None:
    """Our group of version 2, if those are below this folder."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, _, path = line.split(":", 2)
        if number == "0" and (group := root / path.lstrip("/")).joinpath("cgroup.procs").exists():
            return group
    return None


def _move_to(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def seconds_of_group(group: Path) -> float:
    words = (group / "cpu.stat").read_text().split()
    return int(words[words.index("usage_usec") + 1]) / 1e6
