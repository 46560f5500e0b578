"""The program of the last cell once more, with small changes that no reader sees: other numbers, another second.

An answer that was written for the numbers on the page gives itself away there, and one that solves the exercise does
not notice.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from IPython.core.error import UsageError

from forklab.lens.record import CannotRecordError, Recording, record
from forklab.notebook.cell import Cell
from forklab.notebook.last import last
from forklab.notebook.units import UnitsRun, run_units
from forklab.runnable import CannotCompileError

Change = tuple[str, str]

_TOKEN = re.compile(r'"[^"\n]*"|\w+|\S')


class NotYetError(Exception):
    """Why an exercise is not solved, in a sentence for the reader."""


def again(*changes: Change, seed: int = 0) -> Recording | UnitsRun:
    """Run the last cell with each `old` piece of its text replaced by the `new` one, wherever it stands.

    White space in `old` does not count. Not all pieces have to be there: the same can be said in several ways. Raises
    UsageError if no program has run, and NotYetError if no piece is there, or if the variant does not run.
    """
    if last.scene is not None:
        line, text = last.scene
        try:
            return run_units(line, changed(text, *changes))
        except UsageError as error:
            raise NotYetError(str(error)) from None
    cell = last.program()
    return _recorded(replace(cell, text=changed(cell.text, *changes)), seed)


def changed(text: str, *changes: Change) -> str:
    """Raises NotYetError if there are changes and none can be made."""
    made = 0
    for old, new in changes:
        text, count = _pattern(old).subn(partial(_always, new), text)
        made += count
    if changes and not made:
        raise NotYetError(
            f"The check looks for {changes[0][0]} in your program, to try it with something else "
            "there. Leave it as it was."
        )
    return text


def _always(new: str, _: re.Match[str]) -> str:
    return new


def _pattern(piece: str) -> re.Pattern[str]:
    """Its words and signs, whatever white space is between them. The exit of _exit is found, that of at2exit is not."""
    pattern = r"\s*".join(map(re.escape, _TOKEN.findall(piece)))
    before = r"(?<![A-Za-z0-9])" if piece[0].isalnum() else ""
    after = r"(?!\w)" if piece[-1].isalnum() else ""
    return re.compile(before + pattern + after)


def _recorded(cell: Cell, seed: int) -> Recording:
    try:
        with cell.program() as program:
            return record(
                program.argv,
                program=program.path,
                hidden_folder=program.folder,
                seed=seed,
                pipe=cell.pipe,
            )
    except CannotCompileError:
        raise NotYetError(
            "Your program runs, but not with other numbers in it, as the check tries it. "
            "Change no more of it than the exercise asks for."
        ) from None
    except CannotRecordError as error:
        raise NotYetError(" ".join(str(error).split())) from None
