"""The files and the terminal that a play is given: what it reads, and where we find what it has written."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
import tty

from autograder.stage.surroundings import FileId, file_id
from autograder.stage.watch import ready

_ITS_WORDS = "an exit handler of init has run in its child\n"
_GET_SESSION = 0x5429  # TIOCGSID, see ioctl_tty(2); Python does not know it
_GET_PEER = 0x5441  # TIOCGPTPEER
_UNREAD_SECONDS = 0.05
_COPIES_SECONDS = 20.0  # that a machine may be too busy for a child of ours to execute something
_PID = struct.Struct("i")
_MOST_OUTPUT = 1 << 20  # bytes of a play's output that are looked at


class Streams:
    """`standard` are the play's standard descriptors, as long as they are not handed over; `files` what they are.

    `typed`: we write what is read there. `keys`: those of the terminal mean something, as at a shell.
    """

    def __init__(self, *, terminal: bool, typed: bool = False, keys: bool = False) -> None:
        self._terminal = -1
        self._input = -1  # the end of a pipe to which we write
        self._output = os.memfd_create("output")
        self._complaints = os.memfd_create("complaints")
        self._screen = bytearray()
        if typed and not terminal:
            nothing, self._input = os.pipe()
            os.set_blocking(self._input, False)
        else:
            nothing = _nothing_to_read()
        self._theirs = [nothing]
        self.standard = nothing, self._output, self._complaints
        if terminal:
            self._terminal, theirs = pty.openpty()
            tty.setraw(theirs)
            if keys:
                _let_keys_mean_something(theirs)
            os.set_blocking(self._terminal, False)
            self._theirs.append(theirs)
            self.standard = theirs, theirs, theirs
        self.files: dict[int, FileId] = {
            number: file_id(ours) for number, ours in enumerate(self.standard)
        }

    def are_handed_over(self) -> None:
        """Somebody else has them now, or will not."""
        while self._theirs:
            os.close(self._theirs.pop())

    def type(self, words: bytes) -> None:
        """Raises OSError if nobody reads that any more, or what was typed before."""
        if self._terminal >= 0:
            _type_at(self._terminal, words)
        else:
            os.write(self._input, words)

    def end_input(self) -> None:
        """Comes back when nobody else could write there either.

        Another thread of ours may have forked: until its child executes something, that has a copy of our end, whoever
        reads at the other one finds no end of file, and the play seems to be at rest.
        """
        there = os.open(f"/proc/self/fd/{self._input}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.close(self._input)
        self._input = -1
        ends = select.poll()
        ends.register(there, 0)  # for POLLHUP alone: what is unread does not matter
        ends.poll(_COPIES_SECONDS * 1000)
        os.close(there)

    def foreground(self) -> int | None:
        """The process group in the terminal's foreground, as seen from here; None without a terminal."""
        return os.tcgetpgrp(self._terminal) if self._terminal >= 0 else None

    def session(self) -> int | None:
        """The leader of the terminal's session; None without a terminal."""
        if self._terminal < 0:
            return None
        session = fcntl.ioctl(self._terminal, _GET_SESSION, bytes(_PID.size))
        return int(_PID.unpack(session)[0])

    def output(self) -> str:
        """What has been written to standard output so far."""
        if self._terminal < 0:
            return os.pread(self._output, _MOST_OUTPUT, 0).decode(errors="replace")
        try:
            while len(self._screen) < _MOST_OUTPUT and (part := os.read(self._terminal, 4096)):
                self._screen += part
        except OSError:  # EAGAIN: no more for now; EIO: everybody has closed the terminal
            pass
        return self._screen.decode(errors="replace")

    def complaints(self) -> str:
        """What has been written to standard error so far."""
        return os.pread(self._complaints, _MOST_OUTPUT, 0).decode(errors="replace")

    def witness_has_spoken(self) -> bool:
        """Whether our witness, which init was started with, says that an exit handler has run in a child."""
        return _ITS_WORDS in self.complaints() + self.output()

    def written(self) -> tuple[int, int]:
        """How much has been written to standard output and error so far."""
        return (
            len(self.output()) if self._terminal >= 0 else os.fstat(self._output).st_size,
            os.fstat(self._complaints).st_size,
        )

    def close(self) -> None:
        self.are_handed_over()
        for descriptor in (self._output, self._complaints, self._terminal, self._input):
            if descriptor >= 0:
                os.close(descriptor)


def _let_keys_mean_something(terminal: int) -> None:
    """A terminal as at a shell, but that it echoes nothing and changes nothing of what is written to it."""
    settings = termios.tcgetattr(terminal)
    settings[3] |= termios.ISIG | termios.ICANON  # the local modes, see termios(3)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def _type_at(terminal: int, words: bytes) -> None:
    """Writes to a terminal, and comes back when that has arrived at its other end, where it wakes whoever reads.

    A worker of the kernel's carries it there, and is none of those whom we watch: they would seem to be at rest. Who
    asks at the other end whether there is something to read waits for that worker, but only if there was nothing
    before: see n_tty_poll() in Linux' drivers/tty/n_tty.c.
    """
    there = fcntl.ioctl(terminal, _GET_PEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        unread = ready(there)
        os.write(terminal, words)
        ready(there)
        if unread:  # nobody is waiting for it, but a key may mean a signal
            time.sleep(_UNREAD_SECONDS)
    finally:
        os.close(there)


def _nothing_to_read() -> int:
    """An empty file of the play's own, for its standard input: so it can be told from all others."""
    writable = os.memfd_create("input")
    try:
        return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
    finally:
        os.close(writable)
