"""Signals: their names and numbers, and what each does to a process that made no arrangement for it (signal(7)).

People write names ("SIGTERM", "SIGRTMIN+3"), the kernel numbers and masks, in which bit 0 is signal 1.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
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

# "The signals SIGKILL and SIGSTOP cannot be caught, blocked, or ignored." (signal(7))
UNTOUCHABLE: Final = frozenset({"SIGKILL", "SIGSTOP"})


def with_default(*actions: DefaultAction) -> frozenset[str]:
    """The names of the signals that have one of these default actions; real-time signals, which terminate, aside."""
    return frozenset(name for action in actions for name in _STANDARD[action].split())


STOPPING: Final = with_default(DefaultAction.STOP)
DROPPED_BY_DEFAULT: Final = with_default(DefaultAction.IGNORE)


def default_action(name: str) -> DefaultAction:
    """What happens to a process that neither catches nor ignores the signal `name`.

    "The default action for an unhandled real-time signal is to terminate the receiving process." (signal(7)) Raises
    ValueError if there is no such signal.
    """
    if name in _ACTIONS:
        return _ACTIONS[name]
    signal_number(name)
    return DefaultAction.TERMINATE


@cache
def signal_number(name: str) -> int:
    """The signal's number on this kind of machine; real-time signals are SIGRTMIN+3, SIGRTMAX-1.

    Raises ValueError if there is no such signal.
    """
    base, sign, offset = name.partition("+") if "+" in name else name.partition("-")
    if base in signal.Signals.__members__ and (
        not sign or (is_realtime(base) and offset.isdecimal())
    ):
        found = signal.Signals[base].value + int(f"{sign}{offset or 0}")
        if not sign or signal.SIGRTMIN <= found <= signal.SIGRTMAX:
            return found
    raise ValueError(f"no signal is called {name!r}; they are written as SIGTERM")


@cache
def signal_name(number: int) -> str:
    """The one name of a signal, aliases aside: that of Python's signal.Signals, else SIGRTMIN+3.

    libc keeps 32 and 33 for itself and has no names for them; the kernel has no names at all. They are SIG32, SIG33.
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        if signal.SIGRTMIN < number < signal.SIGRTMAX:
            return f"SIGRTMIN+{number - signal.SIGRTMIN}"
        return f"SIG{number}"


def is_realtime(name: str) -> bool:
    """Whether several instances are kept: standard signals have one bit each, real-time signals queue (signal(7))."""
    return name.startswith("SIGRT")


def bit(number: int) -> int:
    return 1 << number - 1


def mask_of(names: Iterable[str]) -> int:
    """The signals of these names as a mask."""
    mask = 0
    for name in names:
        mask |= bit(signal_number(name))
    return mask


def numbers_in(mask: int) -> list[int]:
    """The numbers of the signals in a mask, in their order."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length())
        mask ^= lowest
    return found


KILL: Final = int(signal.SIGKILL)
STOP: Final = int(signal.SIGSTOP)
CONT: Final = int(signal.SIGCONT)
CHLD: Final = int(signal.SIGCHLD)
TRAP: Final = int(signal.SIGTRAP)
SEGV: Final = int(signal.SIGSEGV)
SA_NOCLDWAIT: Final = (
    2  # among the flags of SIGCHLD: children that end become no zombies, see sigaction(2)
)
# What nobody minds who has not asked for it: it neither ends nor stops a process.
HARMLESS_MASK: Final = mask_of(with_default(DefaultAction.IGNORE, DefaultAction.CONTINUE))
STOPPING_MASK: Final = mask_of(STOPPING)
# Whose default is an end without a core file; those in real time, too.
ENDING_MASK: Final = ~mask_of(
    with_default(*(action for action in DefaultAction if action is not DefaultAction.TERMINATE))
)
# Whether a process is stopped depends on them.
JOB_CONTROL: Final = frozenset(
    map(signal_number, with_default(DefaultAction.STOP, DefaultAction.CONTINUE))
)


def deliverable_of(pending: int, blocked: int, ignored: int, caught: int) -> int:
    """Of the pending signals those that have an effect right now. All of them are masks."""
    return pending & ~blocked & ~ignored & (caught | ~HARMLESS_MASK)
