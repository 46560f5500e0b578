"""Reads GIFT as Moodle does (question/format/gift/format.php): escapes first, then the signs that are left."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIGNS = {sign: f"&&{ord(sign):03};" for sign in ":#={}~"} | {"n": "&&010;"}


@dataclass(frozen=True)
class Answer:
    """`weight` in percent."""

    text: str
    weight: float


@dataclass(frozen=True)
class Read:
    """`number` is the right one of a numerical question; neither that nor answers: an essay."""

    name: str
    text: str
    number: float | None
    answers: tuple[Answer, ...]
    feedback: str


def read_gift(text: str) -> list[Read]:
    """Raises ValueError on what Moodle would refuse."""
    kept = "\n".join("" if line.startswith("//") else line for line in text.splitlines())
    return [_read(block) for block in re.split(r"\n\s*\n", kept.strip())]


def _read(block: str) -> Read:
    block = _before(block)
    match = re.fullmatch(r"::(.*?)::\[html\]([^{}]*)\{([^{}]*)\}", block, flags=re.DOTALL)
    if match is None:
        raise ValueError(block)
    name, asked, inside = match.groups()
    inside, _, feedback = inside.partition("####")
    number, answers = None, ()
    if inside.startswith("#"):
        number = float(inside[1:])
    elif inside:
        answers = tuple(map(_answer, re.findall(r"[=~][^=~]*", inside)))
    return Read(_after(name), _after(asked), number, answers, _after(feedback))


def _answer(text: str) -> Answer:
    if text.startswith("="):
        return Answer(_after(text[1:]), 100)
    match = re.match(r"~%(-?[0-9]{1,3}\.?[0-9]*)%", text)
    return (
        Answer(_after(text[match.end() :]), float(match[1]))
        if match
        else Answer(_after(text[1:]), 0)
    )


def _before(text: str) -> str:
    text = text.replace("\\\\", "&&092;")
    for sign, holder in _SIGNS.items():
        text = text.replace(f"\\{sign}", holder)
    return text.replace("&&092;", "\\")


def _after(text: str) -> str:
    for sign, holder in _SIGNS.items():
        text = text.replace(holder, "\n" if sign == "n" else sign)
    return text
