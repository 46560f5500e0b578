"""What a value says: yes or no, a span of time, a signal, ends. Raises ValueError with words for the author."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

from forklab.kernel import signals

_YES = frozenset({"1", "yes", "y", "true", "t", "on"})
_NO = frozenset({"0", "no", "n", "false", "f", "off"})

# systemd.time(7). A year is 365.25 days, and a month a twelfth of it.
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
        "months month M": 365.25 * 86400.0 / 12,
        "years year y": 365.25 * 86400.0,
    }.items()
    for unit in units.split()
}
# What the names of units end in (systemd.unit(5)).
KINDS: Final = (
    *(".service", ".target", ".socket", ".timer", ".path", ".mount", ".automount", ".swap"),
    *(".slice", ".scope", ".device"),
)
_UNIT_NAME = re.compile(r"[\w:.\\-][\w:.@\\-]{0,254}", re.ASCII)
# Two numbers do not stand side by side: "1.5.5".
_SPAN = re.compile(r"((?>\d+(?:\.\d*)?|\.\d+))(?!\.)\s*([A-Za-zμµ]*)\s*")


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


def number(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise ValueError(f"'{text}' is no number")


def is_name(text: str) -> bool:
    """Whether an environment variable may be called so."""
    return text.isascii() and text.isidentifier()


def unit_name(text: str) -> str:
    """The name of a unit, with the kind that it ends in."""
    if text[:1] in "\"'":
        raise ValueError(f"{text} is no name of a unit: quotes do not belong here")
    if not _UNIT_NAME.fullmatch(text):
        raise ValueError(f"'{text}' is no name of a unit: it has letters, digits and :-_.\\@ only")
    if not text.endswith(KINDS):
        raise ValueError(f"'{text}' is no name of a unit: did you mean {text}.service?")
    return text


def signal_number(text: str) -> int:
    """A signal by number or name, with or without SIG."""
    if text.isdigit() and 0 < int(text) < signal.NSIG:
        return int(text)
    try:
        return signals.signal_number("SIG" + text.removeprefix("SIG"))
    except ValueError:
        raise ValueError(f"'{text}' is no signal") from None


@dataclass(frozen=True)
class Ends:
    """Ways to end: exit statuses and signals."""

    statuses: frozenset[int] = frozenset()
    signals: frozenset[int] = frozenset()

    def __add__(self, other: Ends) -> Ends:
        return Ends(self.statuses | other.statuses, self.signals | other.signals)

    def __contains__(self, wait_status: int) -> bool:
        code = os_exit(wait_status)
        return code in self.statuses if code >= 0 else -code in self.signals


NO_ENDS: Final = Ends()


def os_exit(wait_status: int) -> int:
    """The exit status, or minus the number of the signal, as waitstatus_to_exitcode of the module os."""
    return wait_status >> 8 if wait_status & 0x7F == 0 else -(wait_status & 0x7F)


# The words for exit statuses: LSB's, those of sysexits.h, and systemd's own for what goes wrong between the fork and
# the program (systemd.exec(5), "Process Exit Codes").
_NAMES = """
    0 SUCCESS FAILURE INVALIDARGUMENT NOTIMPLEMENTED NOPERMISSION NOTINSTALLED NOTCONFIGURED NOTRUNNING
    64 USAGE DATAERR NOINPUT NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE CANTCREAT IOERR TEMPFAIL PROTOCOL NOPERM
    CONFIG
    200 CHDIR NICE FDS EXEC MEMORY LIMITS OOM_ADJUST SIGNAL_MASK STDIN STDOUT CHROOT IOPRIO TIMERSLACK SECUREBITS
    SETSCHEDULER CPUAFFINITY GROUP USER CAPABILITIES CGROUP SETSID CONFIRM STDERR
    224 PAM NETWORK NAMESPACE NO_NEW_PRIVILEGES SECCOMP SELINUX_CONTEXT PERSONALITY APPARMOR_PROFILE ADDRESS_FAMILIES
    RUNTIME_DIRECTORY 235 CHOWN SMACK KEYRING STATE_DIRECTORY CACHE_DIRECTORY LOGS_DIRECTORY
    CONFIGURATION_DIRECTORY NUMA_POLICY CREDENTIALS 245 BPF 255 EXCEPTION
"""


def _names_of_statuses() -> Iterator[tuple[int, str]]:
    status = 0
    for word in _NAMES.split():
        if word.isdigit():
            status = int(word)
        else:
            yield status, word
            status += 1


NAMES_OF_STATUSES: Final = dict(_names_of_statuses())
_STATUSES: Final = {name: status for status, name in NAMES_OF_STATUSES.items()}


def end(word: str) -> Ends:
    """An exit status or a signal: 1, TEMPFAIL, SIGKILL."""
    if word.isdigit() and int(word) < 256:
        return Ends(statuses=frozenset({int(word)}))
    if word in _STATUSES:
        return Ends(statuses=frozenset({_STATUSES[word]}))
    return Ends(signals=frozenset({signal_number(word)}))
