"""The actors of a play by name, and who is let in among them."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.stage.actors import CREDENTIALS, NOT_YET, Actor, ActorLostError, Hello
from autograder.stage.errors import RestlessError
from autograder.stage.users import looking_as
from autograder.stage.watch import Watched, ready

# Linux 6.5; older kernels: the peer cannot be gone while it waits for its first command.
_SO_PEERPIDFD = 77
_OBEY_SECONDS = 30.0
_HELLO_SECONDS = 5.0
_MOST_CONNECTIONS = 1000  # in one play: more than any script has actors


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
        # By descriptor: who is asked for a hello, or for whom nobody vouches yet.
        self._guests: dict[int, Actor] = {}
        self._connections = 0
        self._last_asked = 0.0
        # Who was forked, and the pid that the parent was told, in its namespace.
        self._forked: dict[str, int] = {}
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

    def greet(self) -> None:
        """Takes in everybody who has connected meanwhile and has a right to the name. Never waits for anybody."""
        while self._connections < _MOST_CONNECTIONS and ready(self._listener.fileno()):
            self._receive(self._listener.accept()[0])
        if self._connections == _MOST_CONNECTIONS:
            self._connections += 1
            self._news.unregister(self._listener)  # whoever floods us does not keep us awake
        for descriptor, guest in list(self._guests.items()):
            heard = self._hear_hello(guest)
            if guest.hello is NOT_YET and heard:
                continue
            if heard and self._may_be(guest.hello):
                if guest.name not in self._forked and guest.name != self._first:
                    continue  # its parent's reply is on its way
                self._actors[guest.name] = guest
                self._news.register(guest.process.pidfd, select.EPOLLIN | select.EPOLLET)
            else:
                guest.close()
            del self._guests[descriptor]

    def awaits_hello(self) -> bool:
        """Whether one that we have asked for a hello may still answer."""
        return time.monotonic() - self._last_asked < _HELLO_SECONDS and any(
            guest.hello is NOT_YET and not guest.cannot_act for guest in self._guests.values()
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
            unable = actor.cannot_act
            there = actor.listen()
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
        actor.listen()
        return actor

    def _receive(self, connection: socket.socket) -> None:
        """Asks somebody who has connected for a hello, if it is the actor program in this play.

        The question comes after the look at the program: whoever answers it under that pid is the actor, which never
        executes anything else. A hello that was sent before could be that of another program, in the same process.
        """
        self._connections += 1
        pid: int = CREDENTIALS.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
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
            with looking_as(process.user):
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
            guest.hello = Hello.parse(guest.receive())
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


def _has_spoken(connection: socket.socket) -> bool:
    """Whether there is a message already. An actor never begins."""
    return ready(connection.fileno())


def _peer_pidfd(connection: socket.socket) -> int | None:
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        return None
