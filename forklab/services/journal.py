"""The journal: what every service wrote and everything that happened to it, a line a record.

    3f29a1c0 {"time": 1732968000.125, "unit": "web.service", "pid": 4711, "priority": 6, "text": "listening"}

The checksum in front (CRC-32 of the rest of the line) tells a whole record from one that a crash or a full disk has
cut off. Records are only ever added, each by one write(2) to a file opened with O_APPEND, so that whoever reads
meanwhile sees whole ones. What could not be written is counted, and said as soon as there is room.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

NOTICE: Final = 5
INFORMATION: Final = 6


@dataclass(frozen=True)
class Record:
    """One line. `pid` 0: the manager itself says it, of the unit. Priorities are those of syslog(3), 0 to 7."""

    time: float  # seconds since the epoch
    unit: str
    text: str
    pid: int = 0
    priority: int = INFORMATION

    def line(self) -> bytes:
        text = json.dumps(asdict(self), ensure_ascii=False).encode(errors="surrogateescape")
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

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        size = os.fstat(self._file).st_size
        # What a crash has cut off stays behind in a line of its own.
        self._cut = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        self._lost = 0
        self._why = ""

    def close(self) -> None:
        os.close(self._file)

    def write(self, record: Record) -> None:
        if self._lost:
            self._confess(record)
        if not self._put(record.line()):
            self._lost += 1

    def _confess(self, record: Record) -> None:
        words = f"{self._lost} records could not be written: {self._why}"
        if self._put(Record(record.time, "", words, priority=3).line()):
            self._lost = 0

    def _put(self, line: bytes) -> bool:
        line = b"\n" * self._cut + line
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self._why = str(error.strerror)
            return False
        self._cut = written < len(line)
        self._why = os.strerror(28) if self._cut else ""
        return not self._cut


def read(path: Path, start: int = 0) -> Iterator[tuple[Record | None, int]]:
    """The records from a byte offset on, each with the offset behind it; None for one that is not whole.

    A last line without its end is not answered: it may be just being written.
    """
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            start += len(line)
            if line != b"\n":
                yield Record.of(line), start
