"""Unit files: from text to settings, as systemd.syntax(7) has it. What the keys mean is nobody's business here.

A file that is wrong in one line is right in all others: what cannot be read becomes a `Problem`, named with its line.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

_BLANK = " \t\r"
_NO_TEXT = re.compile("[\0\udc80-\udcff]")  # what was no UTF-8 is read as surrogates


@dataclass(frozen=True)
class Setting:
    """`key=value`, below `[section]`, where it was read."""

    section: str
    key: str
    value: str
    file: str
    line: int  # of its beginning; from 1

    @property
    def place(self) -> str:
        """For whoever knows the folder: `web.service:3`, `web.service.d/more.conf:2`."""
        folder, name = os.path.split(self.file)
        if name.endswith(".conf"):
            name = os.path.join(os.path.basename(folder), name)
        return f"{name}:{self.line}"

    def problem(self, text: str) -> Problem:
        return Problem(self.file, self.line, text)

    def does_nothing(self) -> Problem:
        what = f"{self.key}= is accepted, and does nothing here"
        return Problem(self.file, self.line, what, harmless=True)


@dataclass(frozen=True)
class Problem:
    """What is wrong in a line, and what was done about it."""

    file: str
    line: int  # 0: the file as a whole
    text: str
    harmless: bool = False  # nothing is wrong with it: it does nothing here
    final: bool = False  # the rest of the file is not read

    @property
    def unit(self) -> str:
        """The unit that the file, or the drop-in, is for."""
        folder, name = os.path.split(self.file)
        return os.path.basename(folder).removesuffix(".d") if name.endswith(".conf") else name

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


def summed_up(problems: Iterable[Problem]) -> Iterator[Problem]:
    """What is the same of many lines is said once, and all that is harmless in a file in one line: daemons confine
    themselves with dozens of keys.
    """
    harmless: dict[str, list[Problem]] = {}
    alike: dict[tuple[str, str], list[Problem]] = {}
    for each in dict.fromkeys(problems):
        if each.harmless:
            harmless.setdefault(each.file, []).append(each)
        else:
            alike.setdefault((each.file, each.text), []).append(each)
    for first, *others in alike.values():
        more = f" (and {len(others)} more like it, until line {others[-1].line})" if others else ""
        yield replace(first, text=first.text + more)
    for file, these in harmless.items():
        keys = ", ".join(dict.fromkeys(each.text.split(" ")[0] for each in these))
        verb = "are accepted, and do" if ", " in keys else "is accepted, and does"
        yield Problem(file, these[0].line, f"{keys} {verb} nothing here", harmless=True)


def settings(text: bytes, file: str) -> Iterator[Setting | Problem]:
    """All settings of a file in their order, and between them what is wrong."""
    section = ""
    for number, line in _logical_lines(text.removeprefix(codecs.BOM_UTF8)):
        words = line.decode(errors="surrogateescape").strip(_BLANK)
        if _NO_TEXT.search(words):
            yield Problem(file, number, "not UTF-8, or with a NUL: the line is ignored")
        elif words.startswith("["):
            section = words[1:-1]
            if not words.endswith("]"):
                what = f"'{words}' is no section, and what follows is not read"
                yield Problem(file, number, what, final=True)
                return
            if not section:
                yield Problem(file, number, f"'{words}' is no section: what follows is ignored")
        elif not section:
            yield Problem(file, number, "stands in no section and is ignored")
        else:
            key, equals, value = words.partition("=")
            if equals and key.strip(_BLANK):
                yield Setting(section, key.strip(_BLANK), value.strip(_BLANK), file, number)
            else:
                yield Problem(file, number, f"'{words}' is no KEY=VALUE and is ignored")


def _logical_lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that say something, with their numbers. A backslash at the end joins a line with the next one that is
    not a comment; it counts as a blank.
    """
    begun: list[bytes] = []
    first = 0
    for number, line in enumerate(text.split(b"\n"), 1):
        if line.lstrip()[:1] in (b"#", b";"):
            continue
        first = first or number
        line = line.rstrip(b"\r")
        if (len(line) - len(line.rstrip(b"\\"))) % 2:
            begun += [line[:-1], b" "]
            continue
        if whole := b"".join([*begun, line]).strip():
            yield first, whole
        begun, first = [], 0
    if whole := b"".join(begun).strip():
        yield first, whole
