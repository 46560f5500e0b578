"""One actor: the connection to a scripted process of a play (c/actor.c has the other end).

What an actor answers only orders the play; the facts that verdicts stand on come from the kernel (watch.py).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field

from autograder.stage.watch import STOPPED_STATES, Watched
from forklab.kernel.signals import numbers_in

CREDENTIALS = struct.Struct("iII")  # struct ucred
_MESSAGE_BYTES = 4096
_MOST_SIGNALS = 1000  # that one actor is told of; who sends more is sending without end


@dataclass(frozen=True)
class Hello:
    """What an actor found when it began: ids in its own PID namespace, its mask, what it ignores, what is open."""

    name: str
    pid: int
    parent: int
    group: int
    session: int
    blocked: frozenset[int]
    ignored: frozenset[int]
    foreground: int | None  # the terminal's foreground group; None without a terminal
    descriptors: frozenset[int]

    @classmethod
    def parse(cls, message: str) -> Hello:
        """`hello NAME PID PPID PGID SID BLOCKED IGNORED FOREGROUND FD,FD,...`; ValueError if it is something else."""
        word, name, pid, parent, group, session, blocked, ignored, foreground, descriptors = (
            message.split(" ")
        )
        if word != "hello":
            raise ValueError(message)
        return cls(
            name,
            int(pid),
            int(parent),
            int(group),
            int(session),
            frozenset(numbers_in(int(blocked, 16))),
            frozenset(numbers_in(int(ignored, 16))),
            None if int(foreground) < 0 else int(foreground),
            frozenset(int(fd) for fd in descriptors.split(",") if fd),
        )


EXIT_WITHOUT_JUDGE = 125  # what an actor exits with that has lost us: no verdict stands on it

# The hello of one that has been asked and has not answered.
NOT_YET = Hello("", 0, 0, 0, 0, frozenset(), frozenset(), None, frozenset())


@dataclass
class Actor:
    """One actor of the play. `caught` are the signals that it told us of: number and sender's pid in its namespace."""

    hello: Hello
    process: Watched
    connection: socket.socket
    caught: list[tuple[int, int]] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    owes: list[str] = field(default_factory=list)  # commands given and not yet answered
    may_end: bool = False  # it was told to

    @property
    def owes_replies(self) -> int:
        return len(self.owes)

    @property
    def name(self) -> str:
        return self.hello.name

    @property
    def flooded(self) -> bool:
        """Whether it has got more signals than any play sends."""
        return len(self.caught) >= _MOST_SIGNALS

    @property
    def cannot_act(self) -> bool:
        stat = self.process.stat()
        return stat is None or stat.state in STOPPED_STATES

    def receive(self) -> str:
        """The next message that the process itself has sent; empty if it is gone. Raises OSError, as recvmsg does.

        Others may have its connection: it is inherited, and can be passed on. What they say is not heard.
        """
        while True:
            message, ancillary, _, _ = self.connection.recvmsg(
                _MESSAGE_BYTES, socket.CMSG_SPACE(CREDENTIALS.size)
            )
            if not message:
                return ""
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                    sender: int = CREDENTIALS.unpack(content[: CREDENTIALS.size])[0]
                    if sender == self.process.pid:
                        return message.decode(errors="replace")

    def listen(self) -> bool:
        """Takes in what it has said; False once it is gone and everything that it said is taken in."""
        while not self.flooded:
            try:
                message = self.receive()
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not message:
                return False
            if message.startswith("signal "):
                _, number, sender = message.split(" ")
                self.caught.append((int(number), int(sender)))
            else:
                self.replies.append(message)
        return True

    def close(self) -> None:
        self.connection.close()
        self.process.close()


class ActorLostError(Exception):
    """An actor is gone or stopped, cannot do what it should (`errno` says why), or gets signals without end.

    `reason` is what whoever gave the order makes of an errno, in a sentence.
    """

    def __init__(self, name: str, errno: int | None = None) -> None:
        super().__init__(name, errno)
        self.name = name
        self.errno = errno
        self.reason = ""
