"""An ideal kernel as a pure function: who is whose child, who is a zombie, whom a signal kills.

`apply(table, action)` answers the table after one action and the events that make it up, as POSIX and Linux say they
should be. Nothing here calls the operating system, so every rule can be tested in microseconds, and is held against
the real kernel by tests/forklab/test_model_vs_kernel.py.

    table = Table.starting_with("init")
    table, events = apply(table, Fork("init", "main"))
    table, events = apply(table, Exit("main", 42))
    table["main"].state        # zombie: init has not waited

Left out, because no lab needs it: threads, permissions, ptrace, job control on reading and writing a terminal,
parent-death signals, nested PID namespaces.
"""

from forklab.model.actions import (
    Accept,
    Action,
    BecomeSubreaper,
    Block,
    Catch,
    Default,
    Exec,
    Exit,
    Fork,
    Ignore,
    Kill,
    KillGroup,
    SetForeground,
    SetGroup,
    StartSession,
    TakeTerminal,
    Unblock,
    Wait,
)
from forklab.model.rules import apply
from forklab.model.table import ANY_CHILD, Entry, ModelError, Pending, Table

__all__ = [
    "ANY_CHILD",
    "Accept",
    "Action",
    "BecomeSubreaper",
    "Block",
    "Catch",
    "Default",
    "Entry",
    "Exec",
    "Exit",
    "Fork",
    "Ignore",
    "Kill",
    "KillGroup",
    "ModelError",
    "Pending",
    "SetForeground",
    "SetGroup",
    "StartSession",
    "Table",
    "TakeTerminal",
    "Unblock",
    "Wait",
    "apply",
]
