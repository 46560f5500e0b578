"""What a process can do, or what can be done to it: the moves of the model.

Each is a fact without behaviour; forklab.model.apply() says what comes of it. `process` is who makes the move. The
names follow the field's words; the system call is in each docstring.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fork:
    """fork(2). `new_namespace`: clone(2) with CLONE_NEWPID, the child is PID 1 of a PID namespace of its own."""

    process: str
    child: str
    new_namespace: bool = False


@dataclass(frozen=True)
class Exec:
    """execve(2), of a program that exists."""

    process: str
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Exit:
    """_exit(2). Only the lowest 8 bits of `status` reach the parent."""

    process: str
    status: int


@dataclass(frozen=True)
class Wait:
    """waitpid(2) for `child`, or for any child if None. Without `block` it is WNOHANG."""

    process: str
    child: str | None = None
    block: bool = True


@dataclass(frozen=True)
class Kill:
    """kill(2) of one process. `sender` None: from outside of every PID namespace of the table."""

    sender: str | None
    process: str
    signal: str


@dataclass(frozen=True)
class KillGroup:
    """kill(2) with a negative pid: every member of the process group that is named after its first leader."""

    sender: str | None
    group: str
    signal: str


@dataclass(frozen=True)
class Default:
    """sigaction(2) with SIG_DFL."""

    process: str
    signal: str


@dataclass(frozen=True)
class Ignore:
    """sigaction(2) with SIG_IGN."""

    process: str
    signal: str


@dataclass(frozen=True)
class Catch:
    """sigaction(2) with a handler, SA_RESTART set and SA_NOCLDSTOP not: a blocked wait goes on after the handler."""

    process: str
    signal: str


@dataclass(frozen=True)
class Block:
    """sigprocmask(2) with SIG_BLOCK."""

    process: str
    signals: frozenset[str]


@dataclass(frozen=True)
class Unblock:
    """sigprocmask(2) with SIG_UNBLOCK: what was pending is delivered before the call returns."""

    process: str
    signals: frozenset[str]


@dataclass(frozen=True)
class Accept:
    """sigwaitinfo(2) that need not wait: takes `signal` out of the pending ones. No handler runs, nothing is done."""

    process: str
    signal: str


@dataclass(frozen=True)
class SetGroup:
    """setpgid(2): moves `target` (the process itself or a child of it) to `group`, which is new if it is target's
    name.
    """

    process: str
    target: str
    group: str


@dataclass(frozen=True)
class StartSession:
    """setsid(2)."""

    process: str


@dataclass(frozen=True)
class BecomeSubreaper:
    """prctl(2) with PR_SET_CHILD_SUBREAPER."""

    process: str


@dataclass(frozen=True)
class TakeTerminal:
    """ioctl(2) with TIOCSCTTY: a terminal becomes the session's, its foreground group is that of the session leader."""

    process: str


@dataclass(frozen=True)
class SetForeground:
    """tcsetpgrp(3), by a process that may: one in the foreground, or one that blocks or ignores SIGTTOU."""

    process: str
    group: str


Disposition = Default | Ignore | Catch
Action = (
    Fork
    | Exec
    | Exit
    | Wait
    | Kill
    | KillGroup
    | Disposition
    | Block
    | Unblock
    | Accept
    | SetGroup
    | StartSession
    | BecomeSubreaper
    | TakeTerminal
    | SetForeground
)
