"""Small pieces of ours in C: compiled once, on the machine that needs them, and kept in the user's cache."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from forklab.cache import kept


class CannotBuildError(Exception):
    """There is none. The message says why, and the mend."""


def built(
    name: str,
    source: Path,
    flags: tuple[str, ...],
    *,
    need: str,
    what: str,
    best: tuple[str, ...] = (),
) -> Path:
    """What comes of `source`, with the flags `best` as well where those work.

    Raises CannotBuildError, and OSError if there is no place to keep it.

    `need`: who cannot do without, as the beginning of "..., and the command 'cc' was not found."; `what`: what the user
    knows it by.
    """
    return kept(
        name,
        source.read_bytes(),
        (*flags, *best),
        partial(_compile, [*flags, str(source)], best, need=need, what=what),
    )


def _compile(
    arguments: list[str], best: tuple[str, ...], program: Path, *, need: str, what: str
) -> None:
    from forklab.source import run_tool  # here: mostly it is compiled already

    compiler = os.environ.get("CC", "cc")
    complaint = ""
    for more in dict.fromkeys((best, ())):
        try:
            done = run_tool([compiler, "-o", str(program), *more, *arguments])
        except FileNotFoundError:
            raise CannotBuildError(
                f"{need}, and the command {compiler!r} was not found."
                " On Debian and Ubuntu, 'sudo apt install gcc' brings one."
            ) from None
        if done.returncode == 0:
            return
        complaint = done.stderr
    raise CannotBuildError(f"{what} does not compile here:\n{complaint}")
