"""The actors of a play: scripted processes (c/actor.c) that get orders and answer them.

    Actor, Actors      what they are in both stages
    ConnectedActor     one in real time, at a socket; in virtual time the lens brings the orders (cued.py)

What an actor answers only orders the play; the facts that verdicts stand on come from the kernel (watch.py,
condition.py).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from autograder.stage.condition import Condition, condition_of
from autograder.stage.errors import SHORTAGES, ShortageError
from autograder.stage.watch import STOPPED_STATES, Watched

CREDENTIALS = struct.Struct("iII")  # struct ucred
_MESSAGE_BYTES = 4096
_FIRST_OWN_DESCRIPTOR = 200  # as in c/actor.c
_MOST_SIGNALS = 1000  # that one actor is told of; who sends more is sending without end


@dataclass(frozen=True)
class Hello:
    """The name under which an actor reports, and in which condition the kernel finds it then.

    None if nobody has looked, as nobody will ask.
    """

    name: str
    condition: Condition | None

    @classmethod
    def of(cls, message: str, process: Watched) -> Hello:
        """`hello NAME DESCRIPTOR`, the one of its connection to us; ValueError if it is something else.

        An actor that has said that waits for an order. Raises OSError, StageError as `condition_of` does.
        """
        word, name, connection = message.split(" ")
        if word != "hello":
            raise ValueError(message)
        found = condition_of(process)
        own = {int(connection)} if int(connection) >= _FIRST_OWN_DESCRIPTOR else set()
        return cls(name, replace(found, descriptors=found.descriptors - own))


EXIT_WITHOUT_JUDGE = 125  # what an actor exits with that has lost us: no verdict stands on it

# The hello of one that has been asked and has not answered.
NOT_YET = Hello("", Condition(0, 0, 0, 0, None, frozenset(), frozenset(), frozenset()))


@dataclass
class Actor:
    """One actor of the play. `heard` are the lines of its standard input that it has read; empty: its end."""

    hello: Hello
    process: Watched
    heard: list[str] = field(default_factory=list, kw_only=True)
    replies: list[str] = field(default_factory=list, kw_only=True)
    owes: list[str] = field(default_factory=list, kw_only=True)  # orders that it has not answered

    @property
    def owes_replies(self) -> int:
        return len(self.owes)

    @property
    def name(self) -> str:
        return self.hello.name

    @property
    def pid_inside(self) -> int:
        """The pid that it has in its own PID namespace."""
        return self.condition.pid

    @property
    def condition(self) -> Condition:
        """How it was when it began."""
        assert self.hello.condition is not None, "the casting says that nobody asks for that"
        return self.hello.condition

    def take_reply(self) -> tuple[str, int]:
        """The order that it answers next, and the value.

        Raises ActorLostError if there is no reply, or if it cannot do that; ShortageError if that is because the
        machine is short of something.
        """
        if not self.replies:
            raise ActorLostError(self.name)
        order = self.owes.pop(0)
        word, value = self.replies.pop(0).split(" ")
        if word == "error" and int(value) in SHORTAGES:
            raise ShortageError(
                f"{self.name} cannot {order.partition(' ')[0]}: {os.strerror(int(value))}"
            )
        if word == "error":
            raise ActorLostError(self.name, int(value))
        return order, int(value)


OneActor = TypeVar("OneActor", bound=Actor)


class Actors(Generic[OneActor]):
    """By name, in the order in which they came."""

    def __init__(self) -> None:
        self._actors: dict[str, OneActor] = {}

    def __getitem__(self, name: str) -> OneActor:
        """Raises ActorLostError if there is none of this name yet."""
        if name not in self._actors:
            raise ActorLostError(name)
        return self._actors[name]

    def __contains__(self, name: object) -> bool:
        return name in self._actors

    def __iter__(self) -> Iterator[OneActor]:
        return iter(self._actors.values())

    def dismiss(self, name: str) -> OneActor:
        """It is none of them any more: it executes something else."""
        return self._actors.pop(name)


@dataclass
class ConnectedActor(Actor):
    """`caught` are the signals that it told us of: number and sender's pid in its namespace."""

    connection: socket.socket
    caught: list[tuple[int, int]] = field(default_factory=list)
    may_end: bool = False  # it was told to

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
            elif message.startswith("heard "):
                self.heard.append(message.removeprefix("heard "))
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
