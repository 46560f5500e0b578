"""What is around the program: what counts as its output, what comes from outside."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

HIDDEN = "somebody hides from the lens: by becoming another user, or by prctl(PR_SET_DUMPABLE)"

File = tuple[int, int, int]  # device, inode, device number: what file it is, however it was opened


@dataclass(eq=False)
class Surroundings:
    """`outputs` are the files that count as the program's output; `foreign` what it was given and comes from outside.

    `terminal`: at whose other side we are. `is_typed`: we write what the program reads. `because` hears why the same
    seed may not give the same history.
    """

    outputs: frozenset[File]
    foreign: frozenset[File]
    because: Callable[[str], None]
    terminal: File | None = None
    is_typed: bool = False
    _sockets: bool = False
    _proc: int = field(default_factory=lambda: os.stat("/proc").st_dev)
    _writers: set[str] = field(default_factory=set)
    _takes_long: bool = False
    _ours: set[File | None] = field(default_factory=set)  # sockets that nobody outside has

    @property
    def reach_outside(self) -> bool:
        """Whether somebody who is not of the program may do something that it waits for."""
        return bool(self.foreign) or self._sockets

    def made_sockets(self, pid: int, made: Iterable[int]) -> None:
        """The program has made these, of unix(7). Who calls somebody outside by one is noticed when it does."""
        self._ours.update(identity(f"/proc/{pid}/fd/{descriptor}") for descriptor in made)

    def is_own_socket(self, file: File) -> bool:
        """Whether the program has made it, of unix(7)."""
        return file in self._ours

    def is_output(self, tid: int, descriptor: int) -> bool:
        """Notices who hides what it has open from the lens."""
        try:
            found = os.stat(f"/proc/{tid}/fd/{descriptor}")
        except PermissionError:
            self.because(HIDDEN)
            return False
        except OSError:
            return False
        return (found.st_dev, found.st_ino, found.st_rdev) in self.outputs

    def writes(self, name: str, tid: int, descriptor: int, size: int) -> None:
        """This process is about to write so many bytes into the output. A pipe may take more than these in pieces."""
        self._writers.add(name)
        self._takes_long |= size > select.PIPE_BUF and stat.S_ISFIFO(self.kind_of(tid, descriptor))
        if self._takes_long and len(self._writers) > 1:
            self.because(
                f"more than {select.PIPE_BUF} bytes are written at once into a pipe: another writer may come in between"
            )

    def comes_from_outside(self, tid: int, descriptor: int) -> bool:
        """Whether a descriptor is a socket, or was given, where that can bring something. (None of its own.)"""
        try:
            found = os.stat(f"/proc/{tid}/fd/{descriptor}")
        except OSError:
            return False
        file = (found.st_dev, found.st_ino, found.st_rdev)
        return file in self.foreign or (stat.S_ISSOCK(found.st_mode) and file not in self._ours)

    def is_of_proc(self, tid: int, descriptor: int) -> bool:
        """Whether a descriptor is open on a file of /proc."""
        try:
            return os.stat(f"/proc/{tid}/fd/{descriptor}").st_dev == self._proc
        except OSError:
            return False

    def kind_of(self, tid: int, descriptor: int) -> int:
        """The file type of a descriptor, as in st_mode; 0 if it is not open. Notices what comes from outside."""
        try:
            found = os.stat(f"/proc/{tid}/fd/{descriptor}")
        except OSError:
            return 0
        file = (found.st_dev, found.st_ino, found.st_rdev)
        if file in self.foreign:
            self.because("it reads what comes from outside")
        elif stat.S_ISSOCK(found.st_mode) and file not in self._ours:
            self._sockets = True
            self.because("it uses sockets")
        return stat.S_IFMT(found.st_mode)


def identity(path: str) -> File | None:
    """What file it is; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_rdev
