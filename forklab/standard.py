"""Standard input, output and error, whatever they are: closed, full, or a terminal that knows ASCII only."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import TextIO

_IN_ASCII = str.maketrans(
    {
        **dict.fromkeys("─╌┄", "-"),
        **dict.fromkeys("│╎┆", "|"),
        **dict.fromkeys("┬├┼┤", "+"),
        **dict.fromkeys("└╰", "`"),
        "·": ",",
        "…": "...",
        "→": "->",
        "×": "x",
        "–": "-",
        "—": "-",
        "✓": "+",
        "✗": "x",
        "▶": ">",
    }
)


def prepare() -> bool:
    """Before anything else is opened. False if standard output is closed: nobody could read an answer."""
    is_open = _is_open(1)
    for number in range(3):
        if not _is_open(number):  # else the next file that is opened would become it
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stderr is None:  # print() would take standard output instead
        sys.stderr = os.fdopen(2, "w", closefd=False)
    codecs.register_error("drawn-in-ascii", _draw_in_ascii)
    wants_ascii = os.environ.get("LC_ALL") in ("C", "POSIX")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "ascii" if wants_ascii else stream.encoding
            stream.reconfigure(encoding=encoding, errors="drawn-in-ascii")
    return is_open


def can_erase(stream: TextIO) -> bool:
    """Whether it is a terminal on which a line can be written once more."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def close(number: int) -> None:
    """Python flushes standard output once more at its end, or standard error: let that go nowhere."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def drop_what_is_stuck(stream: TextIO) -> None:
    """What could not be written, as the disk is full, Python would try again at its end, and complain."""
    try:
        stream.flush()
    except OSError:
        close(stream.fileno())


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _draw_in_ascii(error: UnicodeError) -> tuple[str, int]:
    """As codecs.register_error() wants it: what stands for that part of the text, and where to go on."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(_IN_ASCII)
    return text.encode("ascii", "backslashreplace").decode(), error.end
