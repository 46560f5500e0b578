"""Where each key of a TOML file stands: tomllib does not tell."""

from __future__ import annotations

import re
from typing import NamedTuple

# Texts and comments are matched to be skipped: what looks like a key in them is none.
_PIECES = re.compile(
    r"""
    '''.*?'{3,5} | \"\"\"(?:[^\\]|\\.)*?\"{3,5} | '[^'\n]*'(?!\s*=) | "(?:[^"\\\n]|\\.)*"(?!\s*=) | \#[^\n]*
    | ^[ \t]*\[\[[ \t]*(?P<array>[\w-]+)[ \t]*\]\]
    | ^[ \t]*\[[ \t]*(?P<table>[\w.-]+)[ \t]*\]
    | ^[ \t]*(?P<key>[\w-]+|"[^"\n]*"|'[^'\n]*')(?=[ \t]*=)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_OPENING = re.compile(r"""[ \t]*=[ \t]*('''|\"{3}\\?)\n""")


class Place(NamedTuple):
    """Where a key stands, and where its value begins if that is a text of several lines. Both count from 1."""

    line: int
    text_line: int


def places_of(text: str) -> dict[str, Place]:
    """Where each key of valid TOML stands, for keys that begin a line.

    Keys in a table have its name before a dot; "edit[1].find" is in the second [[edit]].
    """
    places: dict[str, Place] = {}
    counts: dict[str, int] = {}
    table = ""
    line, counted = 1, 0
    for match in _PIECES.finditer(text):
        line += text.count("\n", counted, match.start(match.lastgroup or 0))
        counted = match.start(match.lastgroup or 0)
        if name := match["array"]:
            table = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
            places.setdefault(name, Place(line, line))
            places[table] = Place(line, line)
        elif name := match["table"]:
            table = name
            places[table] = Place(line, line)
        elif name := match["key"]:
            key = name.strip("\"'")
            below = _OPENING.match(text, match.end()) is not None
            places.setdefault(f"{table}.{key}" if table else key, Place(line, line + below))
    return places
