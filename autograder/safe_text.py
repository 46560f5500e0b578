"""Strangers' text, made safe to show: on a terminal, in XML, in a spreadsheet, in a page.

Folder names and what a submission prints may hold escape sequences, bytes that are no UTF-8 and
marks that turn the reading direction round. They are shown as what they are, never obeyed.
"""

from __future__ import annotations

import unicodedata

# Marks that change the direction of the text around them: a name could make a report read
# backwards.
_DIRECTION = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def safe_text(text: str) -> str:
    """`text` with an escape for every character that does not print; newlines and tabs stay.

    What is left is valid UTF-8 and valid in XML 1.0. Undecodable bytes, which Python holds as lone
    surrogates, come out as the bytes they were ("\\xff").
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text  # nearly always
    return "".join(_shown(character) for character in text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The same for names: newlines and tabs are escaped too."""
    return safe_text(text).replace("\n", "\\n").replace("\t", "\\t")


def _shown(character: str) -> str:
    code = ord(character)
    if character in "\n\t":
        return character
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(character) in ("Cc", "Cs") or character in _DIRECTION:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    if code & 0xFFFE == 0xFFFE:  # not characters at all, and not allowed in XML
        return f"\\u{code:04x}"
    return character
