"""What the commands have in common: trouble that the user can mend, and files of which `-` is standard output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


class UserError(Exception):
    """What the user has to be told; it ends the command with status 1."""


def write(name: str, text: str) -> None:
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
    write(name, picture)


def read(name: str) -> str:
    """Raises UserError."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{name} can't be read: {error}") from error


def seconds(word: str) -> float:
    """The type of an argument."""
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds")
    return number
