"""One line of a script, read and written: it is one of the sentences, with its blanks filled in."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from autograder.language.blanks import BLANKS, FIXED, SUBJECT, UnreadableError, Value
from autograder.language.roles import INIT
from autograder.language.steps import SENTENCES, Step

_BETWEEN_OUTPUT_AND_TEXT = ("is", "in")  # a text that begins so could be taken for another sentence
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"(?!\S)|\S+')


class Word(NamedTuple):
    """One word of a line, or one JSON string; `start` and `end` say where it stands."""

    text: str
    start: int
    end: int


def words_of(line: str) -> list[Word]:
    """The words of a line without its comment, which begins at a word that begins with #. "A string" is one word."""
    words: list[Word] = []
    for match in _WORD.finditer(line):
        if match[0].startswith("#"):
            break
        words.append(Word(match[0], match.start(), match.end()))
    return words


def read_line(line: str, number: int = 0, subject: str = INIT) -> Step | None:
    """The step that a line says; None if it says none. `number` is that of the line; `subject`: who is judged."""
    words = words_of(line)
    said = {word.text for word in words}
    for literal, reading, sentence in _readings():
        if literal <= said and (values := _match(reading, words, line, subject)) is not None:
            return say(sentence, values, number, subject)
    return None


def say(
    sentence: type[Step], values: Mapping[str, Value], line: int = 0, subject: str = INIT
) -> Step:
    """The sentence with these values, by the names of their blanks."""
    filled: Callable[..., Step] = sentence  # a test holds that its blanks fill its fields
    said = {name: value for name, value in values.items() if name not in FIXED}
    return filled(**said, line=line, subject=subject)


def write_line(step: Step) -> str:
    """The canonical sentence of a step: in the plural if it is a row that acts, or of whom something is expected."""
    row = any(actors.is_row for actors in step.named[:1])
    template = step.wording.plural if row else step.wording.singular
    values = {**{name: name for name in FIXED}, **vars(step)}  # of the subject: its own name
    return " ".join(_write_word(word, values) for word in template.split())


def blank_name(word: str) -> str:
    """The name of a blank without its braces."""
    return word[1:-1]


def same_word(expected: str, word: str) -> bool:
    """Whether `word` is this literal word of a sentence; "time(s)" is said with and without its s."""
    if word == expected:
        return True
    one, _, ending = expected.rstrip(")").partition("(")
    return bool(ending) and word in (one, one + ending)


@functools.cache
def _readings() -> tuple[tuple[frozenset[str], tuple[str, ...], type[Step]], ...]:
    """Each way to say each sentence, behind the words of it that no line that says it can lack."""
    return tuple(
        (frozenset(w for w in reading if w not in BLANKS and not w.endswith(")")), reading, said)
        for said in SENTENCES
        for reading in said.wording.readings
    )


def _match(
    reading: Sequence[str], words: Sequence[Word], line: str, subject: str
) -> dict[str, Value] | None:
    takes_the_rest = reading[-1] == "{text}"
    if len(words) != len(reading) and not (takes_the_rest and len(words) > len(reading)):
        return None
    values: dict[str, Value] = {}
    for expected, word in zip(reading, words, strict=False):
        blank = BLANKS.get(expected)
        if blank is None:
            if not same_word(expected, word.text):
                return None
            continue
        if expected == SUBJECT:
            if word.text != subject:
                return None
            continue
        written = line[word.start : words[-1].end] if expected == "{text}" else word.text
        try:
            values[blank_name(expected)] = blank.read(written)
        except UnreadableError:
            return None
    return values


def _write_word(word: str, values: Mapping[str, Value]) -> str:
    if word == "{text}":
        return _write_text(str(values["text"]))
    if word in BLANKS:
        return str(values[blank_name(word)])
    if word.endswith(")"):
        one, _, ending = word[:-1].partition("(")
        return one if values["times"] == 1 else one + ending
    return word


def _write_text(text: str) -> str:
    plain = text and text.isprintable() and text == text.strip() and not set(text) & {'"', "#"}
    plain = plain and text.split()[0] not in _BETWEEN_OUTPUT_AND_TEXT
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())
