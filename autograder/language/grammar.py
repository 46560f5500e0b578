"""The sentences of the scenario language: one table, from which lines are read, written and mended.

A `Form` is a sentence with blanks, once as one actor says it and once as a row of them does. Adding a sentence to FORMS
is all it takes for the parser, the printer and the suggestions to know it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.language.steps import INIT, Actors, Step, Verb, quoted
from forklab.kernel.signals import signal_name, signal_number


@dataclass(frozen=True)
class Form:
    """A kind of sentence: `singular` for one actor, `plural` for a row; `also` are readings that are never written."""

    verb: Verb
    singular: str
    plural: str
    also: tuple[str, ...] = ()

    @functools.cached_property
    def readings(self) -> tuple[tuple[str, ...], ...]:
        """Each way to say it, as words; once each."""
        texts = dict.fromkeys((self.singular, self.plural, *self.also))
        return tuple(tuple(text.split()) for text in texts)


FORMS: tuple[Form, ...] = (
    Form(Verb.FORKS, "{actors} forks {others}", "{actors} fork {others}"),
    Form(Verb.EXITS, "{actors} exits {status}", "{actors} exit {status}"),
    Form(Verb.DIES, "{actors} dies by {signal}", "{actors} die by {signal}"),
    Form(Verb.REAPS, "{actors} reaps {others}", "{actors} reap {others}"),
    Form(Verb.IGNORES, "{actors} ignores {signal}", "{actors} ignore {signal}"),
    Form(Verb.CATCHES, "{actors} catches {signal}", "{actors} catch {signal}"),
    Form(Verb.BLOCKS, "{actors} blocks {signal}", "{actors} block {signal}"),
    Form(
        Verb.STARTS_SESSION,
        "{actors} starts a session",
        "{actors} start a session",
        ("{actors} start sessions",),
    ),
    Form(
        Verb.STARTS_GROUP,
        "{actors} starts a group",
        "{actors} start a group",
        ("{actors} start groups",),
    ),
    Form(Verb.STOPS, "{actors} stops", "{actors} stop"),
    Form(Verb.CONTINUES, "{actors} continues", "{actors} continue"),
    Form(Verb.SAYS, "{actors} says {text}", "{actors} say {text}"),
    Form(Verb.SEND, "send {signal} to {actors}", "send {signal} to {actors}"),
    Form(Verb.FREEZE, "freeze {init}", "freeze {init}"),
    Form(Verb.THAW, "thaw {init}", "thaw {init}"),
    Form(Verb.EXPECT_ALIVE, "expect {actors} is alive", "expect {actors} are alive"),
    Form(
        Verb.EXPECT_ZOMBIE,
        "expect {actors} is a zombie",
        "expect {actors} are zombies",
        ("expect {actors} are a zombie",),
    ),
    Form(Verb.EXPECT_REAPED, "expect {actors} is reaped", "expect {actors} are reaped"),
    Form(
        Verb.EXPECT_CHILD,
        "expect {actors} is a child of {others}",
        "expect {actors} are children of {others}",
        ("expect {actors} are a child of {others}",),
    ),
    Form(Verb.EXPECT_STOPPED, "expect {actors} is stopped", "expect {actors} are stopped"),
    Form(Verb.EXPECT_GETS_NOTHING, "expect {actors} gets nothing", "expect {actors} get nothing"),
    Form(Verb.EXPECT_GETS, "expect {actors} gets {signal}", "expect {actors} get {signal}"),
    Form(
        Verb.EXPECT_GETS,
        "expect {actors} gets {signal} {times} time(s)",
        "expect {actors} get {signal} {times} time(s)",
    ),
    Form(Verb.EXPECT_EXITS, "expect {actors} exits {status}", "expect {actors} exit {status}"),
    Form(Verb.EXPECT_DIES, "expect {actors} dies by {signal}", "expect {actors} die by {signal}"),
    Form(Verb.EXPECT_IDLE, "expect {init} is idle", "expect {init} is idle"),
    Form(Verb.EXPECT_CLEAN, "expect {actors} starts clean", "expect {actors} start clean"),
    Form(Verb.EXPECT_OUTPUT, "expect output {text}", "expect output {text}"),
    Form(Verb.EXPECT_NOBODY_LEFT, "expect nobody is left", "expect nobody is left"),
)


class UnreadableError(ValueError):
    """A word that does not fit its blank."""


@dataclass(frozen=True)
class Blank:
    """What may stand in a blank: which field of a Step it fills, how it is called in messages, how it is read."""

    field: str
    sign: str
    meaning: str
    read: Callable[[str], Any]


@dataclass(frozen=True)
class Word:
    """One word of a line, or one JSON string; `start` and `end` say where it stands."""

    text: str
    start: int
    end: int


def words_of(line: str) -> list[Word]:
    """The words of a line without its comment, which begins at a word that begins with #. "A string" is one word."""
    words: list[Word] = []
    position = 0
    while match := _WORD.search(line, position):
        if match[0].startswith("#"):
            break
        words.append(Word(match[0], match.start(), match.end()))
        position = match.end()
    return words


