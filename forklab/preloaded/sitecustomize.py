"""Whatever Python prints on standard output is written at once: see `forklab.unbuffered`.

Python itself runs this at its start, if its folder is on PYTHONPATH. Its own option -u would not do: with it, print
writes each of its words and the newline by themselves.
"""

from __future__ import annotations

import builtins
import io
import sys
from typing import Any

_print = builtins.print


class _AtOnce(io.TextIOWrapper):
    def write(self, text: str, /) -> int:
        if not text:
            return 0
        written = super().write(text)
        self.flush()
        return written


def _print_in_one_piece(
    *words: object,
    sep: str | None = " ",
    end: str | None = "\n",
    file: Any = None,
    flush: bool = False,
) -> None:
    piece = io.StringIO()
    _print(*words, sep=sep, end=end, file=piece)
    _print(piece.getvalue(), end="", file=file, flush=flush)


if isinstance(sys.stdout, io.TextIOWrapper):
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    at_once = _AtOnce(sys.stdout.detach(), encoding, errors, line_buffering=True)
    for name in ("stdout", "__stdout__"):
        setattr(sys, name, at_once)
    builtins.print = _print_in_one_piece
