"""The journal: what every service wrote and everything that happened to it, a line a record.

    3f29a1c0 {"time": 1732968000.125, "unit": "web.service", "text": "listening", "pid": 4711, "priority": 6}

The checksum in front (CRC-32 of the rest of the line) tells a whole record from one that a crash or a full disk has
cut off. Records are only ever added, by write(2) to a file opened with O_APPEND, so that whoever reads meanwhile sees
whole ones; those of one turn of the manager's loop at once, before it waits or answers. What could not be written is
counted, and said as soon as there is room. A file that has become long is put aside, in the place of the one that was
put aside before.

Most records are a text. Others tell programs what happened and what was done about it: those have an `event`, a
mapping whose "is" says what. They make it possible to tell the story once more (`story`).
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import Any, Final
from zlib import crc32

ERROR: Final = 3
WARNING: Final = 4
NOTICE: Final = 5
INFORMATION: Final = 6
DEBUG: Final = 7
_LONGEST_FILE: Final = 64 << 20
_LATEST: Final = 4 << 20
_MOST_WAITING: Final = 1 << 18  # bytes, before they are written


@dataclass(frozen=True)
class Record:
    """One line. `pid` 0: the manager itself says it, of the unit. Priorities are those of syslog(3), 0 to 7."""

    time: float  # seconds since the epoch
    unit: str
    text: str
    pid: int = 0
    priority: int = INFORMATION
    event: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> bytes:
        # By hand, as there are tens of thousands in a second: json.dumps() takes three times as long.
        form = f'"time": {self.time!r}, "unit": {quoted(self.unit)}, "text": {quoted(self.text)}'
        form += f', "pid": {self.pid}, "priority": {self.priority}'
        if self.event:
            form += f', "event": {json.dumps(self.event, ensure_ascii=False)}'
        text = f"{{{form}}}".encode(errors="surrogateescape")
        return b"%08x %s\n" % (crc32(text), text)

    @classmethod
    def of(cls, line: bytes) -> Record | None:
        """The record of a line; None if it is not whole."""
        checksum, _, text = line.rstrip(b"\n").partition(b" ")
        try:
            if int(checksum, 16) != crc32(text) or not line.endswith(b"\n"):
                return None
            return cls(**json.loads(text.decode(errors="surrogateescape")))
        except (ValueError, TypeError):
            return None


class Journal:
    """Where records go. Writing never raises: a service must not die because a disk is full."""

    def __init__(self, path: Path, longest: int = _LONGEST_FILE) -> None:
        """Raises OSError if there cannot be such a file."""
        self._path = path
        self._longest = longest
        self._lost = 0
        self._why = ""
        self._waiting: list[bytes] = []
        self._bytes = 0  # of those
        self._open()

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o640)
        self._size = os.fstat(self._file).st_size
        # What a crash has cut off stays behind in a line of its own.
        self._cut = self._size > 0 and os.pread(self._file, 1, self._size - 1) != b"\n"

    def close(self) -> None:
        self.flush()
        os.close(self._file)

    def write(self, *records: Record) -> None:
        self.add(*records)
        self.flush()

    def add(self, *records: Record) -> None:
        """They are written by the next `flush`, or when they have become many."""
        lines = [record.line() for record in records]
        self._waiting += lines
        self._bytes += sum(map(len, lines))
        if self._bytes >= _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        lines, self._waiting, self._bytes = self._waiting, [], 0
        if self._lost and lines:
            self._confess()
        if self._size >= self._longest:
            self._put_aside()
        written = self._put(b"".join(lines)) if lines else 0
        for line in lines:
            self._lost += written < len(line)
            written -= len(line)

    def _confess(self) -> None:
        words = f"{self._lost} records could not be written: {self._why}"
        line = Record(time.time(), "", words, priority=ERROR).line()
        if self._put(line) == len(line):
            self._lost = 0

    def _put_aside(self) -> None:
        try:
            os.replace(self._path, put_aside(self._path))
            old = self._file
            self._open()
            os.close(old)
        except OSError:
            self._size = 0  # it goes on growing, until we try again

    def _put(self, lines: bytes) -> int:
        """How much of it was written."""
        begin = b"\n" * self._cut
        try:
            written = os.write(self._file, begin + lines)
        except OSError as error:
            self._why = str(error.strerror)
            return 0
        self._size += written
        written -= len(begin)
        if written < len(lines):
            self._cut = written > 0 and lines[written - 1 : written] != b"\n"
            self._why = os.strerror(errno.ENOSPC)
        else:
            self._cut = False
        return max(written, 0)


def put_aside(path: Path) -> Path:
    """Where the file is kept that came before this one."""
    return path.with_name(f"{path.name}.old")


def read(path: Path, start: int = 0) -> Iterator[tuple[Record | None, int]]:
    """The records from a byte offset on, each with the offset behind it; None for one that is not whole.

    A last line without its end is not answered: it may be just being written. Raises OSError.
    """
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            start += len(line)
            if line != b"\n":
                yield Record.of(line), start


def whole(path: Path) -> Sequence[Record]:
    """All records that are kept, the older file's first; without those that are not whole. Raises OSError."""
    path = path.resolve()
    files = [each for each in (put_aside(path), path) if each.exists()]
    return [record for each in files or [path] for record, _ in read(each) if record]


def latest(path: Path) -> Iterator[Record]:
    """The records in the last few megabytes: who asks how things stand need not read all. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _LATEST))
        if size > _LATEST:
            file.readline()  # the rest of a line
        yield from (record for line in file if (record := Record.of(line)))
