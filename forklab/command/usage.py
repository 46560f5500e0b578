"""What the commands have in common: errors that the user can mend, and files of which `-` is standard output."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class UserError(Exception):
    """What the user has to be told; it ends the command with status 1."""


def write_file(name: str, text: str) -> None:
    """Raises UserError."""
    if name == "-":
        sys.stdout.write(text)
        return
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name} can't be written: {error.strerror}") from error


def write_picture(name: str, draw: Callable[[], str]) -> None:
    """Raises UserError, also where there is no Graphviz to draw with, or it fails: its words say what to do."""
    try:
        picture = draw()
    except RuntimeError as error:
        raise UserError(str(error)) from error
    write_file(name, picture)


def read_file(name: str) -> str:
    """Raises UserError."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{name} can't be read: {error}") from error


def whole_number(what: str, most: float = math.inf) -> Callable[[str], int]:
    """The type of an argument: a number from 1 to `most`; `what` is what another word is not."""

    def read_number(word: str) -> int:
        if not word.isdecimal() or not 1 <= int(word) <= most:
            raise argparse.ArgumentTypeError(f"{word!r} is not {what}")
        return int(word)

    return read_number


def seconds(word: str) -> float:
    """The type of an argument."""
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds")
    return number
