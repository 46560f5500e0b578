"""What somebody meant who wrote a line that is no step.

The words of the line are aligned with those of each sentence, as an edit distance does with letters: a word may be
missing, superfluous, or almost the right one. The cheapest sentence is what was meant, if it is cheap enough.
"""

from __future__ import annotations

import functools
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from itertools import product

from autograder.language.blanks import (
    BLANKS,
    FIXED,
    SUBJECT,
    UnreadableError,
    Value,
    row_meant,
)
from autograder.language.grammar import (
    Word,
    blank_name,
    same_word,
    say,
    words_of,
    write_line,
)
from autograder.language.problems import Problem, quoted
from autograder.language.roles import INIT, Actors
from autograder.language.steps import SENTENCES, Step
from forklab.kernel.signals import signal_name, signal_number

# Prices, found by trying the lines in tests/autograder/language/test_script.py. Little words are easily
# forgotten, verbs are not: a line without its verb could mean anything. Whole numbers, so that
# equal ways cost exactly the same.
_MISSING_LITTLE_WORD, _MISSING_VERB, _MISSING_BLANK, _SURPLUS = 50, 200, 100, 90
_OTHER_WORD, _WRONG_CASE, _SIMILAR_RATIO = 200, 10, 0.6
_NEARLY_READS, _NEVER_READS, _WORD_OF_THE_LANGUAGE = 30, 90, 70
_MORE_TEXT = 2  # a text is as long as it likes
_TOO_FAR, _TOO_FAR_PER_WORD = 160, 40
_MOST_WORDS = 24  # of a line; nobody needs help with the rest
_PLURAL = re.compile(r"\((\w+)\)$")
_LITTLE_WORDS = frozenset({"a", "are", "by", "expect", "is", "of", "time(s)", "to"})

_NUMBER_WORDS = {
    word: str(number)
    for number, words in enumerate(
        ("zero", "one once", "two twice", "three thrice", "four", "five")
    )
    for word in words.split()
}

_LITERALS = frozenset(
    word
    for sentence in SENTENCES
    for reading in sentence.wording.readings
    for word in reading
    if word not in BLANKS
)


def problem_of(line: str, number: int, subject: str = INIT) -> Problem:
    """What is wrong with `line`, which is not a step, and the mend; `subject` is the name of who is judged."""
    words = words_of(line)[:_MOST_WORDS]
    cost, best = min(
        (
            _align(sentence, reading, words, subject)
            for sentence in SENTENCES
            for reading in sentence.wording.readings
        ),
        key=lambda found: found[0],
    )
    if cost > max(_TOO_FAR, _TOO_FAR_PER_WORD * len(words)):
        return Problem(
            number,
            line,
            f"{quoted(line)} is not a step",
            f"A step is a sentence such as 'main forks worker', 'send SIGTERM to {subject}' or "
            "'expect worker is reaped'.",
        )
    return _explain(line, number, best, subject)


@dataclass
class _Alignment:
    """Which words of a line stand for which word of a sentence's reading."""

    sentence: type[Step]
    reading: tuple[str, ...]
    matched: dict[int, list[Word]] = field(default_factory=dict)


def _align(
    sentence: type[Step], reading: tuple[str, ...], words: Sequence[Word], subject: str
) -> tuple[int, _Alignment]:
    """The cheapest way from the words to the reading, and what it costs."""
    # costs[i][j]: of the first i words against the first j of the reading; moves[i][j]: the last move that led there.
    costs = [[0] * (len(reading) + 1) for _ in range(len(words) + 1)]
    moves = [[""] * (len(reading) + 1) for _ in range(len(words) + 1)]
    strictness = 2 if reading[-1] == "{text}" else 1  # a text takes whatever comes
    for i, j in product(range(len(words) + 1), range(len(reading) + 1)):
        # Of equal ways the first one is taken: words that are too many stand late rather than early.
        options: list[tuple[int, str]] = []
        if i and j and reading[j - 1] == "{text}" and moves[i - 1][j] in ("match", "more"):
            options.append((costs[i - 1][j] + _MORE_TEXT, "more"))
        elif i:
            options.append((costs[i - 1][j] + _SURPLUS, "surplus"))
        if j:
            price = _price_of_missing(reading[j - 1], strictness)
            options.append((costs[i][j - 1] + price, "missing"))
        if i and j:
            price = strictness * _price(reading[j - 1], words[i - 1].text, subject)
            options.append((costs[i - 1][j - 1] + price, "match"))
        costs[i][j], moves[i][j] = min(options, key=lambda option: option[0], default=(0, ""))
    found = _Alignment(sentence, reading)
    i, j = len(words), len(reading)
    while i or j:
        move = moves[i][j]
        if move in ("match", "more"):
            found.matched.setdefault(j - 1, []).insert(0, words[i - 1])
        i -= move != "missing"
        j -= move in ("match", "missing")
    return costs[len(words)][len(reading)], found


