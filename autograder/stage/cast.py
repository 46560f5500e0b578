"""The actors of a play by name, and who is let in among them."""

from __future__ import annotations

import select
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from autograder.language.roles import MAIN, Casting, run_name
from autograder.stage.actors import (
    CREDENTIALS,
    NOT_YET,
    ActorLostError,
    Actors,
    ConnectedActor,
    Hello,
)
from autograder.stage.watch import Watched, ready

# Linux 6.5; older kernels: the peer cannot be gone while it waits for its first command.
_SO_PEERPIDFD = 77
_MOST_CONNECTIONS = 1000  # of one play's processes: more than any script has actors
_MOST_AT_A_TIME = 256  # so many wait at the socket at most


class Cast(Actors[ConnectedActor]):
    """All actors of a play, by name, and the socket at which new ones report.

    `belongs` tells whether a pid is a process of this play, `is_actor` whether it is our program: whoever else connects
    is turned away. A name is taken only by the process of which its parent has told that it forked it under that name:
    an init can start the actor program as often as it likes, but only as the first one, `main`, and as one of the
    commands of the casting: each run of those has a name of its own.
    """

    def __init__(
        self,
        listener: socket.socket,
        is_actor: Callable[[int], bool],
        belongs: Callable[[int], bool],
        casting: Casting,
    ) -> None:
        super().__init__()
        self._casting = casting
        self._runs: Counter[str] = Counter()  # of each command
        self._listener = listener
        self.is_actor = is_actor
        self._belongs = belongs
        # By descriptor: who is asked for a hello, or for whom nobody vouches yet.
        self._guests: dict[int, ConnectedActor] = {}
        self._connections = 0
        self.asked = 0  # so many for a hello
        self.orders = 0  # so many were given
        # Who was forked, and the pid that the parent was told, in its namespace.
        self._forked: dict[str, int] = {}
        self._news = select.epoll()
        self._news.register(listener, select.EPOLLIN)

    def close(self) -> None:
        self._news.close()
        for actor in (*self._actors.values(), *self._guests.values()):
            actor.close()

    def processes(self) -> Iterator[Watched]:
        return (actor.process for actor in self._actors.values())

    def listen_to(self, descriptor: int) -> None:
        """Lets `wait_for_news` wake up as long as it can be read."""
        self._news.register(descriptor, select.EPOLLIN)

    def watch(self, process: Watched) -> None:
        """Lets `wait_for_news` wake up when this process dies or is reaped."""
        self._news.register(process.pidfd, select.EPOLLIN | select.EPOLLET)

    def wait_for_news(self, seconds: float) -> bool:
        """Blocks until an actor says something, connects, dies or is reaped; False if the time was over before."""
        return bool(self._news.poll(seconds))

    def greet(self) -> None:
        """Takes in everybody who has connected meanwhile and has a right to the name. Never waits for anybody."""
        for _ in range(_MOST_AT_A_TIME):
            if self._connections >= _MOST_CONNECTIONS or not ready(self._listener.fileno()):
                break
            self._receive(self._listener.accept()[0])
        if self._connections == _MOST_CONNECTIONS:
            self._connections += 1
            self._news.unregister(self._listener)  # whoever floods us does not keep us awake
        for descriptor, guest in list(self._guests.items()):
            heard = self._hear_hello(guest)
            if guest.hello is NOT_YET and heard:
                continue
            if heard and self._may_be(guest):
                if not (guest.name in self._forked or self._needs_no_word(guest.name)):
                    continue  # its parent's reply is on its way
                self._actors[guest.name] = guest
                self._news.register(guest.process.pidfd, select.EPOLLIN | select.EPOLLET)
            else:
                guest.close()
            del self._guests[descriptor]

    def command(self, name: str, command: str) -> None:
        """Gives an order without waiting for its reply. Raises ActorLostError if the actor is gone."""
        actor = self[name]
        self.orders += 1
        actor.may_end |= command.startswith(("exit ", "die "))
        try:
            actor.connection.send(command.encode())
        except OSError as error:
            raise ActorLostError(name) from error
        actor.owes.append(command)

    def dismiss(self, name: str) -> ConnectedActor:
        actor = super().dismiss(name)
        self._forked.pop(name, None)  # it cannot come back under that name
        actor.connection.close()
        return actor

    def has_answered(self, name: str) -> bool:
        """Whether there is a reply, or never will be: the actor is gone, stopped, or gets signals without end."""
        actor = self._actors[name]
        # Asked before we listen: what it said before it stopped or died is there to be heard then.
        unable = actor.cannot_act
        return not actor.listen() or unable or actor.flooded or bool(actor.replies)

    def wait_for(self, name: str, seconds: float) -> None:
        """Blocks until the actor says something or dies, or until the time is over."""
        actor = self._actors[name]
        ready(actor.connection.fileno(), actor.process.pidfd, seconds=seconds)

    def reply(self, name: str) -> int:
        """The value of its next reply. Raises ActorLostError and ShortageError, as `Actor.take_reply` does."""
        if not self.has_answered(name):
            raise ActorLostError(name)
        order, value = self._actors[name].take_reply()
        word, _, argument = order.partition(" ")
        if word == "fork":
            self._forked[argument] = value
        return value

    def hear(self, name: str) -> ConnectedActor:
        """The actor, with every signal in `caught` that it has told us of so far."""
        actor = self._actors[name]
        actor.listen()
        return actor

    def _receive(self, connection: socket.socket) -> None:
        """Asks somebody who has connected for a hello, if it is the actor program in this play.

        The question comes after the look at the program: whoever answers it under that pid is the actor, which never
        executes anything else. A hello that was sent before could be that of another program, in the same process.
        Who is not of this play is turned away before it counts: nobody else uses up what the play may have.
        """
        pid: int = CREDENTIALS.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        )[0]
        if not self._belongs(pid):
            connection.close()
            return
        self._connections += 1
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            process = Watched(pid, _peer_pidfd(connection))
        except OSError:
            connection.close()
            return
        guest = ConnectedActor(NOT_YET, process, connection)
        try:
            if not self.is_actor(pid) or _has_spoken(connection):
                raise PermissionError(pid)
            connection.send(b"hello")
            self.asked += 1
            self._news.register(connection, select.EPOLLIN | select.EPOLLET)
        except OSError:
            guest.close()
            return
        self._guests[connection.fileno()] = guest

    def _hear_hello(self, guest: ConnectedActor) -> bool:
        """Takes in its hello, if it has come; False if it will not, or is something else."""
        if guest.hello is not NOT_YET:
            return not guest.process.ended()
        try:
            hello = Hello.of(guest.receive(), guest.process)
            if hello.name in self._casting.commands:
                self._runs[hello.name] += 1
                hello = replace(hello, name=run_name(hello.name, self._runs[hello.name]))
            guest.hello = hello
        except BlockingIOError:
            return not guest.process.ended()
        except (OSError, ValueError):
            return False
        return True

    def _needs_no_word(self, name: str) -> bool:
        """Whether the subject itself starts an actor of this name."""
        return (name == MAIN and self._casting.main) or self._casting.is_command(name)

    def _may_be(self, guest: ConnectedActor) -> bool:
        """Whether somebody can have its name: nobody has it yet, and its parent has not told of another one."""
        return guest.name not in self._actors and (
            self._forked.get(guest.name, guest.pid_inside) == guest.pid_inside
        )


def _has_spoken(connection: socket.socket) -> bool:
    """Whether there is a message already. An actor never begins."""
    return ready(connection.fileno())


def _peer_pidfd(connection: socket.socket) -> int | None:
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        return None
