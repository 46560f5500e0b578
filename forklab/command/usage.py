"""What the commands have in common: errors that the user can mend, and files of which `-` is standard output."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from forklab.source import Runnable

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


UNBUFFERED = "write each printf at once, as books do, and leave nothing in buffers that fork copies"


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


def environment_for(program: Runnable, *, unbuffered: bool) -> dict[str, str] | None:
    """What it runs in; None: in ours. Raises UserError."""
    if not unbuffered:
        return None
    # Only here: who has not asked for it has no need of all this.
    from forklab.lens.request import find
    from forklab.unbuffered import CannotUnbufferError
    from forklab.unbuffered import unbuffered as at_once

    try:
        return at_once(program.path or find(program.argv[0]), os.environ)
    except CannotUnbufferError as error:
        raise UserError(str(error)) from None


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