def _price_of_missing(expected: str, strictness: int) -> int:
    if expected in BLANKS:
        return _MISSING_BLANK
    return strictness * (_MISSING_LITTLE_WORD if expected in _LITTLE_WORDS else _MISSING_VERB)


@functools.lru_cache(maxsize=4096)
def _price(expected: str, word: str, subject: str) -> int:
    """What it costs to take `word` for this word of a sentence."""
    blank = BLANKS.get(expected)
    if blank is None:
        if same_word(expected, word):
            return 0
        if same_word(expected, word.lower()):
            return _WRONG_CASE
        ratio = SequenceMatcher(a=expected, b=word, autojunk=False).ratio() if len(word) < 40 else 0
        return round(_OTHER_WORD * (1 - ratio)) if ratio >= _SIMILAR_RATIO else _OTHER_WORD
    if expected == "{text}":
        return _MORE_TEXT
    try:
        _read(expected, word, subject)
    except UnreadableError:
        meant = expected == SUBJECT or _meant(expected, word) is not None
        return _NEARLY_READS if meant else _NEVER_READS
    as_name = expected in ("{actors}", "{others}")
    meant_otherwise = word in _LITERALS or word.startswith("SIG")
    return _WORD_OF_THE_LANGUAGE if as_name and meant_otherwise else 0


def _read(blank: str, word: str, subject: str) -> Value:
    """The value of a word in a blank. Raises UnreadableError."""
    if blank != SUBJECT:
        return BLANKS[blank].read(word)
    if word != subject:
        raise UnreadableError(f"{quoted(word)} stands where only {subject} can stand")
    return subject


def _meant(blank: str, word: str) -> str | None:
    """What somebody meant who wrote `word` into a blank where it cannot stand; None if nothing comes near."""
    match blank:
        case "{actors}" | "{others}":
            row = row_meant(word)
            return None if row is None else str(row)
        case "{main}":
            return blank_name(blank)
        case "{signal}":
            return nearest_signal(word)
        case "{status}" | "{times}":
            return _NUMBER_WORDS.get(word.lower())
    return None


def nearest_signal(word: str) -> str | None:
    """The signal that was meant by "TERM", "sigterm", "15" or "SIGTREM"; None if nothing is near."""
    if re.fullmatch("[0-9]{1,2}", word):
        return signal_name(int(word)) if int(word) in signal.valid_signals() else None
    capitals = word.upper()
    for name in (capitals, f"SIG{capitals}"):
        try:
            return signal_name(signal_number(name))
        except ValueError:
            continue
    near = get_close_matches(capitals, signal.Signals.__members__, n=1, cutoff=0.7)
    near = near or get_close_matches(f"SIG{capitals}", signal.Signals.__members__, n=1, cutoff=0.85)
    return signal_name(signal.Signals[near[0]]) if near else None


def _explain(line: str, number: int, meant: _Alignment, subject: str) -> Problem:
    values: dict[str, Value] = {}
    said: dict[str, str] = {}  # what stands in each blank, as far as we know
    open_blanks: list[str] = []
    what = ""
    for position, word in enumerate(meant.reading):
        if word not in BLANKS:
            continue
        blank = BLANKS[word]
        matched = meant.matched.get(position)
        written = line[matched[0].start : matched[-1].end] if matched else None
        if written is None and blank_name(word) in FIXED:
            written = subject if word == SUBJECT else blank_name(word)  # nothing else can
        if written is None:
            what = what or f"{quoted(line)} is not complete: {blank.meaning} is missing"
        else:
            try:
                _read(word, written, subject)
            except UnreadableError as error:
                what = what or f"{quoted(line)}: {error}"
                written = subject if word == SUBJECT else _meant(word, written)
        if written is None:
            open_blanks.append(word)
        else:
            values[blank_name(word)] = _read(word, written, subject)
        said[word] = written or blank.sign
    what = what or f"{quoted(line)} is not a step"
    if not open_blanks:
        sentence = write_line(say(meant.sentence, values, subject=subject))
        return Problem(number, line, what, f"Did you mean {quoted(sentence)}?")
    actors, wording = values.get("actors"), meant.sentence.wording
    row = isinstance(actors, Actors) and actors.is_row
    template = wording.plural if row else wording.singular
    sentence = " ".join(said.get(word, _PLURAL.sub(r"\1", word)) for word in template.split())
    where = " and ".join(f"{BLANKS[word].sign} is {BLANKS[word].meaning}" for word in open_blanks)
    return Problem(number, line, what, f"It is written {quoted(sentence)}, where {where}.")
