"""Whether all the processes below one are at rest: asleep, until something outside wakes them.

Reading /proc takes time, and a process may run while we read about its neighbour. So look twice:
whoever ran in between has gone to sleep again and so has made one more context switch. If two looks
are equal and everybody sleeps in them, then there was a moment between them at which everybody
slept. Who waits for a clock sleeps as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

# Of proc(5): interruptible sleep, stopped, stopped by a tracer, zombie, dead. "D" is not among
# them: a process that waits for the disk goes on by itself. (A zombie leader may still have
# threads; they are looked at too.)
_ASLEEP = frozenset("STtZX")


@dataclass(frozen=True)
class Look:
    """One thread at one look: its state letter, and how often it has left the processor so far."""

    pid: int
    tid: int
    state: str
    switches: tuple[str, ...]


def look_below(root: int) -> frozenset[Look]:
    """Every thread of every process below `root`, but for those that vanish meanwhile."""
    try:
        below = psutil.Process(root).children(recursive=True)
    except psutil.NoSuchProcess:
        return frozenset()
    return frozenset(look for process in below for look in _threads(process.pid))


def everybody_sleeps(looks: frozenset[Look]) -> bool:
    return all(look.state in _ASLEEP for look in looks)


def _threads(pid: int) -> list[Look]:
    looks = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            lines = (task / "status").read_text(errors="replace").splitlines()
            fields = dict(line.split(":", 1) for line in lines if ":" in line)
            switches = tuple(
                value for key, value in fields.items() if key.endswith("ctxt_switches")
            )
            looks.append(Look(pid, int(task.name), fields["State"].split()[0], switches))
    except (OSError, KeyError):
        pass  # gone, or going: the other look will not agree with this one
    return looks
