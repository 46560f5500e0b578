"""What more than one command says and writes."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from autograder.errors import CommandError
from autograder.language.roles import is_in_virtual_time
from autograder.reports.files import write_whole
from autograder.reports.screen import say
from autograder.stage.isolation import ModeChoice
from autograder.stage.workspace import why_not_there


def say_mode(screen: Console, choice: ModeChoice, seed: int = 0) -> str:
    """Which mode it is, why, what cannot be enforced in it, and where scratch files are if not where they should be.

    Raises CommandError if there is a seed, and nobody who goes by it.
    """
    if seed and not is_in_virtual_time(choice.mode):
        raise CommandError(
            f"--seed {seed}: in mode {choice.mode} the kernel decides who is next ({choice.why}).\n"
            "  Virtual time goes by the seed: --mode virtual."
        )
    say(screen, Text(f"mode {choice.mode}: {choice.why}", "dim"))
    for lack in choice.lacks:
        say(screen, Text(f"not enforced: {lack}", "dim"))
    if elsewhere := why_not_there():
        say(screen, Text(elsewhere, "dim"))
    return choice.mode


def write_text(file: str, text: str) -> None:
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        write_whole(Path(file), text)
    except OSError as error:
        raise CommandError(f"{file} cannot be written ({error.strerror}).") from error
