"""What plays need of a machine: processes, open files, a folder to execute from, room on the disk, memory, /dev/null.

Looked at before the first play, and refused with the remedy: a machine that is short of something must not cost points.
And looked at again when something has failed, since others may have used it up meanwhile.
"""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.stage.errors import SHORTAGES, StageError

# An actor's connection has a number from 200 on, and submissions may open some files too.
_FILES_OF_A_PLAY = 512
# Of ours: a pidfd, files in /proc, and the connection, for each process; and what a Python has open anyway.
_FILES_FOR_A_PROCESS, _FILES_OF_OURS = 8, 100
_MOST_FILES_OF_OURS = 8192  # for the largest play that there can be, in several threads
_PROCESSES_OF_OURS = 16  # a sandbox, guardians, what a compiler starts
_DISK_BYTES, _DISK_FILES = 32 << 20, 200
_MEMORY_BYTES = 32 << 20
_FILES_OF_THE_MACHINE = 256
_UNLIMITED = 1 << 40
_EVERYBODYS = 0o666


@dataclass(frozen=True)
class Needs:
    """So many processes in a play at the same time, and a `folder` from which the stage's programs are executed."""

    processes: int
    folder: Path


def refuse_if_short(needs: Needs) -> None:
    """Raises StageError with the remedy if a play cannot have here what it needs.

    Raises our own limit of open files, as far as we may and need it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES_OF_OURS if hard < 0 else min(hard, _MOST_FILES_OF_OURS)
    if 0 <= soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    for lack in (*_of_limits(needs), *_of_folder(needs.folder), *_of_devices()):
        raise StageError(f"nobody can be judged fairly on this machine: {lack}")


def refusal(error: OSError, needs: Needs) -> str:
    """What the kernel refused us as it is short of something, and the remedy; empty if it was anything else."""
    if error.errno not in SHORTAGES:
        return ""
    remedy = shortage(needs) or "that may pass: try again when less is running here"
    return f"this machine is short of something ({error.strerror}): {remedy}"


def shortage(needs: Needs) -> str:
    """What the machine is short of right now, in a sentence; empty if there is enough of everything."""
    lacks = (*_of_limits(needs), *_of_folder(needs.folder), *_of_devices())
    return next(iter((*lacks, *_of_the_machine(needs.processes))), "")


def _of_limits(needs: Needs) -> Iterator[str]:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = max(_FILES_OF_A_PLAY, _FILES_OF_OURS + _FILES_FOR_A_PROCESS * needs.processes)
    if 0 <= files < wanted:
        yield f"a process may open {files} files here, and {wanted} are needed. Try: ulimit -Hn {wanted}"
    processes = needs.processes + _PROCESSES_OF_OURS
    most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    # Root is not bound, but whom it runs the submission as.
    used = 0 if os.geteuid() == 0 else _threads_of(os.getuid())
    if 0 <= most < used + processes:
        yield (
            f"a user may have {most} processes here ({used} are there), and a play needs {processes}. "
            f"Try: ulimit -u {used + 2 * processes}"
        )
    room = _room_in_groups()
    if room < processes:
        yield (
            f"the control group has room for {room} more processes, and a play needs {processes}. Give it more: "
            "pids.max in /sys/fs/cgroup, docker run --pids-limit"
        )


def _of_folder(folder: Path) -> Iterator[str]:
    facts = os.statvfs(folder)
    if facts.f_flag & os.ST_NOEXEC:
        yield (
            f"nothing may be executed in {folder.parent} (it is mounted noexec). "
            "Set TMPDIR to a folder where that is allowed"
        )
    if facts.f_bavail * facts.f_frsize < _DISK_BYTES or 0 < facts.f_favail < _DISK_FILES:
        yield f"the disk is full at {folder.parent}. Make room there, or set TMPDIR to another folder"


def _of_devices() -> Iterator[str]:
    """A program of root's that shares our /dev may have taken it for its terminal, and kept others from it."""
    if ~stat.S_IMODE(os.stat(os.devnull).st_mode) & _EVERYBODYS:
        yield f"not everybody may read and write {os.devnull}. Try: chmod 666 {os.devnull}"


def _of_the_machine(processes: int) -> Iterator[str]:
    most = _number("/proc/sys/kernel/pid_max")
    used = sum(name.isdigit() for name in os.listdir("/proc"))
    if most - used < processes:
        yield f"only {most - used} more processes can be started"
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:") and int(line.split()[1]) * 1024 < _MEMORY_BYTES:
            yield "no memory is left"
    used_files, _, most_files = (*map(int, _text("/proc/sys/fs/file-nr").split()), 0, 0, 0)[:3]
    if 0 < most_files < used_files + _FILES_OF_THE_MACHINE:
        yield "no more files can be opened on the whole machine"


def _threads_of(user: int) -> int:
    """RLIMIT_NPROC counts threads."""
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        status = _text(f"/proc/{name}/status")
        words = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if words.get("Uid", "").split()[:1] == [str(user)]:
            count += int(words.get("Threads", "1"))
    return count


def _room_in_groups() -> int:
    """How many more processes our control groups allow, this one and those above it; see cgroups(7)."""
    room = _UNLIMITED
    for line in _text("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "pids" not in controllers.split(","):
            continue
        roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        root = Path("/sys/fs/cgroup/pids") if controllers else Path(roots[os.path.isdir(roots[1])])
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            most = _text(str(folder / "pids.max")).strip()
            if most.isdigit():
                room = min(room, int(most) - _number(str(folder / "pids.current")))
            if folder == root:
                break
    return room


def _number(path: str) -> int:
    words = _text(path).split()
    return int(words[0]) if words and words[0].isdigit() else _UNLIMITED


def _text(path: str) -> str:
    """Empty if there is no such file, or it is not for us."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
