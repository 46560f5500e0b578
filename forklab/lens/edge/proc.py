"""What /proc tells about one process or thread at this moment; None if it is gone."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

from forklab.kernel.signals import HARMLESS_MASK, STOPPING_MASK, bit, deliverable_of

_TICKS = os.sysconf("SC_CLK_TCK")  # a second
# The first of five lines of the same length, for what is pending (twice), blocked, ignored and caught.
_MASKS, _FIVE_LINES = b"\nSigPnd:\t", struct.Struct("16s9x16s9x16s9x16s9x16s")
_PF_EXITING, _PF_FORKNOEXEC = 0x4, 0x40  # of the flags in /proc/PID/stat


class Masks(NamedTuple):
    """The signals of a thread as bit masks: bit 0 is signal 1."""

    pending: int
    blocked: int
    ignored: int
    caught: int

    @property
    def deliverable(self) -> int:
        """What would have an effect right now."""
        return deliverable_of(self.pending, self.blocked, self.ignored, self.caught)

    def due(self, *, is_init: bool) -> int:
        """The same of one that may be a PID 1, which notices no others: see pid_namespaces(7)."""
        return self.deliverable & (self.caught | STOPPING_MASK) if is_init else self.deliverable

    def catches(self, number: int) -> bool:
        return bool(self.caught & bit(number))

    def harmless(self, number: int) -> bool:
        """Whether the signal does nothing to it."""
        return bool(bit(number) & (self.ignored | HARMLESS_MASK & ~self.caught))


def _read(path: str) -> bytes | None:
    """The quick way: these files are read thousands of times."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(file, 8192)
    except OSError:
        return None
    finally:
        os.close(file)


def masks(pid: int, tid: int) -> Masks | None:
    content = _read(f"/proc/{pid}/task/{tid}/status")
    if content is None:
        return None
    found = _FIVE_LINES.unpack_from(content, content.index(_MASKS) + len(_MASKS))
    own, shared, blocked, ignored, caught = found
    return Masks(
        int(own, 16) | int(shared, 16), int(blocked, 16), int(ignored, 16), int(caught, 16)
    )


def has_capability(tid: int, number: int) -> bool:
    """Whether it may do what this one of capabilities(7) allows, in its own user namespace."""
    content = _read(f"/proc/{tid}/status") or b""
    _, _, rest = content.partition(b"CapEff:\t")
    return bool(int(rest[:16] or b"0", 16) >> number & 1)


def filters(tid: int) -> int:
    """How many filters of seccomp(2) it has; 0 before Linux 5.9, which does not tell."""
    _, _, rest = (_read(f"/proc/{tid}/status") or b"").partition(b"\nSeccomp_filters:\t")
    return int(rest.partition(b"\n")[0] or b"0")


def vdso(pid: int) -> tuple[int, int]:
    """From where to where it reaches. Raises ValueError if it has none."""
    for line in (_read(f"/proc/{pid}/maps") or b"").splitlines():
        if line.endswith(b"[vdso]"):
            start, end = line.split()[0].split(b"-")
            return int(start, 16), int(end, 16)
    raise ValueError(f"{pid} has no vDSO")


