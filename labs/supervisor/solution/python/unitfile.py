"""Reads unit files. This part is given: what is left for you are processes.

Times are in seconds, and `math.inf` for "never". Units are called without their suffix.
"""

import math
import os
import sys
from dataclasses import dataclass, field


@dataclass(eq=False)
class UnitFile:
    name: str  # web, of web.service
    requires: list = field(default_factory=list)
    wants: list = field(default_factory=list)
    after: list = field(default_factory=list)
    before: list = field(default_factory=list)
    at_boot: bool = False  # WantedBy= says something
    type: str = "simple"  # or "oneshot", "notify"
    command: list = field(default_factory=list)  # ExecStart=
    remain_after_exit: bool = False
    restart: str = "no"  # or "on-failure", "always"
    restart_sec: float = 0.1
    timeout_start: float = None  # 90; of a oneshot there is none
    timeout_stop: float = 90
    start_limit_burst: int = 5  # so many starts ...
    start_limit_interval: float = 10  # ... in so many seconds; and no further one
    kill_main_only: bool = False  # KillMode=process


def read_folder(folder):
    """All NAME.service of a folder, by name. What is wrong with one is told, and it is left out."""
    unit_files = []
    for file in sorted(os.listdir(folder)):
        name, ending = os.path.splitext(file)
        if ending != ".service":
            continue
        try:
            with open(os.path.join(folder, file), encoding="utf-8") as lines:
                unit_files.append(_read(name, lines))
        except (OSError, ValueError) as error:
            print(f"supervisor: {file}: {error}", file=sys.stderr, flush=True)
    return unit_files


def _read(name, lines):
    unit = UnitFile(name)
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line[0] in "#;[":  # sections are for people here: no key is in two of them
            continue
        key, equals, value = line.partition("=")
        try:
            if not equals:
                raise ValueError("a = is missing")
            _take(unit, key, value.strip())
        except ValueError as error:
            raise ValueError(f"line {number}: {line}: {error}") from None
    if not unit.command:
        raise ValueError("it has no ExecStart=")
    if unit.timeout_start is None:
        unit.timeout_start = math.inf if unit.type == "oneshot" else 90
    return unit


def _take(unit, key, value):
    match key:
        case "Requires" | "Wants" | "After" | "Before":
            names = (name.removesuffix(".service") for name in value.split())
            getattr(unit, key.lower()).extend(names)
        case "ExecStart":
            unit.command = value.split()
        case "WantedBy":
            unit.at_boot = True
        case "RestartSec":
            unit.restart_sec = _time(value)
        case "TimeoutStartSec":
            unit.timeout_start = _time(value)
        case "TimeoutStopSec":
            unit.timeout_stop = _time(value)
        case "StartLimitIntervalSec":
            unit.start_limit_interval = _time(value)
        case "StartLimitBurst":
            unit.start_limit_burst = int(value)
        case "Type":
            unit.type = _one_of(value, "simple", "oneshot", "notify")
        case "Restart":
            unit.restart = _one_of(value, "no", "on-failure", "always")
        case "KillMode":
            unit.kill_main_only = _one_of(value, "control-group", "process") == "process"
        case "RemainAfterExit":
            unit.remain_after_exit = _one_of(value, "no", "yes") == "yes"
        case "Description":
            pass  # words for people
        case _:
            raise ValueError("not understood")


def _time(text):
    """5, 5s, 500ms, 2min, infinity"""
    for unit, seconds in (("ms", 0.001), ("min", 60), ("s", 1), ("", 1)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * seconds
    raise ValueError("a time is missing: 5s, 500ms, infinity")


def _one_of(value, *choices):
    if value not in choices:
        raise ValueError("no such choice")
    return value