def read_line(line: str) -> Step | None:
    """The step that a line says; None if it says none. The line number is left to the caller."""
    words = words_of(line)
    for form in FORMS:
        for reading in form.readings:
            if (fields := _match(reading, words, line)) is not None:
                return Step(form.verb, **fields)
    return None


def write_line(step: Step) -> str:
    """The canonical sentence of a step. Raises ValueError if no form of its verb has just these fields."""
    given = {name for name in _FIELDS if getattr(step, name) is not None}
    for form in FORMS:
        if form.verb is step.verb and given == {BLANKS[word].field for word in blanks_of(form)}:
            row = step.actors is not None and step.actors.is_row
            template = (form.plural if row else form.singular).split()
            return " ".join(_write_word(word, step) for word in template)
    raise ValueError(f"no sentence says '{step.verb}' with {', '.join(sorted(given)) or 'nothing'}")


def blanks_of(form: Form) -> list[str]:
    return [word for word in form.singular.split() if word in BLANKS]


def _match(reading: tuple[str, ...], words: list[Word], line: str) -> dict[str, Any] | None:
    takes_the_rest = reading[-1] == "{text}"
    if len(words) != len(reading) and not (takes_the_rest and len(words) > len(reading)):
        return None
    fields: dict[str, Any] = {}
    for expected, word in zip(reading, words, strict=False):
        blank = BLANKS.get(expected)
        if blank is None:
            if not same_word(expected, word.text):
                return None
            continue
        written = line[word.start : words[-1].end] if expected == "{text}" else word.text
        try:
            fields[blank.field] = blank.read(written)
        except UnreadableError:
            return None
    return fields


def same_word(expected: str, word: str) -> bool:
    """Whether `word` is this literal word of a form; "time(s)" is said with and without its s."""
    if expected.endswith("(s)"):
        return word in (expected[:-3], f"{expected[:-3]}s")
    return word == expected


def _write_word(word: str, step: Step) -> str:
    if word == "{text}":
        return _write_text(step.text or "")
    if word in BLANKS:
        return str(getattr(step, BLANKS[word].field))
    if word.endswith("(s)"):
        return word[:-3] if step.number == 1 else f"{word[:-3]}s"
    return word


def _write_text(text: str) -> str:
    plain = text and text.isprintable() and text == text.strip() and not set(text) & {'"', "#"}
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())


def _read_text(written: str) -> str:
    if not written.startswith('"'):
        return written
    try:
        text = json.loads(written)
    except ValueError:
        raise UnreadableError(
            f"{quoted(written)} begins with a quote but is not one quoted text, as JSON writes it"
        ) from None
    if not _encodable(text):
        raise UnreadableError(
            f"{quoted(written)} holds half of a character, which no output can hold"
        )
    assert isinstance(text, str)
    return text


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


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


def row_meant(word: str) -> Actors | None:
    """The row of actors that a word means, also one that is not quite how it is written: w01..20."""
    match = _ROW.fullmatch(word) if len(word) <= _LONGEST_NAME else None
    if match is None or match[3] not in ("", match[1]):
        return None
    return Actors(match[1], int(match[2]), int(match[4]))


def _read_init(word: str) -> Actors:
    if word != INIT:
        raise UnreadableError(f"{quoted(word)} stands where only init can stand")
    return Actors(INIT)


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


_WORD = re.compile(r'"(?:[^"\\]|\\.)*"(?!\S)|\S+')
_NAME = re.compile(r"[^\W\d][\w-]*")
_ROW = re.compile(r"([^\W\d][\w-]*?)([0-9]{1,9})\.\.([\w-]*?)([0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,9}")
_LONGEST_NAME = 100
_FIELDS = ("actors", "others", "signal", "number", "text")

BLANKS: Mapping[str, Blank] = {
    "{actors}": Blank("actors", "A", "an actor", _read_actors),
    "{init}": Blank("actors", INIT, "init", _read_init),
    "{others}": Blank("others", "B", "an actor", _read_actors),
    "{signal}": Blank("signal", "SIGNAL", "a signal such as SIGTERM", _read_signal),
    "{status}": Blank("number", "N", "an exit status from 0 to 255", _read_status),
    "{times}": Blank("number", "N", "a number", _read_times),
    "{text}": Blank("text", "TEXT", "what to write", _read_text),
}

# Words that begin a sentence, alone or after `expect`: an actor of that name could not be told from them.
RESERVED = frozenset(
    word
    for form in FORMS
    for before, word in zip(("", *form.readings[0]), form.readings[0][:2], strict=False)
    if word not in BLANKS and before in ("", "expect")
)
