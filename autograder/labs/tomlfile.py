"""TOML files that people write: read key by key, with errors that name the file, the line and the mend."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from autograder.errors import did_you_mean
from autograder.labs.flaws import Flaw, LabError
from autograder.labs.toml_places import Place, places_of
from autograder.language.roles import MODES
from autograder.safe_text import one_line

_QUOTES = "'''"  # around texts of several lines
_LARGEST = 256_000  # bytes; nobody writes such a scenario by hand


TomlValue: TypeAlias = (
    "str | int | float | bool | date | time | list[TomlValue] | dict[str, TomlValue]"
)


class TomlTable:
    """The keys of one TOML table. Each is asked for once; flaws are collected.

    A key that is missing or of the wrong type is noted as a flaw and answered with an empty value, so that one reading
    finds everything that is wrong: see `flaws_found`.
    """

    def __init__(
        self, path: Path, keys: dict[str, TomlValue], places: dict[str, Place], name: str = ""
    ) -> None:
        self.path = path
        self.flaws: list[Flaw] = []
        self._keys = keys
        self._places = places
        self._name = name  # "edit[1]" for the second [[edit]]
        self._asked: list[str] = []
        self._missing: dict[str, Flaw] = {}
        self._inner: list[TomlTable] = []

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not blank."""
        value = self._take(key, required=default is None)
        if value is None:
            return default or ""
        if isinstance(value, str) and (value.strip() or value == default):
            return value
        self.flaw(key, f"`{key}` must be a text in quotes, and not an empty one")
        return ""

    def any_text(self, key: str) -> str | None:
        """A text, also an empty one; None if there is none."""
        value = self._take(key)
        if isinstance(value, str):
            return value
        if value is not None:
            self.flaw(key, f"`{key}` must be a text in quotes")
        return None

    def positive(self, key: str) -> float:
        value = self._take(key)
        if isinstance(value, int | float) and value is not True and 0 < value < 10**9:
            return float(value)
        if value is not None:
            self.flaw(
                key,
                f"`{key}` must be a number greater than 0 (and below 10**9)",
                f"For example: {key} = 5",
            )
        return 1.0

    def flag(self, key: str) -> bool:
        value = self._take(key, required=False)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.flaw(key, f"`{key}` must be true or false, without quotes")
        return False

    def word(self, key: str, known: Sequence[str]) -> str:
        """One of these; empty if nothing is said."""
        value = self.text(key, "") or ""
        if value and value not in known:
            self.flaw(key, f"`{key}` cannot be {value!r}", did_you_mean(value, known))
        return value

    def texts(self, key: str, default: Sequence[str] | None) -> tuple[str, ...]:
        """A list of texts, at least one."""
        value = self._take(key, required=default is None)
        if value is None:
            return tuple(default or ())
        texts = [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
        if texts and texts == value:
            return tuple(texts)
        mend = f'For example: {key} = ["one", "two"]'
        self.flaw(key, f"`{key}` must be a list of texts", mend)
        return ()

    def any_texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts, also an empty one; None if there is none."""
        if self._keys.get(key) == []:
            self._asked.append(key)
            return ()
        return self.texts(key, ()) or None

    def modes(self) -> tuple[str, ...]:
        """The key `modes`: where init is to stand; everywhere if nothing is said."""
        modes = self.texts("modes", MODES)
        for mode in modes:
            if mode not in MODES:
                self.flaw("modes", f"there is no mode {mode!r}", did_you_mean(mode, MODES))
        return modes

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that are there, for a table that may have any."""
        return tuple(self._keys)

    def table(self, key: str) -> TomlTable | None:
        """The table [key]; None if there is none. Its flaws become flaws of this one."""
        value = self._take(key, required=False)
        if isinstance(value, dict) and value:
            inner = TomlTable(self.path, value, self._places, self._full(key))
            self._inner.append(inner)
            return inner
        if value not in (None, {}):
            self.flaw(key, f"`{key}` must be a table", f"Begin it with a line [{key}].")
        return None

    def moment(self, key: str) -> datetime:
        """A date with a time; without an offset it is this machine's local time."""
        value = self._take(key)
        if isinstance(value, datetime):
            return value.astimezone()
        if value is not None:
            mend = f"For example: {key} = 2026-11-30T23:59:00+01:00"
            self.flaw(key, f"`{key}` must be a date with a time, without quotes", mend)
        return datetime.now().astimezone()

    def tables(self, key: str) -> list[TomlTable]:
        """The tables of an array, [[key]]; at least one."""
        value = self._take(key)
        tables = [
            TomlTable(self.path, entry, self._places, f"{key}[{number}]")
            for number, entry in enumerate(value if isinstance(value, list) else [])
            if isinstance(entry, dict)
        ]
        if isinstance(value, list) and value and len(tables) == len(value):
            return tables
        if value is not None:
            mend = f"Begin each with a line [[{key}]]."
            self.flaw(key, f"`{key}` must be one or more tables", mend)
        return []

    def line_of(self, key: str) -> int | None:
        """The line at which `key` is given, or else at which this table begins."""
        place = self._places.get(self._full(key)) or self._places.get(self._name)
        return place.line if place else None

    def line_of_text(self, key: str) -> int | None:
        """The line at which the text of `key` begins: a newline right after its opening quotes is not part of it."""
        place = self._places.get(self._full(key))
        return place.text_line if place else None

    def flaw(self, key: str, what: str, mend: str = "") -> None:
        """Notes that something is wrong with the value of `key`."""
        self.flaws.append(Flaw(self.path, self.line_of(key), what, mend))

    def flaws_found(self) -> list[Flaw]:
        """Everything that was wrong, by line, with the keys that nobody has asked for. Ask for every key before."""
        missing = dict(self._missing)
        for key in self._keys:
            if key not in self._asked:
                self.flaw(key, f"there is no key `{one_line(key)}`", did_you_mean(key, self._asked))
                for meant in get_close_matches(key, missing, n=1, cutoff=0.5):
                    del missing[meant]  # it is there, with a typo
        self.flaws.extend(missing.values())
        for inner in self._inner:
            self.flaws.extend(inner.flaws_found())
        return sorted(self.flaws, key=lambda flaw: flaw.line or 0)

    def _full(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key

    def _take(self, key: str, *, required: bool = True) -> TomlValue | None:
        """The value of a key; None if it is not there, which is a flaw if it is required."""
        self._asked.append(key)
        if key not in self._keys and required:
            place = self._places.get(self._name)
            line = place.line if place else None
            what, mend = f"the key `{key}` is missing", f"Add a line: {key} = ..."
            self._missing[key] = Flaw(self.path, line, what, mend)
        return self._keys.get(key)


def read_table(path: Path) -> TomlTable:
    """The whole file as a table. Raises LabError if it cannot be read or is not TOML."""
    try:
        if path.stat().st_size > _LARGEST:
            raise LabError([Flaw(path, None, f"the file is larger than {_LARGEST // 1000} kB")])
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise LabError([Flaw(path, None, "there is no such file")]) from None
    except UnicodeDecodeError:
        raise LabError(
            [Flaw(path, None, "the file is not UTF-8 text", "Save it as UTF-8.")]
        ) from None
    except OSError as error:
        raise LabError([Flaw(path, None, f"the file cannot be read: {error.strerror}")]) from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return TomlTable(path, tomllib.loads(text), places_of(text))
    except tomllib.TOMLDecodeError as error:
        raise LabError([_syntax_flaw(path, text, str(error))]) from None
    except RecursionError:
        raise LabError([Flaw(path, None, "the file is not TOML: nested too deep")]) from None


def _syntax_flaw(path: Path, text: str, message: str) -> Flaw:
    what = message.partition(" (at ")[0]
    what = f"the file is not TOML: {what[:1].lower()}{what[1:]}"
    if place := re.search(r"at line (\d+)", message):
        mend = (
            f"Close it on its line, or begin and end it with {_QUOTES}."
            if "'\\n'" in message
            else ""
        )
        what = "the text in quotes has no end" if mend else what
        return Flaw(path, int(place[1]), what, mend)
    for quotes in (_QUOTES, '"""'):
        if text.count(quotes) % 2:
            line = text.count("\n", 0, text.rfind(quotes)) + 1
            return Flaw(
                path,
                line,
                f"the text that begins with {quotes} has no end",
                f"End it with {quotes}.",
            )
    return Flaw(path, max(1, len(text.splitlines())), what)
