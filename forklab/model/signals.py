"""What a signal does to a process that made no arrangement for it: the table of signal(7).

Pure data and three questions about it. Signals are names ("SIGTERM") everywhere but in wait statuses.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final


class DefaultAction(StrEnum):
    """The default actions of signal(7), "Signal dispositions"."""

    TERMINATE = "Term"
    CORE = "Core"  # terminates too; whether a core file is written is nobody's business here
    IGNORE = "Ign"
    STOP = "Stop"
    CONTINUE = "Cont"


_STANDARD: Mapping[DefaultAction, str] = {
    DefaultAction.TERMINATE: (
        "SIGHUP SIGINT SIGKILL SIGPIPE SIGALRM SIGTERM SIGUSR1 SIGUSR2 SIGPOLL SIGIO SIGPROF"
        " SIGVTALRM SIGSTKFLT SIGPWR"
    ),
    DefaultAction.CORE: (
        "SIGQUIT SIGILL SIGABRT SIGFPE SIGSEGV SIGBUS SIGSYS SIGTRAP SIGXCPU SIGXFSZ SIGIOT"
    ),
    DefaultAction.IGNORE: "SIGCHLD SIGCLD SIGURG SIGWINCH",
    DefaultAction.STOP: "SIGSTOP SIGTSTP SIGTTIN SIGTTOU",
    DefaultAction.CONTINUE: "SIGCONT",
}

_ACTIONS: Final[Mapping[str, DefaultAction]] = {
    name: action for action, names in _STANDARD.items() for name in names.split()
}

STOPPING: Final = frozenset(_STANDARD[DefaultAction.STOP].split())

# "The signals SIGKILL and SIGSTOP cannot be caught, blocked, or ignored." (signal(7))
UNTOUCHABLE: Final = frozenset({"SIGKILL", "SIGSTOP"})


def default_action(name: str) -> DefaultAction:
    """What happens to a process that neither catches nor ignores the signal `name`.

    "The default action for an unhandled real-time signal is to terminate the receiving process." (signal(7)) Raises
    ValueError if there is no such signal.
    """
    if name in _ACTIONS:
        return _ACTIONS[name]
    number(name)
    return DefaultAction.TERMINATE


@cache
def number(name: str) -> int:
    """The signal's number on this kind of machine; real-time signals are SIGRTMIN+3, SIGRTMAX-1.

    Raises ValueError if there is no such signal.
    """
    base, sign, offset = name.partition("+") if "+" in name else name.partition("-")
    if base in signal.Signals.__members__ and (
        not sign or (is_realtime(base) and offset.isdigit())
    ):
        found = signal.Signals[base].value + int(f"{sign}{offset or 0}")
        if not sign or signal.SIGRTMIN <= found <= signal.SIGRTMAX:
            return found
    raise ValueError(f"no signal is called {name!r}; they are written as SIGTERM")


def name_of(number: int) -> str:
    """The one name of the signal with this number: the reverse of `number`, aliases aside."""
    if signal.SIGRTMIN < number < signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    return signal.Signals(number).name


def is_realtime(name: str) -> bool:
    """Whether several instances are kept: standard signals have one bit each, real-time signals queue (signal(7))."""
    return name.startswith("SIGRT")
