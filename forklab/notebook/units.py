"""The cell magic `%%units`: unit files in a cell, run by our service manager, and what became of each unit.

The manager, its keepers and the services are real processes; they run under the lens, in virtual time. Its own journal
says what happened, and all that is shown here is made from that. Lines that begin with `$ ` below the unit files are
what somebody types at a terminal meanwhile (forklab/ctl/terminal.py).
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from IPython.core.error import UsageError

from forklab.built import CannotBuildError
from forklab.ctl import terminal
from forklab.ctl.pictures import start_up, ties_of
from forklab.draw.templates import template
from forklab.draw.units.graph import Tie, UnitBox, units_svg
from forklab.draw.units.timeline import Phase, Row, timeline_svg
from forklab.history import History
from forklab.lens.record import CannotRecordError, CannotTraceError, record
from forklab.notebook.still import Still, still_html
from forklab.notebook.views import film_view
from forklab.services import journal
from forklab.services.folder import Folders
from forklab.services.journal import Record
from forklab.services.keepers import keeper_program
from forklab.services.story import Stay, cuts, history, since_last_start, stays
from forklab.services.unit import Unit

USAGE: Final = "Begin the cell with %%units UNIT... [--for SECONDS] [--at SECONDS]."
_HEADING: Final = re.compile(r"# (\S+\.(?:service|target))$", re.MULTILINE)
_PROMPT: Final = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """What came of a line that was typed: the exit status, and all that was written."""

    typed: str
    out: str
    status: int

    def __str__(self) -> str:
        told = f"[exit status {self.status}]\n" if self.status else ""
        return f"$ {self.typed}\n{self.out}{told}"


@dataclass(frozen=True)
class Scene:
    """What a cell holds: unit files by their names, the lines that are typed, and who is started at once.

    Without any lines everything is stopped after `seconds`, else after the last of them. `at`: where the film opens.
    """

    files: Mapping[str, str]
    typed: Sequence[str] = ()
    start: Sequence[str] = ()
    seconds: float = 10.0
    at: float | None = None

    @classmethod
    def of(cls, line: str, cell: str) -> Self:
        """Of a cell below `%%units line`. Raises UsageError."""
        options = _options(line)
        files, typed = _parts(cell)
        if typed and options.seconds:
            raise UsageError("All is stopped after the last line: type sleep, and leave out --for.")
        if not typed and not options.units:
            raise UsageError(f"Which unit is to be started?\n{USAGE}")
        return cls(files, typed, options.units, options.seconds or cls.seconds, options.at)


@dataclass(frozen=True)
class UnitsRun:
    """From the start of the manager until everything has been stopped in order, after `seconds`."""

    scene: Scene
    units: Mapping[str, Unit]
    records: Sequence[Record]
    seconds: float
    answers: Sequence[Answer] = ()

    @property
    def history(self) -> History:
        """Of the manager, the keepers, and the processes that the manager knows, each by the name of its unit."""
        return history(self.records)

    @property
    def states(self) -> Mapping[str, Sequence[Stay]]:
        """Of each unit that had anything to do: how it stood, from when to when."""
        return stays(self.records)

    @property
    def output(self) -> str:
        """What was to be seen at the terminal; if nobody typed anything, the journal."""
        return "".join(map(str, self.answers)) if self.scene.typed else self.journal

    @property
    def journal(self) -> str:
        """Its lines, each with its second."""
        start = self.records[0].time if self.records else 0.0
        return "".join(
            f"{record.time - start:5.1f}  {_line(record)}\n"
            for record in self.records
            if record.text
        )

    def active(self, unit: str) -> float | None:
        """The second at which it first was active; None if it never was."""
        starts = (stay.start for stay in self.states.get(unit, ()) if stay.state == "active")
        return next((round(start, 3) for start in starts), None)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        text, film = film_view(self.history, "services", self.scene.at)
        words = f"After {round(self.seconds, 1):g} s all were told to stop."
        return {
            "text/plain": f"{text}\n{words}",
            "text/html": template("notebook/run.html")(shown=film, words=words),
        }


@dataclass(frozen=True)
class Picture:
    """One <svg>, and what it says."""

    svg: str
    words: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        still = Still("", picture=self.svg, alt=self.words)
        return {"text/plain": self.words, "text/html": still_html(still, self.svg)}


def run_units(line: str, cell: str) -> UnitsRun:
    """What is below headings like `# web.service`, and typed below that. Raises UsageError."""
    return play(Scene.of(line, cell))


def play(scene: Scene) -> UnitsRun:
    """Raises UsageError."""
    with TemporaryDirectory(prefix="forklab-units-") as folder:
        place = Path(folder)
        units_of = place / terminal.UNITS
        units_of.mkdir()
        for name, text in scene.files.items():
            (units_of / name).write_text(text)
        typed = scene.typed or [f"sleep {scene.seconds:g}"]
        (place / terminal.TYPED).write_text("".join(f"{each}\n" for each in typed))
        units, _ = Folders([units_of]).everything()
        records = _records(place, scene.start)
        *told, last = map(json.loads, (place / terminal.ANSWERS).read_text().splitlines())
    begin = records[0].time if records else last["stop"]
    answers = [Answer(**each) for each in told] if scene.typed else []
    return UnitsRun(scene, units, records, round(last["stop"] - begin, 3), answers)


def graph(run: UnitsRun) -> Picture:
    """Who says what of whom, and how each stood before all were told to stop."""
    gone = cuts(run.records)
    ties = [
        Tie(*tie, cut=tie[0] == "After" and tie[1:] in gone)
        for tie in ties_of(run.units, run.units.keys())
    ]
    boxes = [_box(run, name) for name in sorted(run.units)]
    words = [f"{box.name}: {box.words}" for box in boxes]
    words += [f"{tie.tail}: {tie.kind}={tie.head}{', cut' * tie.cut}" for tie in ties]
    return Picture(units_svg(boxes, ties), "\n".join(words))


def _box(run: UnitsRun, name: str) -> UnitBox:
    stood = [stay.state for stay in run.states.get(name, ()) if stay.start < run.seconds]
    return UnitBox(name, stood[-1], stood[-1]) if stood else UnitBox(name, "not started")


def timeline(run: UnitsRun) -> Picture:
    """The start-up: a row for each unit."""
    found = start_up(run.states)
    rows = [Row(unit, tuple(Phase(*stay) for stay in all_of)) for unit, all_of in found]
    words = "\n".join(
        f"{row.name}: "
        + ", ".join(f"{phase.state} from {phase.start:.1f} s" for phase in row.phases)
        for row in rows
    )
    return Picture(timeline_svg(rows, "How the units came up"), words)


def _options(line: str) -> argparse.Namespace:
    """Raises UsageError; argparse alone would end the kernel."""
    parser = argparse.ArgumentParser(prog="%%units", add_help=False, exit_on_error=False)
    parser.add_argument("units", nargs="*")
    parser.add_argument("--for", dest="seconds", type=float)
    parser.add_argument("--at", type=float)
    try:
        options, unknown = parser.parse_known_args(shlex.split(line))
    except (argparse.ArgumentError, ValueError, SystemExit) as error:
        raise UsageError(f"{error}\n{USAGE}") from None
    if unknown:
        raise UsageError(f"%%units knows no {' '.join(unknown)}.\n{USAGE}")
    if options.seconds is not None and not 0 < options.seconds < inf:
        raise UsageError("--for wants seconds, more than 0.")
    return options


def _parts(cell: str) -> tuple[Mapping[str, str], Sequence[str]]:
    """The unit files, and the lines that are typed."""
    found = _PROMPT.search(cell)
    texts, terminal = (cell[: found.start()], cell[found.start() :]) if found else (cell, "")
    lines = [line for line in terminal.splitlines() if line.strip()]
    for line in lines:
        if not line.startswith("$ "):
            raise UsageError(
                f"Each line that is typed begins with '$ ', below all unit files: {line}"
            )
    before, *parts = _HEADING.split(texts)
    if before.strip() or not parts:
        raise UsageError("Each unit file of the cell begins with its name: # web.service")
    for name in parts[::2]:
        if "/" in name:
            raise UsageError(f"{name} is no name of a unit.")
    files = {
        name: text.strip("\n") + "\n" for name, text in zip(parts[::2], parts[1::2], strict=True)
    }
    return files, [line.removeprefix("$ ") for line in lines]


def _records(place: Path, units: Sequence[str]) -> Sequence[Record]:
    """The journal of a manager that is asked for these units, and to leave when all has been typed."""
    try:
        keeper_program()  # built here, where time is real
        run = record([sys.executable, "-m", terminal.__name__, str(place), *units])
    except CannotTraceError as refusal:
        raise UsageError(f"{refusal} Without that, a notebook can't run services.") from None
    except (CannotBuildError, CannotRecordError) as error:
        raise UsageError(str(error)) from None
    if run.ended_early:
        raise UsageError(f"{run.ended_early} Does a line wait for something that never comes?")
    if run.status or not (place / terminal.JOURNAL).exists():
        raise UsageError(f"The service manager has not begun.\n{run.output}".strip())
    records = since_last_start(journal.whole(place / terminal.JOURNAL))
    units_of = str(place / terminal.UNITS)
    return [replace(each, text=each.text.replace(units_of, terminal.ETC)) for each in records]


def _line(record: Record) -> str:
    about = "" if not record.unit or record.unit in record.text else f"{record.unit}: "
    return about + record.text
