"""What the commands have in common: errors that the user can mend, and files of which `-` is standard output."""

from __future__ import annotations

import argparse
import array
import fcntl
import math
import os
import stat
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from forklab.runnable import LANGUAGES, Runnable, did_you_mean

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


INTERRUPTED = 130  # the exit status, as a shell says it of SIGINT
UNBUFFERED = "write each printf at once, as books do, and leave nothing in buffers that fork copies"


class UserError(Exception):
    """What the user has to be told; it ends the command with status 1."""


def write_file(name: str, text: str) -> None:
    """Raises UserError."""
    if name == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(
            text.encode()
        )  # in UTF-8, as in a file, whatever the terminal knows
        return
    try:
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
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
        if name == "-":
            return sys.stdin.read()
        with open(name, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise UserError(f"{name} can't be read: {error.strerror}.{did_you_mean(name)}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{name} can't be read: {error}") from error


def add_program(parser: argparse.ArgumentParser) -> None:
    """The rest of the line is a program and its arguments, with or without `--` before it."""
    parser.add_argument(
        "program", nargs=argparse.REMAINDER, action=_Program, help=argparse.SUPPRESS
    )
    parser.epilog = "Options come before PROGRAM; whatever comes after it is the program's own."


class _Program(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        assert isinstance(values, list)
        is_marked = values[:1] == ["--"]
        program = values[is_marked:]
        if not program:
            parser.error("which program? It comes last, as in: forklab run ls -l")
        ours = [word for word in program[1:] if word.partition("=")[0] in _long_options(parser)]
        if ours and not is_marked:
            print(
                f"forklab: {ours[0]} is handed to {program[0]}; if it is for forklab, it comes before the program."
                " (-- before the program: nothing is said.)",
                file=sys.stderr,
            )
        setattr(namespace, self.dest, program)


def _long_options(parser: argparse.ArgumentParser) -> set[str]:
    return {word for action in parser._actions for word in action.option_strings if "--" in word}


def say_what_is_not_read() -> None:
    """What somebody pipes into forklab does not come to the program."""
    waiting = array.array("i", [0])
    try:
        about = os.fstat(0)
        if stat.S_ISFIFO(about.st_mode):
            fcntl.ioctl(0, termios.FIONREAD, waiting)
    except OSError:
        return
    if waiting[0] or (stat.S_ISREG(about.st_mode) and about.st_size):
        print(
            "forklab: The program's standard input is empty in every run: what is piped into forklab is not read."
            " Give it a pipe of its own, as in: forklab outputs sh -c 'echo hi | ./a.out'",
            file=sys.stderr,
        )


@contextmanager
def runnable(argv: list[str]) -> Iterator[Runnable]:
    """A command as a person types it: a C or C++ file is compiled first, a `.py` file runs under this Python.

    Raises CannotCompileError, also if there is no such source file.
    """
    if os.path.splitext(argv[0])[1] not in LANGUAGES:
        yield Runnable(None, tuple(argv))
        return
    from forklab.source import program_in  # only here: most programs are compiled already

    with program_in(argv) as program:
        yield program


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


def seed(word: str) -> int:
    """The type of an argument."""
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number") from None


def seconds(word: str) -> float:
    """The type of an argument."""
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds")
    return number
