"""`ctl journal`: what services said and what happened to them, as journalctl shows it."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf
from pathlib import Path
from typing import Final

from forklab.ctl.moments import moment
from forklab.services.folder import full_name
from forklab.services.journal import Record, put_aside, read
from forklab.services.place import JOURNAL, usual_place

PRIORITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_PAUSE: Final = 0.1  # seconds between two looks whether there is more
_FORMATS: Final = ("short", "short-precise", "json", "json-pretty", "cat")


@dataclass(frozen=True)
class Filter:
    """Which records somebody wants to see."""

    units: tuple[str, ...] = ()  # patterns; none: all
    priorities: range = range(8)
    since: float = -inf
    until: float = inf
    events: bool = False  # those, too, that are for programs

    def wants(self, record: Record) -> bool:
        return (
            (bool(record.text) or self.events)
            and (not self.units or any(fnmatchcase(record.unit, unit) for unit in self.units))
            and (bool(record.event) or record.priority in self.priorities)
            and self.since <= record.time <= self.until
        )


def main(words: list[str]) -> int:
    parser = _parser()
    try:
        asked = parser.parse_args(_with_equals_signs(words))
    except SystemExit as end:  # wrong words are status 1 to journalctl, and not argparse's 2
        raise SystemExit(1 if end.code else 0) from None
    path = (asked.file or (asked.runtime or usual_place()) / JOURNAL).resolve()
    wanted = _filter(parser, asked)
    many: int | None = 10 if asked.follow else 1000 if asked.pager_end else None
    many = asked.lines if asked.lines is not None else many
    reader = Reader(path)
    try:
        records = filter(wanted.wants, reader.more())
        for record in records if many is None else deque(records, many):
            print(line(record, asked.output))
        while asked.follow:
            sys.stdout.flush()
            time.sleep(_PAUSE)
            for record in filter(wanted.wants, reader.more()):
                print(line(record, asked.output))
    except FileNotFoundError:
        print(
            f"There is no journal {path}. Without a manager: --file FILE reads the one that"
            " 'forklab services --journal FILE' has kept.",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        print(f"The journal {path} can't be read: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def _with_equals_signs(words: list[str]) -> list[str]:
    """`--since -1h` is no two options, though its second word looks like one."""
    joined = list[str]()
    for word in words:
        if joined and joined[-1] in _TAKES_A_TIME and re.match(r"-\d", word):
            option = joined.pop()
            joined.append(f"{option}={word}" if option.startswith("--") else option + word)
        else:
            joined.append(word)
    return joined


_TAKES_A_TIME: Final = ("-S", "--since", "-U", "--until")


class Reader:
    """Reads on from where it stopped. The file may be put aside meanwhile, and another one begun."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = 0  # its inode
        self._place = 0

    def more(self) -> Iterator[Record]:
        """All that has come since; one that is not whole is a record that says so. Raises OSError."""
        file = self._path.stat().st_ino
        if file != self._file:
            older = put_aside(self._path)
            if older.exists():
                if older.stat().st_ino != self._file:
                    self._place = 0
                yield from self._rest_of(older)
            self._file, self._place = file, 0
        yield from self._rest_of(self._path)

    def _rest_of(self, path: Path) -> Iterator[Record]:
        for record, behind in read(path, self._place):
            self._place = behind
            yield record or _damaged(path)


def _damaged(file: Path) -> Record:
    return Record(time.time(), "", f"{file}: here a record is damaged", priority=4)


def line(record: Record, form: str = "short") -> str:
    match form:
        case "json":
            return json.dumps(_fields(record), ensure_ascii=False)
        case "json-pretty":
            return json.dumps(_fields(record), ensure_ascii=False, indent="\t")
        case "cat":
            return printable(record.text)
        case _:
            return short(record, precise=form == "short-precise")


def short(record: Record, *, precise: bool = False) -> str:
    """`Nov 30 12:00:00 web.service[4711]: listening`."""
    at = time.strftime("%b %d %H:%M:%S", time.localtime(record.time))
    if precise:
        at += f"{record.time % 1:.6f}"[1:]
    pid = f"[{record.pid}]" if record.pid else ""
    text = printable(record.text) if record.text else _words_of(record)
    return f"{at} {record.unit or 'manager'}{pid}: {text}"


def printable(text: str) -> str:
    """What would move the cursor or worse is not shown: a service shall not write on somebody's terminal."""
    if text.replace("\t", " ").isprintable():
        return text
    return f"[{len(text.encode(errors='surrogateescape'))}B blob data]"


def _words_of(record: Record) -> str:
    rest = {key: value for key, value in record.event.items() if key != "is"}
    return f"* {record.event.get('is')} {json.dumps(rest)}"


def _fields(record: Record) -> dict[str, object]:
    """In the words of systemd.journal-fields(7), where all values are strings."""
    fields: dict[str, object] = {
        "__REALTIME_TIMESTAMP": str(round(record.time * 1e6)),
        "_SYSTEMD_UNIT" if record.pid else "UNIT": record.unit,  # its own line; what is said of it
        "PRIORITY": str(record.priority),
        "MESSAGE": record.text,
    }
    if record.pid:
        fields["_PID"] = str(record.pid)
    if record.event:
        fields["EVENT"] = record.event
    return fields


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ctl journal",
        description="Shows what services said and what happened to them, in the words of journalctl.",
    )
    parser.add_argument("-u", "--unit", metavar="UNIT", action="append", default=[])
    parser.add_argument("-n", "--lines", metavar="N", type=int, help="only the last N")
    parser.add_argument("-e", "--pager-end", action="store_true", help="only the last 1000")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more comes")
    parser.add_argument(
        "-p", "--priority", metavar="P", help="this and what is more urgent: err, 4, err..info"
    )
    parser.add_argument("-S", "--since", metavar="TIME", help="'10:30', '5 min ago', 'today' ...")
    parser.add_argument("-U", "--until", metavar="TIME")
    parser.add_argument("-o", "--output", choices=_FORMATS, default="short")
    parser.add_argument("--events", action="store_true", help="also those that are for programs")
    parser.add_argument("--file", metavar="FILE", type=Path, help="a journal that was kept")
    parser.add_argument("--runtime", metavar="DIR", type=Path, help="where the manager is")
    parser.add_argument("-q", "--quiet", action="store_true", help="as ever: lines alone")
    parser.add_argument("--no-pager", action="store_true", help="as ever: there is none")
    return parser


def _filter(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> Filter:
    now = time.time()
    try:
        since = moment(asked.since, now) if asked.since else -inf
        until = moment(asked.until, now) if asked.until else inf
        priorities = _priorities(asked.priority) if asked.priority else range(8)
    except ValueError as error:
        parser.error(str(error))
    units = tuple(unit if re.search(r"[*?\[]", unit) else full_name(unit) for unit in asked.unit)
    return Filter(units, priorities, since, until, asked.events)


def _priorities(text: str) -> range:
    """`err` and `3` are all from 0 to 3; `err..info`, 3 to 6."""
    first, dots, last = text.partition("..")
    bounds = [_priority(first), _priority(last)] if dots else [0, _priority(first)]
    return range(min(bounds), max(bounds) + 1)


def _priority(word: str) -> int:
    if word in PRIORITIES:
        return PRIORITIES.index(word)
    if word.isdecimal() and int(word) < len(PRIORITIES):
        return int(word)
    raise ValueError(f"'{word}' is none of {', '.join(PRIORITIES)}, or 0 to 7")
