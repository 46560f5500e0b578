"""Who tells the actors what to do: connections to the scripted processes of a play (actor.c has the other end).

What an actor answers only orders the play; the facts that verdicts stand on come from the kernel (watch.py).
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.stage.errors import RestlessError
from autograder.stage.watch import STOPPED_STATES, Watched, ready
from forklab.kernel.signals import numbers_in

_SO_PEERPIDFD = (
    77  # Linux 6.5; older kernels: the peer cannot be gone while it waits for its first command
)
_CREDENTIALS = struct.Struct("iII")  # struct ucred
_MESSAGE_BYTES = 4096
_OBEY_SECONDS = 30.0
_HELLO_SECONDS = 5.0
_MOST_CONNECTIONS = 1000  # in one play: more than any script has actors
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


class Cast:
    """All actors of a play, by name, and the socket at which new ones report.

    `belongs` tells whether a pid is a process of this play; `program` is the actor's own file: whoever else connects
    is turned away. A name is taken only by the process of which its parent has told that it forked it under that name:
    an init can start the actor program as often as it likes, but only as the first one, `main`.
    """

    def __init__(
        self,
        listener: socket.socket,
        program: Path,
        belongs: Callable[[int], bool],
        first: str,
    ) -> None:
        self._first = first
        self._listener = listener
        self._program = os.stat(program)
        self._belongs = belongs
        self._actors: dict[str, Actor] = {}
        self._guests: dict[
            int, Actor
        ] = {}  # by descriptor: asked for their hello, or for whom nobody vouches yet
        self._connections = 0
        self._last_asked = 0.0
        self._forked: dict[
            str, int
        ] = {}  # who was forked, and the pid that the parent was told, in its namespace
        self._news = select.epoll()
        self._news.register(listener, select.EPOLLIN)

    def close(self) -> None:
        self._news.close()
        for actor in (*self._actors.values(), *self._guests.values()):
            actor.close()

    def __getitem__(self, name: str) -> Actor:
        return self._actors[name]

    def __contains__(self, name: object) -> bool:
        return name in self._actors

    def __iter__(self) -> Iterator[Actor]:
        return iter(self._actors.values())

    def processes(self) -> Iterator[Watched]:
        return (actor.process for actor in self._actors.values())

    def watch(self, process: Watched) -> None:
        """Lets `wait_for_news` wake up when this process dies or is reaped."""
        self._news.register(process.pidfd, select.EPOLLIN | select.EPOLLET)

    def wait_for_news(self, seconds: float) -> None:
        """Blocks until an actor says something, connects, dies or is reaped, or until the time is over."""
        self._news.poll(seconds)

    def greet(self) -> list[Actor]:
        """Takes in everybody who has connected meanwhile and has a right to the name. Never waits for anybody."""
        while self._connections < _MOST_CONNECTIONS and ready(self._listener.fileno()):
            self._receive(self._listener.accept()[0])
        if self._connections == _MOST_CONNECTIONS:
            self._connections += 1
            self._news.unregister(self._listener)  # whoever floods us does not keep us awake
        arrived: list[Actor] = []
        for descriptor, guest in list(self._guests.items()):
            heard = self._hear_hello(guest)
            if guest.hello is NOT_YET and heard:
                continue
            if heard and self._may_be(guest.hello):
                if guest.name not in self._forked and guest.name != self._first:
                    continue  # its parent's reply is on its way
                self._actors[guest.name] = guest
                arrived.append(guest)
                self._news.register(guest.process.pidfd, select.EPOLLIN | select.EPOLLET)
            else:
                guest.close()
            del self._guests[descriptor]
        return arrived

    def awaits_hello(self) -> bool:
        """Whether one that we have asked for a hello may still answer."""
        return time.monotonic() - self._last_asked < _HELLO_SECONDS and any(
            guest.hello is NOT_YET and not self._cannot_act(guest)
            for guest in self._guests.values()
        )

    def command(self, name: str, command: str) -> None:
        """Gives an order without waiting for its reply. Raises ActorLostError if the actor is gone."""
        actor = self._actors[name]
        try:
            actor.connection.send(command.encode())
        except OSError as error:
            raise ActorLostError(name) from error
        actor.owes.append(command)

    def reply(self, name: str) -> int:
        """The value of the next reply.

        Raises ActorLostError if the actor is gone, stopped or cannot do it, RestlessError if it does not answer.
        """
        actor = self._actors[name]
        deadline = time.monotonic() + _OBEY_SECONDS
        while not actor.replies:
            # Asked before we listen: what it said before it stopped or died is there to be heard then.
            unable = self._cannot_act(actor)
            there = self._listen(actor)
            if actor.replies:
                break
            if unable or not there or actor.flooded:
                raise ActorLostError(name)
            ready(actor.connection.fileno(), actor.process.pidfd, seconds=0.01)
            if time.monotonic() > deadline:
                raise RestlessError(f"{name} does not answer within {_OBEY_SECONDS:.0f} s")
        order, _, argument = actor.owes.pop(0).partition(" ")
        word, value = actor.replies.pop(0).split(" ")
        if word == "error":
            raise ActorLostError(name, int(value))
        if order == "fork":
            self._forked[argument] = int(value)
        return int(value)

    def hear(self, name: str) -> Actor:
        """The actor, with every signal in `caught` that it has told us of so far."""
        actor = self._actors[name]
        self._listen(actor)
        return actor

    def _listen(self, actor: Actor) -> bool:
        """Takes in what has been said; False once the actor is gone and everything that it said is taken in."""
        while not actor.flooded:
            try:
                message = _receive_from(actor)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not message:
                return False
            if message.startswith("signal "):
                _, number, sender = message.split(" ")
                actor.caught.append((int(number), int(sender)))
            else:
                actor.replies.append(message)
        return True

    def _cannot_act(self, actor: Actor) -> bool:
        stat = actor.process.stat()
        return stat is None or stat.state in STOPPED_STATES

    def _receive(self, connection: socket.socket) -> None:
        """Asks somebody who has connected for a hello, if it is the actor program in this play.

        The question comes after the look at the program: whoever answers it under that pid is the actor, which never
        executes anything else. A hello that was sent before could be that of another program, in the same process.
        """
        self._connections += 1
        pid: int = _CREDENTIALS.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )[0]
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            process = Watched(pid, _peer_pidfd(connection))
        except OSError:
            connection.close()
            return
        guest = Actor(NOT_YET, process, connection)
        try:
            program = os.stat(f"/proc/{pid}/exe")
            theirs = (program.st_dev, program.st_ino) != (
                self._program.st_dev,
                self._program.st_ino,
            )
            if theirs or not self._belongs(pid) or _has_spoken(connection):
                raise PermissionError(pid)
            connection.send(b"hello")
            self._news.register(connection, select.EPOLLIN | select.EPOLLET)
        except OSError:
            guest.close()
            return
        self._guests[connection.fileno()] = guest
        self._last_asked = time.monotonic()

    def _hear_hello(self, guest: Actor) -> bool:
        """Takes in its hello, if it has come; False if it will not, or is something else."""
        if guest.hello is not NOT_YET:
            return not guest.process.ended()
        try:
            guest.hello = Hello.parse(_receive_from(guest))
        except BlockingIOError:
            return not guest.process.ended()
        except (OSError, ValueError):
            return False
        return True

    def _may_be(self, hello: Hello) -> bool:
        """Whether somebody can have this name: nobody has it yet, and its parent has not told of another one."""
        return hello.name not in self._actors and (
            self._forked.get(hello.name, hello.pid) == hello.pid
        )


def _receive_from(actor: Actor) -> str:
    """The next message that the process itself has sent; empty if it is gone. Raises OSError, as recvmsg does.

    Others may have its connection: it is inherited, and can be passed on. What they say is not heard.
    """
    while True:
        message, ancillary, _, _ = actor.connection.recvmsg(
            _MESSAGE_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size)
        )
        if not message:
            return ""
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and _CREDENTIALS.unpack(
                content[: _CREDENTIALS.size]
            )[0] == actor.process.pid:
                return message.decode(errors="replace")


def _has_spoken(connection: socket.socket) -> bool:
    """Whether there is a message already. An actor never begins."""
    return ready(connection.fileno())


def _peer_pidfd(connection: socket.socket) -> int | None:
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        return None
