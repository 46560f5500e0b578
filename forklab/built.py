"""Small pieces of ours in C: compiled once, on the machine that needs them, and kept in the user's cache."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from forklab.cache import kept
from forklab.source import run_tool


class CannotBuildError(Exception):
    """There is none. The message says why, and the mend."""


def built(name: str, source: Path, flags: tuple[str, ...], *, need: str, what: str) -> Path:
    """What comes of `source`. Raises CannotBuildError, and OSError if there is no place to keep it.

    `need`: who cannot do without, as the beginning of "..., and the command 'cc' was not found."; `what`: what the user
    knows it by.
    """
    return kept(
        name,
        source.read_bytes(),
        flags,
        partial(_compile, [*flags, str(source)], need=need, what=what),
    )


def _compile(arguments: list[str], program: Path, *, need: str, what: str) -> None:
    compiler = os.environ.get("CC", "cc")
    try:
        done = run_tool([compiler, "-o", str(program), *arguments])
    except FileNotFoundError:
        raise CannotBuildError(
            f"{need}, and the command {compiler!r} was not found."
            " On Debian and Ubuntu, 'sudo apt install gcc' brings one."
        ) from None
    if done.returncode != 0:
        raise CannotBuildError(f"{what} does not compile here:\n{done.stderr}")
