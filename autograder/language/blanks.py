"""The blanks of the sentences: what may stand in each, and how it is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from autograder.language.problems import quoted
from autograder.language.roles import BANDS, ENDINGS, INIT, MAIN, PLACES, STREAMS, Actors
from autograder.language.steps import SENTENCES
from forklab.history import KERNEL
from forklab.kernel.signals import signal_name, signal_number

Value: TypeAlias = Actors | str | int

_LONGEST_NAME = 100
_NAME = re.compile(r"[^\W\d][\w-]*")
_ROW = re.compile(r"([^\W\d][\w-]*?)([0-9]{1,9})\.\.([\w-]*?)([0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,9}")
_FOLDER = re.compile(r"/[\w./-]{0,100}")
_VARIABLE = re.compile(r"[A-Za-z_]\w{0,99}=[\w.,:/+-]{0,100}")
_FILE_NAME = re.compile(r"\w[\w-]{0,50}\.[\w.-]{1,50}")
_UNIT = re.compile(r"\w[\w.@-]{0,50}")
_TIME = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?s")
_UMASK = re.compile(r"[0-7]{3}")
_NICEST = 19


class UnreadableError(ValueError):
    """A word that does not fit its blank."""


@dataclass(frozen=True)
class Blank:
    """What may stand in a blank. `sign` and `meaning` are what messages call it.

    `read` answers the value of the field that has the blank's name. It raises UnreadableError.
    """

    sign: str
    meaning: str
    read: Callable[[str], Value]


def row_meant(word: str) -> Actors | None:
    """The row of actors that a word means, also one that is not quite how it is written: w01..20."""
    match = _ROW.fullmatch(word) if len(word) <= _LONGEST_NAME else None
    if match is None or match[3] not in ("", match[1]):
        return None
    return Actors(match[1], int(match[2]), int(match[4]))


def _read_actors(word: str) -> Actors:
    if len(word) > _LONGEST_NAME:
        raise UnreadableError(f"{quoted(word)} is too long for a name")
    if match := _ROW.fullmatch(word):
        row = row_meant(word)
        if row is None:
            raise UnreadableError(f"{quoted(word)} is not a row: {match[1]} and {match[3]} differ")
        if word != str(row):
            raise UnreadableError(f"{quoted(word)} is not how a row is written")
        return row
    if word in RESERVED:
        raise UnreadableError(f"'{word}' is a word of the language and cannot be an actor's name")
    if not _NAME.fullmatch(word):
        raise UnreadableError(
            f"{quoted(word)} is not an actor: a name has letters, digits, _ and -, a row is written w1..w20"
        )
    return Actors(word)


def _only(name: str) -> Callable[[str], Actors]:
    def read(word: str) -> Actors:
        if word != name:
            raise UnreadableError(f"{quoted(word)} stands where only {name} can stand")
        return Actors(name)

    return read


def _read_signal(word: str) -> str:
    try:
        return signal_name(signal_number(word))
    except ValueError:
        raise UnreadableError(
            f"{quoted(word)} is not a signal, which is written as SIGTERM"
        ) from None


def _read_status(word: str) -> int:
    if not _NUMBER.fullmatch(word) or int(word) > 255:
        raise UnreadableError(f"{quoted(word)} is not an exit status: a number from 0 to 255")
    return int(word)


def _read_times(word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise UnreadableError(f"{quoted(word)} is not a number: how often is written in digits")
    return int(word)


def _read_text(written: str) -> str:
    if not written.startswith('"'):
        return written
    try:
        text = json.loads(written)
    except ValueError:
        raise UnreadableError(
            f"{quoted(written)} begins with a quote but is not one quoted text, as JSON writes it"
        ) from None
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UnreadableError(
            f"{quoted(written)} holds half of a character, which no output can hold"
        )
    assert isinstance(text, str)
    return text


def _read_folder(word: str) -> str:
    if not _FOLDER.fullmatch(word):
        raise UnreadableError(f"{quoted(word)} is not a folder's full path without blanks: /usr")
    return word


def _read_variable(word: str) -> str:
    if not _VARIABLE.fullmatch(word):
        raise UnreadableError(
            f"{quoted(word)} is not a variable, which is written as NAME=VALUE without blanks"
        )
    return word


def _read_umask(word: str) -> str:
    if not _UMASK.fullmatch(word):
        raise UnreadableError(f"{quoted(word)} is not a umask: three octal digits, as in 027")
    return word


def _read_name(word: str) -> str:
    if not _FILE_NAME.fullmatch(word):
        raise UnreadableError(f"{quoted(word)} is not the name of a file, such as web.pid")
    return word


def _read_unit(word: str) -> str:
    if not _UNIT.fullmatch(word):
        raise UnreadableError(f"{quoted(word)} is not the name of a unit, such as web")
    return word


def _read_time(word: str) -> str:
    if not _TIME.fullmatch(word) or not seconds_of(word):
        raise UnreadableError(f"{quoted(word)} is not a time, which is written as 3s or 0.5s")
    return word


def seconds_of(time: str) -> float:
    """What stands in the blank {time}, in seconds."""
    return float(time.removesuffix("s"))


def _read_nice(word: str) -> int:
    if not _NUMBER.fullmatch(word) or int(word) > _NICEST:
        raise UnreadableError(f"{quoted(word)} is not a nice value: a number from 0 to {_NICEST}")
    return int(word)


def _one_of(*words: str) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word not in words:
            raise UnreadableError(f"{quoted(word)} is none of {', '.join(words)}")
        return word

    return read


# Where only the program that is judged can stand, whatever a lab calls it.
SUBJECT = "{subject}"
# Each is the only word that can stand in the blank of its name, which fills no field then.
FIXED = ("subject", MAIN)

KEYS = {
    "^C": b"\x03",
    "^D": b"\x04",
    "^Z": b"\x1a",
    "^\\": b"\x1c",
}  # and what a terminal gets from each

BLANKS: Mapping[str, Blank] = {
    "{actors}": Blank("A", "an actor", _read_actors),
    SUBJECT: Blank(INIT, "the program that is judged", _only(INIT)),
    "{main}": Blank(MAIN, "main", _only(MAIN)),
    "{others}": Blank("B", "an actor", _read_actors),
    "{signal}": Blank("SIGNAL", "a signal such as SIGTERM", _read_signal),
    "{status}": Blank("N", "an exit status from 0 to 255", _read_status),
    "{times}": Blank("N", "a number", _read_times),
    "{stream}": Blank("STREAM", "input, output or error", _one_of(*STREAMS)),
    "{folder}": Blank("FOLDER", "a folder such as /usr", _read_folder),
    "{variable}": Blank("NAME=VALUE", "a variable such as COLOUR=green", _read_variable),
    "{umask}": Blank("MASK", "three octal digits", _read_umask),
    "{nice}": Blank("N", f"a number from 0 to {_NICEST}", _read_nice),
    "{name}": Blank("NAME", "the name of a file such as web.pid", _read_name),
    "{time}": Blank("T", "a time such as 3s", _read_time),
    "{file}": Blank("FILE", "a file such as /dev/null", _read_folder),
    "{band}": Blank("BAND", "group or session", _one_of(*BANDS)),
    "{place}": Blank("PLACE", "foreground or background", _one_of(*PLACES)),
    "{key}": Blank("KEY", "^C, ^D, ^Z or ^\\", _one_of(*KEYS)),
    "{unit}": Blank("U", "the name of a unit such as web", _read_unit),
    "{ending}": Blank("ENDING", "succeeds, fails or waits", _one_of(*ENDINGS)),
    "{text}": Blank("TEXT", "what to write", _read_text),
}

# Words that begin a sentence, alone or after `expect`: an actor of that name could not be told from them. Nor from
# the kernel, in a history.
RESERVED = {KERNEL} | frozenset(
    word
    for sentence in SENTENCES
    for before, word in zip(
        ("", *sentence.wording.readings[0]), sentence.wording.readings[0][:2], strict=False
    )
    if word not in BLANKS and before in ("", "expect")
)
