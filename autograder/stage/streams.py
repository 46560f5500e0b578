"""The files and the terminal that a play is given: what it reads, and where we find what it has written."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import tty

from autograder.stage.surroundings import FileId, file_id

_ITS_WORDS = "an exit handler of init has run in its child\n"
_GET_SESSION = 0x5429  # TIOCGSID, see ioctl_tty(2); Python does not know it
_PID = struct.Struct("i")
_MOST_OUTPUT = 1 << 20  # bytes of a play's output that are looked at


class Streams:
    """`standard` are the play's standard descriptors, as long as they are not handed over; `files` what they are."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = -1
        self._output = os.memfd_create("output")
        self._complaints = os.memfd_create("complaints")
        self._screen = bytearray()
        nothing = _nothing_to_read()
        self._theirs = [nothing]
        self.standard = nothing, self._output, self._complaints
        if terminal:
            self._terminal, theirs = pty.openpty()
            tty.setraw(theirs)
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
        for descriptor in (self._output, self._complaints, self._terminal):
            if descriptor >= 0:
                os.close(descriptor)


def _nothing_to_read() -> int:
    """An empty file of the play's own, for its standard input: so it can be told from all others."""
    writable = os.memfd_create("input")
    try:
        return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
    finally:
        os.close(writable)
