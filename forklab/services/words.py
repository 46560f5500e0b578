r"""The words of a unit file: quotes and escapes, `%` specifiers, and the variables of a command line.

Not a shell's rules (systemd.syntax(7), systemd.service(5) "Command lines"): quotes may begin within a word, a backslash
is an escape within both kinds of them, and `$V` is a variable only as a word of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

_BLANK = " \t\r\n"
_LETTERS = dict(zip("abfnrtvs\\\"'", "\a\b\f\n\r\t\v \\\"'", strict=True))
_NUMBER = re.compile(
    r"x(?P<x>[0-9a-fA-F]{2})|(?P<o>[0-3][0-7]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
)
_VARIABLE = re.compile(r"\$\$|\$\{([^:}]*)\}")


class UnbalancedError(ValueError):
    """A quote is opened and not closed."""


def split(text: str) -> list[str]:
    """The words of a value, without quotes and escapes. Raises UnbalancedError."""
    return [word for word, _ in words(text)]


def names(text: str) -> list[str]:
    r"""The words of a value that names units, without quotes; `\x2d` is part of such a name. Raises UnbalancedError."""
    return [word.replace("\0", "\\") for word in split(text.replace("\\", "\0"))]


def words(text: str, *, strict: bool = False) -> Iterator[tuple[str, str]]:
    r"""Each word and how it was written: `;` ends a command, `\;` is a word of one letter. Raises UnbalancedError;
    `strict`: and ValueError where a backslash means nothing.
    """
    at = 0
    while (at := _skip_blanks(text, at)) < len(text):
        word, end = _word(text, at)
        if strict:
            _expect_escapes(text[at:end])
        yield word, text[at:end]
        at = end


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _word(text: str, at: int, *, of_a_file: bool = True) -> tuple[str, int]:
    """The word that begins here, and where it ends. In the value of a variable a backslash takes the next letter as it
    is, and the end closes a quote."""
    letters, quote = [], ""
    while at < len(text) and (quote or text[at] not in _BLANK):
        letter, at = text[at], at + 1
        if letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        elif letter == "\\":
            letter, at = _escaped(text, at) if of_a_file else (text[at : at + 1], at + 1)
            letters.append(letter)
        else:
            letters.append(letter)
    if quote and of_a_file:
        raise UnbalancedError(f"a {quote} is not closed")
    return "".join(letters), at


def _escaped(text: str, at: int) -> tuple[str, int]:
    """What stands behind a backslash. One that means nothing stays, with its backslash."""
    if match := _NUMBER.match(text, at):
        digits = match[match.lastgroup or 0]
        number = int(digits, 8 if match.lastgroup == "o" else 16)
        if 0 < number <= 0x10FFFF:
            return chr(number), match.end()
    letter = text[at : at + 1]
    return _LETTERS.get(letter, ";" if letter == ";" else "\\" + letter), at + 1


def _expect_escapes(word: str) -> None:
    for found in re.finditer(r"\\(.?)", word, re.DOTALL):
        if found[1] not in _LETTERS and not _NUMBER.match(word, found.start(1)):
            raise ValueError(f"{found[0]} means nothing")


def specify(text: str, meanings: Mapping[str, Callable[[], str]]) -> str:
    """The text with each `%x` replaced by what x means; `%%` is a per cent sign. Raises ValueError."""

    def meant(found: re.Match[str]) -> str:
        if found[1] in meanings:
            return meanings[found[1]]()
        if found[1].isalnum():
            raise ValueError(f"'{found[0]}' is no specifier")
        return "%" if found[1] == "%" else found[0]

    return re.sub("%(.)", meant, text)


def expand(arguments: list[str], environment: Mapping[str, str]) -> list[str]:
    """The arguments as the program gets them: `$V` is split into words, none if V is not set; `${V}` never is.

    A word that begins with a dollar is a variable as a whole, whether one can be called so or not; `${V:-x}` stays.
    """
    expanded: list[str] = []
    for argument in arguments:
        if argument.startswith("$") and argument[1:2] not in ("{", "$"):
            expanded += _words_of(environment.get(argument[1:], ""))
        else:
            expanded.append(_VARIABLE.sub(lambda found: _meant(found, environment), argument))
    return expanded


def _words_of(value: str) -> Iterator[str]:
    at = 0
    while (at := _skip_blanks(value, at)) < len(value):
        word, at = _word(value, at, of_a_file=False)
        yield word


def _meant(found: re.Match[str], environment: Mapping[str, str]) -> str:
    return "$" if found[1] is None else environment.get(found[1], "")


def unescape(text: str) -> str:
    r"""What a part of a unit's name stands for: `-` is a slash, `\x2d` a minus (systemd-escape(1))."""
    return re.sub(
        r"\\x([0-9a-fA-F]{2})|-", lambda found: chr(int(found[1], 16)) if found[1] else "/", text
    )
