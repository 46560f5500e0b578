"""The names of signals as scripts write them: SIGTERM, SIGRTMIN+3."""

from __future__ import annotations

import re
import signal
from difflib import get_close_matches

_REAL_TIME = re.compile(r"SIG(RTMIN\+|RTMAX-)([0-9]{1,2})")

# "The signals SIGKILL and SIGSTOP cannot be caught, blocked, or ignored." (signal(7))
UNTOUCHABLE = frozenset({"SIGKILL", "SIGSTOP"})
# What these do by default, in the table of signal(7): nothing, stop, continue. They kill nobody.
DROPPED_BY_DEFAULT = frozenset({"SIGCHLD", "SIGURG", "SIGWINCH"})
HARMLESS = DROPPED_BY_DEFAULT | {"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT"}


def signal_number(name: str) -> int:
    """The number of the signal `name` on this machine. Raises ValueError if there is none."""
    if match := _REAL_TIME.fullmatch(name):
        offset = int(match[2])
        number = signal.SIGRTMIN + offset if match[1] == "RTMIN+" else signal.SIGRTMAX - offset
        if signal.SIGRTMIN <= number <= signal.SIGRTMAX:
            return int(number)
    elif name in signal.Signals.__members__:
        return int(signal.Signals[name])
    raise ValueError(f"no signal is called {name!r}")


def signal_name(number: int) -> str:
    """The one name of a signal. Raises ValueError if there is no such number.

    Of several names (SIGPOLL is SIGIO, SIGRTMIN+30 is SIGRTMAX) it is the one of Python's signal.Signals.
    """
    if signal.SIGRTMIN < number < signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    return signal.Signals(number).name


def nearest_signal(word: str) -> str | None:
    """The signal that somebody meant who wrote `word` ("TERM", "sigterm", "15", "SIGTREM"); None if nothing is near."""
    if re.fullmatch("[0-9]{1,2}", word):
        try:
            return signal_name(int(word))
        except ValueError:
            return None
    capitals = word.upper()
    for name in (capitals, f"SIG{capitals}"):
        try:
            return signal_name(signal_number(name))
        except ValueError:
            continue
    near = get_close_matches(capitals, signal.Signals.__members__, n=1, cutoff=0.7)
    near = near or get_close_matches(f"SIG{capitals}", signal.Signals.__members__, n=1, cutoff=0.85)
    return signal_name(signal.Signals[near[0]]) if near else None
