"""The small programs of a quiz: statements in a language of their own.

A program is a block, which is a tuple of statements. `forklab.quiz.in_c` and `forklab.quiz.in_python` write it down;
nothing here knows what it does: that is found out by running it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias


class Language(StrEnum):
    C = "c"
    PYTHON = "python"


@dataclass(frozen=True)
class Say:
    """Print a line. `numbered`: the counter of the loop around it comes after the text."""

    text: str
    numbered: bool = False


@dataclass(frozen=True)
class Fork:
    """fork(2), and both go on alike."""


@dataclass(frozen=True)
class Branch:
    """fork(2): the child does `child`, its parent does `parent`, and who has not ended goes on.

    `keep` is the variable in which the parent has the pid of the child.
    """

    child: Block
    parent: Block = ()
    keep: str | None = None


@dataclass(frozen=True)
class Both:
    """A condition of several forks, with `operators` ("and", "or") between them, and what is done if it holds.

    Of two operators the first binds closer: (fork and fork) or fork.
    """

    operators: tuple[str, ...]
    then: Block


@dataclass(frozen=True)
class Loop:
    """Do `body` so many `times`; the counter begins at 0."""

    times: int
    body: Block


@dataclass(frozen=True)
class Break:
    """Leave the loop."""


@dataclass(frozen=True)
class Wait:
    """wait(2), or waitpid(2) for the pid in the variable `child`.

    `status`: keep how the child ended. `sure`: whoever comes here has a child; else the call may fail, and does no
    harm then.
    """

    child: str | None = None
    status: bool = False
    sure: bool = True


@dataclass(frozen=True)
class WaitForAll:
    """wait(2) until no child is left."""


@dataclass(frozen=True)
class SayStatus:
    """Print the exit code that the last wait told."""


@dataclass(frozen=True)
class Exit:
    """exit(3), or _exit(2) if `at_once`.

    `plus` is what is added to the status: "counter", of the loop around it, or "status", the exit code that the last
    wait told.
    """

    status: int
    plus: str | None = None
    at_once: bool = False


@dataclass(frozen=True)
class Sleep:
    seconds: int


@dataclass(frozen=True)
class MakePipe:
    """pipe(2). A program has one at most."""


@dataclass(frozen=True)
class Tell:
    """Write a byte into the pipe."""


@dataclass(frozen=True)
class Listen:
    """Read a byte from the pipe: waits for it."""


Statement: TypeAlias = (
    Say
    | Fork
    | Branch
    | Both
    | Loop
    | Break
    | Wait
    | WaitForAll
    | SayStatus
    | Exit
    | Sleep
    | MakePipe
    | Tell
    | Listen
)
Block: TypeAlias = tuple[Statement, ...]


def statements(block: Block) -> Iterator[Statement]:
    """All of them, those inside others too, in the order of the text."""
    for statement in block:
        yield statement
        for inner in _inside(statement):
            yield from statements(inner)


def relabelled(block: Block, label: Callable[[], str]) -> Block:
    """The same, with new texts to print, given out from the first line to the last."""

    def change(statement: Statement) -> Statement:
        match statement:
            case Say():
                return replace(statement, text=label())
            case Branch(child, parent):
                return replace(statement, child=again(child), parent=again(parent))
            case Both(_, then):
                return replace(statement, then=again(then))
            case Loop(_, body):
                return replace(statement, body=again(body))
        return statement

    def again(block: Block) -> Block:
        return tuple(change(statement) for statement in block)

    return again(block)


def always_ends(block: Block) -> bool:
    """Whether nobody who begins it comes out at its end."""
    return bool(block) and isinstance(block[-1], Exit)


def _inside(statement: Statement) -> tuple[Block, ...]:
    match statement:
        case Branch(child, parent):
            return child, parent
        case Both(_, then):
            return (then,)
        case Loop(_, body):
            return (body,)
    return ()
