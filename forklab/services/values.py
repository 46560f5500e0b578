"""What a value says: yes or no, a span of time, a signal, ends. Raises ValueError with words for the author."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from math import inf
from typing import Final

from forklab.services.words import split

_YES = frozenset({"1", "yes", "y", "true", "t", "on"})
_NO = frozenset({"0", "no", "n", "false", "f", "off"})

# systemd.time(7). A month is 30.44 days and a year 365.25, as there.
_UNITS = {
    unit: seconds
    for units, seconds in {
        "usec us μs µs": 1e-6,
        "msec ms": 1e-3,
        "seconds second sec s": 1.0,
        "minutes minute min m": 60.0,
        "hours hour hr h": 3600.0,
        "days day d": 86400.0,
        "weeks week w": 7 * 86400.0,
        "months month M": 30.44 * 86400.0,
        "years year y": 365.25 * 86400.0,
    }.items()
    for unit in units.split()
}
_SPAN = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zμµ]*)\s*")


def boolean(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(f"'{text}' is neither yes nor no")


def span(text: str) -> float:
    """Seconds; `infinity` is for ever. A bare number counts seconds: "1min 30s", "1.5", "200us"."""
    if text.strip() == "infinity":
        return inf
    seconds, at = 0.0, 0
    while match := _SPAN.match(text, at):
        if match[2] and match[2] not in _UNITS:
            raise ValueError(f"'{match[2]}' is no unit of time: us, ms, s, min, h, d, w")
        seconds += float(match[1]) * _UNITS.get(match[2], 1.0)
        at = match.end()
    if at < len(text) or not text:
        raise ValueError(f"'{text}' is no span of time, as 90 or 1min 30s")
    return seconds


def limit(text: str) -> float:
    """A span in which nothing, as in the days before `infinity`, means: no limit."""
    return span(text) or inf


def signal_number(text: str) -> int:
    """A signal by number or name, with or without SIG."""
    if text.isdigit() and 0 < int(text) < signal.NSIG:
        return int(text)
    try:
        return int(signal.Signals["SIG" + text.removeprefix("SIG")])
    except KeyError:
        raise ValueError(f"'{text}' is no signal") from None


@dataclass(frozen=True)
class Ends:
    """Ways to end: exit statuses and signals."""

    statuses: frozenset[int] = frozenset()
    signals: frozenset[int] = frozenset()

    def __or__(self, other: Ends) -> Ends:
        return Ends(self.statuses | other.statuses, self.signals | other.signals)

    def __contains__(self, wait_status: int) -> bool:
        code = os_exit(wait_status)
        return code in self.statuses if code >= 0 else -code in self.signals


NO_ENDS: Final = Ends()


def os_exit(wait_status: int) -> int:
    """The exit status, or minus the number of the signal, as waitstatus_to_exitcode of the module os."""
    return wait_status >> 8 if wait_status & 0x7F == 0 else -(wait_status & 0x7F)


# The words that sysexits.h and LSB have for exit statuses (systemd.exec(5), "Process Exit Codes").
_NAMED = {
    "SUCCESS": 0,
    "FAILURE": 1,
    "INVALIDARGUMENT": 2,
    "NOTIMPLEMENTED": 3,
    "NOPERMISSION": 4,
    "NOTINSTALLED": 5,
    "NOTCONFIGURED": 6,
    "NOTRUNNING": 7,
    "USAGE": 64,
    "DATAERR": 65,
    "NOINPUT": 66,
    "NOUSER": 67,
    "NOHOST": 68,
    "UNAVAILABLE": 69,
    "SOFTWARE": 70,
    "OSERR": 71,
    "OSFILE": 72,
    "CANTCREAT": 73,
    "IOERR": 74,
    "TEMPFAIL": 75,
    "PROTOCOL": 76,
    "NOPERM": 77,
    "CONFIG": 78,
}

# systemd's own, for what goes wrong between the fork and the program.
NAMES_OF_STATUSES: Final = {
    **{status: name for name, status in _NAMED.items()},
    200: "CHDIR",
    203: "EXEC",
    216: "GROUP",
    217: "USER",
}


def ends(text: str) -> Ends:
    """Exit statuses and signals, with blanks between: "1 TEMPFAIL SIGKILL"."""
    found = NO_ENDS
    for word in split(text):
        if word.isdigit() and int(word) < 256:
            found |= Ends(statuses=frozenset({int(word)}))
        elif word in _NAMED:
            found |= Ends(statuses=frozenset({_NAMED[word]}))
        else:
            found |= Ends(signals=frozenset({signal_number(word)}))
    return found
