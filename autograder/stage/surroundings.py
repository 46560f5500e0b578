"""What a process has inherited beside signals, as the kernel tells it: folder, environment, umask, nice value, files.

Nothing is asked of the process itself. Raises StageError where the kernel does not let us look, and ProcessLookupError
of one that is gone.

An actor may not be read by those whom it plays with, so for who is not root some of its files in /proc are root's. What
is in them can be had all the same by who may trace it: see ptrace(2), "Ptrace access mode checking".
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.stage.errors import StageError
from autograder.stage.users import looking_as
from autograder.stage.watch import Watched
from forklab.lens.edge.borrowing import taken
from forklab.lens.edge.ptrace import read_memory

# /proc/PID/stat, counted from the state, which is field 3.
_GROUP, _SESSION = 2, 3
_ARGUMENTS = 45  # field 48, arg_start; arg_end follows
_ENVIRONMENT = 47  # in /proc/PID/stat, from the state on: field 50, env_start; env_end follows

# struct stat's st_dev and st_ino: the same file, by whatever name.
FileId = tuple[int, int]


def folder_of(process: Watched) -> str:
    """Its working directory, as it sees it itself."""
    with _looking_at(process) as proc:
        return os.readlink(proc / "cwd")


def is_in(process: Watched, folder: str) -> bool:
    """Whether this is its working directory; both are looked up in its own view of the file system."""
    with _looking_at(process) as proc:
        return file_id(proc / "cwd") == file_id(f"{proc}/root{folder}")


def variables_of(process: Watched) -> dict[str, str]:
    """The environment that it was executed with."""
    with _looking_at(process) as proc:
        try:
            content = (proc / "environ").read_bytes()
        except PermissionError:
            content = _environment_in_memory(process)
    text = content.decode(errors="replace")
    pairs = (variable.partition("=") for variable in text.split("\0") if variable)
    return {name: value for name, _, value in pairs}


def command_line_of(process: Watched) -> list[str]:
    """With which words it was executed, its name first."""
    with _looking_at(process) as proc:
        try:
            content = (proc / "cmdline").read_bytes()
        except PermissionError:
            fields = process.fields()
            start, end = int(fields[_ARGUMENTS]), int(fields[_ARGUMENTS + 1])
            content = read_memory(process.pid, start, end - start) if end > start > 0 else b""
    return content.decode(errors="replace").split("\0")[:-1]


def umask_of(process: Watched) -> str:
    """Three octal digits."""
    with _looking_at(process):
        return process.status("Umask")[0][-3:]


def nice_value_of(process: Watched) -> int:
    """See getpriority(2)."""
    with _looking_at(process):
        return os.getpriority(os.PRIO_PROCESS, process.pid)


def group_of(process: Watched) -> int:
    """Its process group, as seen from here."""
    with _looking_at(process):
        return os.getpgid(process.pid)


def bands_of(process: Watched) -> tuple[int, int]:
    """Its process group and its session, as seen from here. Raises ProcessLookupError once it has been reaped."""
    fields = process.fields()
    return int(fields[_GROUP]), int(fields[_SESSION])


def has_open(process: Watched, number: int, file: str) -> bool:
    """Whether this descriptor is that file, which is looked up in its own view of the file system."""
    found = standard_files(process).get(number)
    with _looking_at(process) as proc:
        return found == file_id(f"{proc}/root{file}")


def standard_files(process: Watched) -> dict[int, FileId]:
    """What is open as descriptors 0, 1 and 2."""
    found: dict[int, FileId] = {}
    with _looking_at(process) as proc:
        for descriptor in range(3):
            try:
                found[descriptor] = file_id(proc / "fd" / str(descriptor))
            except FileNotFoundError:
                continue
            except PermissionError:
                if (file := _borrowed(process.pid, descriptor)) is not None:
                    found[descriptor] = file
    return found


def _environment_in_memory(process: Watched) -> bytes:
    fields = process.fields()
    start, end = int(fields[_ENVIRONMENT]), int(fields[_ENVIRONMENT + 1])
    if start == 0:
        raise PermissionError(
            errno.EACCES, os.strerror(errno.EACCES), f"/proc/{process.pid}/environ"
        )
    return read_memory(process.pid, start, end - start) if end > start else b""


def _borrowed(pid: int, descriptor: int) -> FileId | None:
    try:
        ours = taken(pid, descriptor)
    except OSError as error:
        if error.errno == errno.EBADF:
            return None
        raise
    try:
        return file_id(ours)
    finally:
        os.close(ours)


@contextmanager
def _looking_at(process: Watched) -> Iterator[Path]:
    """Its folder in /proc; what was read there is believed only if the pid is still its own."""
    if process.ended():
        raise ProcessLookupError(process.pid)
    try:
        with looking_as(process.user):
            yield Path(f"/proc/{process.pid}")
    except PermissionError as refused:
        what = f"the kernel does not let us look at a process of the play: {refused}"
        raise StageError(what) from refused
    except FileNotFoundError as gone:
        raise ProcessLookupError(process.pid) from gone
    if process.reaped():
        raise ProcessLookupError(process.pid)


def file_id(path: Path | str | int) -> FileId:
    """Of a file, by its name or as a descriptor of ours."""
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino
