"""A unit: all that its files say, in types (systemd.unit(5), systemd.service(5), systemd.kill(5), systemd.exec(5))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from forklab.services.values import NO_ENDS, Ends


class Load(StrEnum):
    """Whether there is a unit to start."""

    LOADED = "loaded"
    NOT_FOUND = "not-found"
    BAD_SETTING = "bad-setting"
    ERROR = "error"  # its file cannot be read
    MASKED = "masked"


class Relation(StrEnum):
    """What a unit says of others: whom it needs, and in which order."""

    REQUIRES = "Requires"
    WANTS = "Wants"
    BINDS_TO = "BindsTo"
    PART_OF = "PartOf"
    CONFLICTS = "Conflicts"
    AFTER = "After"
    BEFORE = "Before"
    ON_FAILURE = "OnFailure"


@dataclass(frozen=True)
class Condition:
    """A question about a path, asked when the unit is about to start."""

    test: str  # PathExists, FileNotEmpty ...
    path: str
    negated: bool = False  # a leading !
    triggering: bool = False  # a leading |: of these, one is enough
    asserted: bool = False  # unmet, it is a failure, and said to be one

    def __str__(self) -> str:
        key = ("Assert" if self.asserted else "Condition") + self.test
        return f"{key}={'|' * self.triggering}{'!' * self.negated}{self.path}"


@dataclass(frozen=True)
class Command:
    """A command line: specifiers are replaced in it, variables not yet."""

    path: str
    arguments: tuple[str, ...]  # from argument 0 on
    may_fail: bool = False  # -
    as_root: bool = False  # + and !
    verbatim: bool = False  # : takes $V as it is written


@dataclass(frozen=True)
class Service:
    """The section [Service]. Times in seconds."""

    type: str = "simple"
    commands: Mapping[str, tuple[Command, ...]] = field(default_factory=dict)  # by their key
    pid_file: str = ""
    remain_after_exit: bool = False
    notify_access: str = "none"  # or what Type= makes of it
    restart: str = "no"
    restart_sec: float = 0.1
    success: Ends = NO_ENDS
    prevent: Ends = NO_ENDS
    start_timeout: float = 90.0
    stop_timeout: float = 90.0
    watchdog: float = inf
    kill_mode: str = "control-group"
    kill_signal: int = 15
    send_sigkill: bool = True
    user: str = ""
    group: str = ""
    working_directory: str = ""  # a leading - : or where we are; "~": the user's home
    environment: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()  # a leading - : or not
    stdout: str = "journal"
    stderr: str = "inherit"


@dataclass(frozen=True)
class Unit:
    """All that is known of a unit before it is started."""

    name: str
    load: Load = Load.LOADED
    description: str = ""
    documentation: tuple[str, ...] = ()
    relations: Mapping[Relation, frozenset[str]] = field(default_factory=dict)
    written: Mapping[tuple[Relation, str], str] = field(default_factory=dict)  # where, as FILE:LINE
    default_dependencies: bool = True
    conditions: tuple[Condition, ...] = ()
    start_limit: tuple[int, float] = (5, 10.0)  # so many starts in so many seconds
    service: Service | None = None
    wanted_by: tuple[str, ...] = ()
    required_by: tuple[str, ...] = ()
    alias: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    default_instance: str = ""
    files: tuple[str, ...] = ()  # that it was read from: the unit's, then its drop-ins
    changed: tuple[int, ...] = ()  # when each of those was, last before it was read: nanoseconds
    aliases: tuple[str, ...] = ()

    def __getitem__(self, relation: Relation) -> frozenset[str]:
        return self.relations.get(relation, frozenset())