def exists(pid: int) -> bool:
    """Whether somebody has this pid, a zombie too."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def stat(tid: int) -> list[str] | None:
    """The fields of /proc/TID/stat from the state on: state, ppid, pgrp, session, ... See proc(5)."""
    content = _read(f"/proc/{tid}/stat")
    if content is None:
        return None
    return content[content.rindex(b")") + 2 :].decode().split()


def state(tid: int) -> str | None:
    fields = stat(tid)
    return fields[0] if fields else None


def parent(pid: int) -> int | None:
    fields = stat(pid)
    return int(fields[1]) if fields else None


def group(pid: int) -> int | None:
    fields = stat(pid)
    return int(fields[2]) if fields else None


def pid_namespace(pid: int) -> int:
    """The one in which it is, as an inode; 0 if it is gone. See pid_namespaces(7)."""
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    except OSError:
        return 0


def numbers(pid: int, what: bytes = b"NSpid:") -> tuple[int, ...]:
    """Its pids in all PID namespaces that see it, from ours on inwards; or, with NSpgid:, those of its group."""
    return _numbers_in(_read(f"/proc/{pid}/status") or b"", what)


def parent_and_numbers(pid: int) -> tuple[int, tuple[int, ...]]:
    """Both as `parent` and `numbers` have it, by one look; 0 and () if it is gone."""
    content = _read(f"/proc/{pid}/status") or b""
    return sum(_numbers_in(content, b"PPid:")), _numbers_in(content, b"NSpid:")


def _numbers_in(status: bytes, what: bytes) -> tuple[int, ...]:
    _, found, rest = status.partition(b"\n" + what)
    return tuple(map(int, rest.partition(b"\n")[0].split())) if found else ()


def is_on_its_way_out(fields: list[str] | None) -> bool:
    """Whether it is about to end, and not yet a zombie, by its `stat`."""
    return fields is not None and fields[0] != "Z" and bool(int(fields[6]) & _PF_EXITING)


def has_executed(fields: list[str]) -> bool:
    """Whether it has executed a program since its birth, by its `stat`. Then setpgid(2) does not move it any more."""
    return not int(fields[6]) & _PF_FORKNOEXEC


def personality(tid: int) -> int:
    """As personality(2) has it; 0 if it is gone."""
    return int(_read(f"/proc/{tid}/personality") or b"0", 16)


def exit_signal(pid: int) -> int | None:
    """By which signal its parent learns of its end."""
    fields = stat(pid)
    return int(fields[35]) if fields else None


def system_call(tid: int) -> int | None:
    """The number of the call in which it sleeps; None if it does not."""
    first = (_read(f"/proc/{tid}/syscall") or b"running").split()[0]
    return int(first) if first.isdigit() else None


def nanoseconds(tid: int) -> int:
    """How long it has been on a processor so far."""
    content = _read(f"/proc/{tid}/schedstat")
    return int(content.split()[0]) if content else 0


def processor_seconds(pid: int) -> float:
    """How long a process and its children that it has waited for have been on a processor, by the clock's ticks."""
    fields = stat(pid)
    return sum(map(int, fields[11:15])) / _TICKS if fields else 0.0


def nanoseconds_of_all(pid: int) -> int:
    """How long all threads of this process have been on a processor so far, by its clock: clock_getcpuclockid(3)."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def thread_group(tid: int) -> int | None:
    """The pid of the process whose thread this is."""
    try:
        with open(f"/proc/{tid}/status", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"Tgid:"))
    except (OSError, StopIteration):
        return None


def owners_of_locks() -> set[int]:
    """The pids of those who have locks of fcntl(2), see /proc/locks in proc(5)."""
    return {pid for pid, _, waits in _locks() if not waits}


def files_with_locks_of(pid: int) -> set[int]:
    """The inodes of files that it has locked by fcntl(2), or other files of the same number elsewhere."""
    return {inode for owner, inode, _ in _locks() if owner == pid}


def _locks() -> Iterator[tuple[int, int, bool]]:
    """Of fcntl(2): whose each is, the inode of the file, and whether it is only waited for."""
    with open("/proc/locks") as file:
        for line in file:
            words = line.replace("->", "").split()
            if words[1] == "POSIX":
                yield int(words[4]), int(words[5].rpartition(":")[2]), "->" in line


def program(pid: int) -> str:
    """The file that it runs; empty if it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def maps(tid: int) -> list[list[str]]:
    """What is mapped in its memory: area, rights, offset, device, inode and, if it has one, name. Raises OSError."""
    with open(f"/proc/{tid}/maps") as lines:
        return [line.rstrip("\n").split(maxsplit=5) for line in lines]


def mapped_files(tid: int) -> dict[str, int]:
    """Those that are in its memory, and where they begin. Raises OSError."""
    found: dict[str, int] = {}
    for area, _, _, _, _, *name in maps(tid):
        if name and name[0].startswith("/"):
            found.setdefault(name[0], int(area.split("-")[0], 16))
    return found


def command_line(pid: int) -> tuple[str, ...]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            content = file.read()
    except OSError:
        return ()
    return tuple(word.decode(errors="replace") for word in content.split(b"\0")[:-1])
