"""Who of a play may connect(2), where sockets of others are in reach: its actors, who connect to us alone.

What stands in the way of the others cannot be a rule on addresses: they are in memory, which a submission changes while
somebody looks at it. So a filter (c/filter.c) has every such call wait for us, see seccomp_unotify(2), and we look at
which program makes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import struct
from collections.abc import Callable

# struct seccomp_notif: id, pid, flags, then struct seccomp_data: nr, arch, instruction pointer, six arguments.
_QUESTION = struct.Struct("QIIiIQ6Q")
_ANSWER = struct.Struct("QqiI")  # struct seccomp_notif_resp: id, value, error, flags
_MOST_AT_A_TIME = 256
_GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
_RECEIVE = (3 << 30) | (_QUESTION.size << 16) | (ord("!") << 8)
_SEND = (3 << 30) | (_ANSWER.size << 16) | (ord("!") << 8) | 1


class Door:
    """That of one play. `descriptor` is where it is knocked; None if nobody has to."""

    def __init__(self, descriptor: int | None, may_pass: Callable[[int], bool]) -> None:
        self.descriptor = descriptor
        self._may_pass = may_pass
        self._answered = 0

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def attend(self) -> None:
        """Answers those who wait: yes to those whose pid `may_pass`, EACCES to the others.

        Not without an end: a submission can knock as fast as we answer.
        """
        for _ in range(_MOST_AT_A_TIME):
            if self.descriptor is None or not _somebody_waits(self.descriptor):
                return
            question = bytearray(_QUESTION.size)
            try:
                fcntl.ioctl(self.descriptor, _RECEIVE, question)
            except OSError as error:
                if error.errno == errno.ENOENT:  # it was killed meanwhile
                    continue
                return  # nobody of the play is left
            number, pid = _QUESTION.unpack(question)[:2]
            refusal, flags = (0, _GO_ON) if self._may_pass(pid) else (-errno.EACCES, 0)
            with contextlib.suppress(OSError):  # gone as well
                fcntl.ioctl(self.descriptor, _SEND, _ANSWER.pack(number, 0, refusal, flags))
            self._answered += 1

    def has_answered(self) -> bool:
        """Whether somebody who waited has been answered since this was asked last; else nobody waits."""
        self.attend()
        answered, self._answered = self._answered, 0
        return answered > 0


def _somebody_waits(descriptor: int) -> bool:
    """False also once nobody of the play lives: poll(2) says POLLHUP then, for ever."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return any(event & select.POLLIN for _, event in poll.poll(0))
