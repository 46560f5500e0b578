"""What a unit's files say, as `systemctl show` prints it: its names of properties, and its forms of values.

A key that counts seconds is named by microseconds there (RestartSec= is RestartUSec) and printed as a span, a
boolean is yes or no, a list is words with blanks between. What systemd has no property for is not here.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping
from math import inf
from typing import Final, TypeAlias

from forklab.services.keys import COMMANDS
from forklab.services.unit import Command, Load, Relation, Service, Unit
from forklab.services.values import Ends

Value: TypeAlias = str | int | list[str]  # a list: a line each

# What a shell would not take for one word as it stands; so it is quoted.
_SPECIAL: Final = re.compile(r"[\s\"'\\$`*?\[\]()<>|&;!#~]")
_SCALES: Final = (
    ("y", 31_557_600_000_000),
    ("month", 2_629_800_000_000),
    ("w", 604_800_000_000),
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
)


def properties(unit: Unit) -> Mapping[str, Value]:
    """In systemctl's order."""
    of_a_service = _service(unit.service) if unit.service else {}
    burst, interval = unit.start_limit
    return {
        **of_a_service,
        **{str(each): " ".join(sorted(unit[each])) for each in Relation},
        "Documentation": _words(unit.documentation),
        "Description": unit.description or unit.name,
        "Names": " ".join([unit.name, *unit.aliases]),
        "LoadState": unit.load,
        "FragmentPath": "" if unit.load is Load.NOT_FOUND else next(iter(unit.files), ""),
        "DropInPaths": " ".join(unit.files[1:]),
        "CanReload": _boolean(bool(unit.service and unit.service.commands.get("ExecReload"))),
        "DefaultDependencies": _boolean(unit.default_dependencies),
        "StartLimitIntervalUSec": span(interval),
        "StartLimitBurst": burst,
    }


def _service(service: Service) -> Mapping[str, Value]:
    return {
        "Type": service.type,
        "Restart": service.restart,
        "PIDFile": service.pid_file,
        "NotifyAccess": service.notify_access,
        "RestartUSec": span(service.restart_sec),
        "TimeoutStartUSec": span(service.start_timeout),
        "TimeoutStopUSec": span(service.stop_timeout),
        "WatchdogUSec": span(service.watchdog),
        "RemainAfterExit": _boolean(service.remain_after_exit),
        "RestartPreventExitStatus": _ends(service.prevent),
        "SuccessExitStatus": _ends(service.success),
        **{key: [_command(each) for each in service.commands.get(key, ())] for key in COMMANDS},
        "Environment": _words(service.environment),
        "EnvironmentFiles": [
            f"{path.removeprefix('-')} (ignore_errors={_boolean(path.startswith('-'))})"
            for path in service.environment_files
        ],
        "WorkingDirectory": re.sub("^-", "!", service.working_directory),
        "StandardOutput": service.stdout.partition(":")[0],
        "StandardError": service.stderr.partition(":")[0],
        "User": service.user,
        "Group": service.group,
        "KillMode": service.kill_mode,
        "KillSignal": service.kill_signal,
        "SendSIGKILL": _boolean(service.send_sigkill),
    }


def span(seconds: float) -> str:
    """`1min 30s`, `1.500000s`: below a minute the rest is a fraction (systemd's format_timespan)."""
    if seconds == inf:
        return "infinity"
    left, words = round(seconds * 1e6), list[str]()
    for name, scale in _SCALES:
        whole, rest = divmod(left, scale)
        if whole and rest and left < 60_000_000:
            digits = len(str(scale)) - 1
            return " ".join([*words, f"{whole}.{rest:0{digits}}{name}"])
        if whole:
            words.append(f"{whole}{name}")
            left = rest
    return " ".join(words) or "0"


def _boolean(value: bool) -> str:
    return "yes" if value else "no"


def _words(words: Iterable[str]) -> str:
    return " ".join(
        '"' + re.sub(r'(["\\$`])', r"\\\1", word) + '"' if _SPECIAL.search(word) else word
        for word in words
    )


def _ends(ends: Ends) -> str:
    names = (signal.Signals(number).name.removeprefix("SIG") for number in sorted(ends.signals))
    return " ".join([*map(str, sorted(ends.statuses)), *names])


def _command(command: Command) -> str:
    """What systemd tells of its last run stands in the journal here."""
    words = " ".join(command.arguments)
    ignored = _boolean(command.may_fail)
    return f"{{ path={command.path} ; argv[]={words} ; ignore_errors={ignored} }}"
