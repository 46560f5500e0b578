"""What each key means: settings in, a Unit and what is wrong with them out.

Keys that do nothing here are told apart: those that confine or limit a service, which are accepted and said so; others
of systemd's that are not followed, which are named (`unfollowed`); those that begin with X-, the author's own; and
unknown ones, which are named with the nearest that is known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, TypeAlias

from forklab.services.unfollowed import ACCEPTED, NOT_FOLLOWED
from forklab.services.unit import Command, Condition, Load, Relation, Service, Unit
from forklab.services.unitfile import Problem, Setting
from forklab.services.values import (
    Ends,
    boolean,
    end,
    is_name,
    limit,
    number,
    signal_number,
    span,
    unit_name,
)
from forklab.services.words import names, specify, split, words

Meanings: TypeAlias = Mapping[str, Callable[[], str]]  # of the letters behind a per cent sign
Read: TypeAlias = Callable[[str, Meanings], Any]


_MOST_GUESSES: Final = 100  # of what was meant: more of them would take their time
_DROP_IN: Final = ".conf"  # how its name ends; a unit's own ends in what kind of unit it is


class RefusedError(ValueError):
    """A value that makes the whole unit one that cannot be started."""


class SkippedError(ValueError):
    """A command that may fail, and cannot even be read."""


class PartlyReadError(ValueError):
    """Of a list, some words are wrong, and these are right."""

    def __init__(self, right: Any, wrong: Iterable[ValueError]) -> None:
        super().__init__(", ".join(map(str, wrong)))
        self.right = right


@dataclass(frozen=True)
class _Key:
    field: str
    read: Read
    many: bool = False  # each adds to those before it; an empty one begins anew
    replaces: tuple[str, ...] = ()  # what was said of these before


def unit(name: str, settings: Iterable[Setting], meanings: Meanings) -> tuple[Unit, list[Problem]]:
    """The unit of these settings, those of drop-ins last."""
    found: dict[str, dict[str, Any]] = {section: {} for section in _KEYS}
    problems: list[Problem] = []
    load = Load.LOADED
    files: dict[str, None] = {}
    written: dict[tuple[Relation, str], str] = {}
    given_up = set[
        str
    ]()  # drop-ins: what is refused there costs the rest of the file, and not the unit
    for setting in settings:
        files[setting.file] = None
        if setting.file in given_up:
            continue
        section = "Unit" if (setting.section, setting.key) in _MOVED else setting.section
        key = _KEYS.get(section, {}).get(setting.key)
        if key is None:
            problems += _unknown(setting, guess=len(problems) < _MOST_GUESSES)
            continue
        try:
            _put(found[section], key, setting.value, meanings)
        except RefusedError as error:
            if setting.file.endswith(_DROP_IN):
                given_up.add(setting.file)
                problems.append(setting.problem(f"{error}: the rest of this file is ignored"))
            else:
                problems.append(setting.problem(f"{error}: the unit cannot be started"))
                load = Load.BAD_SETTING
        except ValueError as error:
            if isinstance(error, PartlyReadError):
                _add(found[section], key, error.right)
            problems.append(setting.problem(f"{setting.key}=: {error}; it is ignored"))
        if key.field == "kill_mode" and setting.value == "none":
            words = "is unsafe: whoever does not end by itself stays behind, and nobody knows of it"
            problems.append(setting.problem(f"KillMode=none {words}"))
        if key.field in COMMANDS and (word := _meant_for_a_shell(found[section].get(key.field))):
            words = "is an argument: no shell reads this line. /bin/sh -c '...' would"
            problems.append(setting.problem(f"{setting.key}=: '{word}' {words}"))
        if key.field in _LASTING:
            for other in chain.from_iterable(found[section].get(key.field, ())[-1:]):
                written.setdefault((Relation(key.field), other), setting.place)
    for fields in found.values():
        fields.update({field: _joined(value) for field, value in fields.items()})
    service = _service(found["Service"]) if name.endswith(".service") else None
    made = Unit(
        name,
        load,
        service=service,
        files=tuple(files),
        written=written,
        **_unit(found["Unit"]),
        **found["Install"],
    )
    if service and load is Load.LOADED and (why := _refusal(service)):
        problems.append(Problem(next(iter(files), name), 0, f"{why}: the unit cannot be started"))
        made = Unit(**{**vars(made), "load": Load.BAD_SETTING})
    return made, problems


def _put(into: dict[str, Any], key: _Key, value: str, meanings: Meanings) -> None:
    if value:
        _add(into, key, key.read(value, meanings))
    elif key.field in _LASTING:
        pass
    elif key.many or key.field in _EMPTIABLE:
        into.pop(key.field, None)
    else:
        raise ValueError("an empty value says nothing")


def _add(into: dict[str, Any], key: _Key, value: Any) -> None:
    if key.many:
        into.setdefault(key.field, []).append(value)
    else:
        for field in key.replaces:
            into.pop(field, None)
        into[key.field] = value


def _joined(value: Any) -> Any:
    """Of a key that is added to: what all its lines say together."""
    if not isinstance(value, list):
        return value
    return sum(value, Ends()) if isinstance(value[0], Ends) else tuple(chain.from_iterable(value))


def _unknown(setting: Setting, guess: bool) -> list[Problem]:
    if setting.section.startswith("X-") or setting.key.startswith("X-"):
        return []
    if setting.section in _OTHER_KINDS:
        return [setting.does_nothing()]
    if setting.section not in _KEYS:
        return [setting.problem(f"[{setting.section}] is no section of a service or a target")]
    if setting.key in ACCEPTED[setting.section]:
        return [setting.does_nothing()]
    if setting.key in NOT_FOLLOWED[setting.section]:
        return [setting.problem(f"{setting.key}= is not followed here: it is ignored")]
    near = _nearest(setting.key, _KNOWN[setting.section], 0.4) if guess else []
    elsewhere = [section for section, keys in _KNOWN.items() if setting.key in keys]
    mend = f"did you mean {near[0]}=?" if near else "it is ignored"
    if elsewhere:
        mend = f"it belongs to [{elsewhere[0]}]"
    return [setting.problem(f"{setting.key}= is no key of [{setting.section}]; {mend}")]


def _nearest(word: str, words: Iterable[str], likeness: float = 0.6) -> Sequence[str]:
    from difflib import get_close_matches  # here: whoever makes no mistake has no need of it

    return get_close_matches(word, words, 1, likeness)


# How values are read


def _text(value: str, meanings: Meanings) -> str:
    return specify(value, meanings)


def _list_of(
    read: Callable[[str], Any], none: Any = (), words: Callable[[str], Iterable[str]] = split
) -> Read:
    """Words that each say something; those that cannot be read are left out."""

    def each(value: str, meanings: Meanings) -> Any:
        right, wrong = none, list[ValueError]()
        try:
            for word in words(value):
                try:
                    right += read(specify(word, meanings))
                except ValueError as error:
                    wrong.append(error)
        except ValueError as error:  # where a word begins and ends is not known any more
            wrong.append(error)
        if wrong:
            raise PartlyReadError(right, wrong)
        return right

    return each


_texts: Final = _list_of(lambda word: (word,), words=names)
# Where quotes mean nothing.
_units: Final = _list_of(lambda word: (unit_name(word),), words=str.split)
_ends: Final = _list_of(end, Ends(), words=str.split)


def _plain(read: Callable[[str], object]) -> Read:
    return lambda value, meanings: read(value)


def _one_of(*choices: str, not_followed: tuple[str, ...] = ()) -> Read:
    def read(value: str, meanings: Meanings) -> str:
        if value in not_followed:
            raise ValueError(f"'{value}' is not followed here")
        if value not in choices:
            near = _nearest(value, choices)
            mend = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"'{value}' is none of {', '.join(choices)}{mend}")
        return value

    return read


def _path(value: str, meanings: Meanings) -> str:
    """An absolute path, or one that a leading minus makes optional."""
    path = specify(value, meanings)
    _absolute(path.removeprefix("-"))
    return path


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"'{path}' is no absolute path")
    if ".." in path.split("/"):
        raise ValueError(f"'{path}' leads up again")
    return path


def _below_run(value: str, meanings: Meanings) -> str:
    return _absolute(os.path.join("/run", specify(value, meanings)))


def _directory(value: str, meanings: Meanings) -> str:
    if value.removeprefix("-") == "~":
        return value
    try:
        return _path(value, meanings)
    except ValueError as error:
        raise (SkippedError if value.startswith("-") else RefusedError)(str(error)) from error


def _assignments(value: str) -> Iterator[str]:
    return (word for word, _ in words(value, strict=True))


def _assignment(word: str) -> tuple[str]:
    name, equals, _ = word.partition("=")
    if not equals or not is_name(name):
        raise ValueError(f"'{word}' is no NAME=VALUE")
    return (word,)


def _output(value: str, meanings: Meanings) -> str:
    form, _, path = value.partition(":")
    if value in ("inherit", "null", "journal", "syslog", "kmsg", "journal+console", "tty"):
        return value
    if form in ("file", "append", "truncate") and path.startswith("/"):
        return f"{form}:{_absolute(specify(path, meanings))}"
    raise ValueError(
        f"'{value}' is none of inherit, null, journal, file:PATH, append:PATH, truncate:PATH"
    )


def _commands(value: str, meanings: Meanings) -> tuple[Command, ...]:
    r"""One line, or several with ` ; ` between."""
    lines: list[list[str]] = [[]]
    for word, written in words(value):
        if written == ";":
            lines.append([])
        else:
            lines[-1].append(specify(word, meanings))
    return tuple(_command(line) for line in lines if line)


def _command(line: list[str]) -> Command:
    marks = _marks(line[0])
    path, arguments = line[0][len(marks) :], line[1:]
    refused = SkippedError if "-" in marks else RefusedError
    if not path.startswith("/") and (not path or "/" in path):
        raise refused(f"'{path}' is neither an absolute path nor the name of a program")
    if path.endswith("/"):
        raise refused(f"'{path}' is a folder, and no program")
    if "@" not in marks:
        arguments.insert(0, path)
    elif not arguments:
        raise refused("@ wants the name that the program gets as its argument 0")
    return Command(path, tuple(arguments), "-" in marks, "+" in marks or "!" in marks, ":" in marks)


def _meant_for_a_shell(lines: Sequence[Sequence[Command]] | None) -> str:
    """A word of the last line that says something to a shell only; nothing if there is none."""
    for command in lines[-1] if lines else ():
        if words := [each for each in command.arguments if each in _OF_SHELLS]:
            return words[0]
    return ""


def _marks(word: str) -> str:
    """What stands before the program: each once, in any order; + and ! are not for the same command."""
    marks = ""
    for letter in word:
        once = letter in "@-:" and letter not in marks
        one_of = (letter == "+" and not set(marks) & {"+", "!"}) or (
            letter == "!" and "+" not in marks and "!!" not in marks
        )
        if not once and not one_of:
            break
        marks += letter
    return marks


def _refusing(read: Read) -> Read:
    """A command line that cannot be read refuses the unit: half of what was meant is not what was meant."""

    def strict(value: str, meanings: Meanings) -> Any:
        try:
            return read(value, meanings)
        except SkippedError:
            raise
        except ValueError as error:
            raise RefusedError(str(error)) from error

    return strict


def _condition(test: str, asserted: bool, value: str, meanings: Meanings) -> tuple[Condition, ...]:
    path = value.removeprefix("|")
    triggering, negated = path != value, path.startswith("!")
    path = _absolute(specify(path.removeprefix("!"), meanings))
    return (Condition(test, path, negated, triggering, asserted),)


# The tables

_PATH_TESTS: Final = (
    "PathExists",
    "PathExistsGlob",
    "PathIsDirectory",
    "PathIsSymbolicLink",
    "PathIsMountPoint",
    "PathIsReadWrite",
    "DirectoryNotEmpty",
    "FileNotEmpty",
    "FileIsExecutable",
)

COMMANDS: Final = (
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
)

_KEYS: Final[Mapping[str, Mapping[str, _Key]]] = {
    "Unit": {
        "Description": _Key("description", _text),
        "Documentation": _Key("documentation", _texts, many=True),
        "DefaultDependencies": _Key("default_dependencies", _plain(boolean)),
        "StartLimitBurst": _Key("burst", _plain(number)),
        "StartLimitIntervalSec": _Key("interval", _plain(span)),
        "StartLimitInterval": _Key("interval", _plain(span)),
        **{str(relation): _Key(relation, _units, many=True) for relation in Relation},
        **{
            word + test: _Key("conditions", partial(_condition, test, word == "Assert"), many=True)
            for word in ("Condition", "Assert")
            for test in _PATH_TESTS
        },
    },
    "Service": {
        "Type": _Key(
            "type",
            _one_of(
                *("simple", "exec", "forking", "oneshot", "notify", "idle"),
                not_followed=("dbus", "notify-reload"),
            ),
        ),
        "PIDFile": _Key("pid_file", _below_run),
        "RemainAfterExit": _Key("remain_after_exit", _plain(boolean)),
        "NotifyAccess": _Key("notify_access", _one_of("none", "main", "exec", "all")),
        "Restart": _Key(
            "restart",
            _one_of(
                "no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"
            ),
        ),
        "RestartSec": _Key("restart_sec", _plain(span)),
        "SuccessExitStatus": _Key("success", _ends, many=True),
        "RestartPreventExitStatus": _Key("prevent", _ends, many=True),
        "TimeoutStartSec": _Key("start_timeout", _plain(limit)),
        "TimeoutStopSec": _Key("stop_timeout", _plain(limit)),
        "TimeoutSec": _Key("timeout", _plain(limit), replaces=("start_timeout", "stop_timeout")),
        "WatchdogSec": _Key("watchdog", _plain(limit)),
        "KillMode": _Key("kill_mode", _one_of("control-group", "mixed", "process", "none")),
        "KillSignal": _Key("kill_signal", _plain(signal_number)),
        "SendSIGKILL": _Key("send_sigkill", _plain(boolean)),
        "User": _Key("user", _text),
        "Group": _Key("group", _text),
        "WorkingDirectory": _Key("working_directory", _directory),
        "Environment": _Key("environment", _list_of(_assignment, words=_assignments), many=True),
        "EnvironmentFile": _Key(
            "environment_files", lambda value, m: (_path(value, m),), many=True
        ),
        "StandardOutput": _Key("stdout", _output),
        "StandardError": _Key("stderr", _output),
        **{key: _Key(key, _refusing(_commands), many=True) for key in COMMANDS},
    },
    "Install": {
        "WantedBy": _Key("wanted_by", _texts, many=True),
        "RequiredBy": _Key("required_by", _texts, many=True),
        "Alias": _Key("alias", _texts, many=True),
        "Also": _Key("also", _texts, many=True),
        "DefaultInstance": _Key("default_instance", _text),
    },
}

_OF_SHELLS: Final = frozenset(
    {">", ">>", "<", "|", "||", "&&", "&", "2>&1", "2>/dev/null", ">/dev/null"}
)

# An empty value takes back what was said before.
_EMPTIABLE: Final = frozenset(
    {"description", "pid_file", "user", "group", "working_directory", "default_instance"}
)

# What a unit says of others cannot be taken back (systemd.unit(5)).
_LASTING: Final = frozenset(map(str, Relation))

# Until systemd 230 their place was [Service]; they are still read there.
_MOVED: Final = frozenset({("Service", "StartLimitBurst"), ("Service", "StartLimitInterval")})

# Those that somebody may have meant.
_KNOWN: Final[Mapping[str, Mapping[str, None]]] = {
    section: dict.fromkeys([*keys, *sorted(ACCEPTED[section])]) for section, keys in _KEYS.items()
}
# Sections of units of other kinds: those are names that others may need or wait for, as targets are.
_OTHER_KINDS: Final = frozenset({"Socket", "Timer", "Path", "Mount", "Automount", "Swap", "Slice"})


def _unit(found: dict[str, Any]) -> dict[str, Any]:
    relations = {
        relation: frozenset(found.pop(relation)) for relation in Relation if relation in found
    }
    found["start_limit"] = (found.pop("burst", 5), found.pop("interval", 10.0))
    return {**found, "relations": relations}


def _service(found: dict[str, Any]) -> Service:
    commands = {key: found.pop(key) for key in COMMANDS if found.get(key)}
    for limited in ("start_timeout", "stop_timeout"):
        if "timeout" in found:
            found.setdefault(limited, found["timeout"])
    found.pop("timeout", None)
    found.setdefault("type", "simple" if "ExecStart" in commands else "oneshot")
    if found["type"] == "oneshot":
        found.setdefault("start_timeout", float("inf"))
    if found.get("notify_access", "none") == "none":
        speaks = found["type"] == "notify" or "watchdog" in found
        found["notify_access"] = "main" if speaks else "none"
    return Service(commands=commands, **found)


def _refusal(service: Service) -> str:
    """Why this service could not be what it says (systemd.service(5))."""
    starts = service.commands.get("ExecStart", ())
    if not starts and not service.remain_after_exit:
        return "it has no ExecStart=, and no RemainAfterExit=yes"
    if not starts and "ExecStop" not in service.commands:
        return "it has neither ExecStart= nor ExecStop="
    if len(starts) > 1 and service.type != "oneshot":
        return "more than one ExecStart= is for Type=oneshot only"
    if not starts and service.type != "oneshot":
        return "without ExecStart= it has to be Type=oneshot"
    if service.type == "oneshot" and service.restart in ("always", "on-success"):
        return f"Type=oneshot cannot have Restart={service.restart}: it would never be done"
    return ""
