"""Mutants: copies of a lab's solution with one real bug each.

A mutant is a TOML file in the lab's folder mutants/. It says which solution it is made of, what is replaced in it, and
which scenarios have to notice. No copy of a solution is kept anywhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import did_you_mean
from autograder.labs.flaws import Flaw, LabError
from autograder.labs.lab import Lab
from autograder.labs.scenario import EVERY_SCHEDULE
from autograder.labs.tomlfile import TomlTable, read_table
from autograder.language.roles import MODES

LANGUAGES = ("c", "python", "sh")  # a lab has solutions and starters in some of them
NO_CACHES = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Edit:
    """A change of the solution: `find` is there exactly once. `line` is where the mutant's file says so."""

    find: str
    replace: str
    line: int | None = None


@dataclass(frozen=True)
class Mutant:
    """A solution with a bug. `bug` names a real one ("Yelp/dumb-init#44"), `why` tells what goes wrong.

    `of` is the file that is changed; what else is in its folder comes along. `caught_by` are the names of the
    scenarios that have to fail in each of `modes`. `path` is the mutant's own file. `race`: the bug shows in some
    schedules alone, so it is found for certain where all are looked at, in virtual time.
    """

    name: str
    title: str
    bug: str
    why: str
    of: Path
    caught_by: tuple[str, ...]
    edits: tuple[Edit, ...]
    path: Path
    modes: tuple[str, ...] = MODES
    race: bool = False


def languages_of(lab: Lab) -> tuple[str, ...]:
    """In which languages it has solutions; the one that is cheapest to run comes first."""
    there = [language for language in LANGUAGES if (lab.folder / "solution" / language).is_dir()]
    return tuple(sorted(there, key="python".__eq__))


def load_mutants(lab: Lab) -> tuple[Mutant, ...]:
    """The mutants of a lab, by name. Raises LabError with everything that is wrong in their files."""
    flaws: list[Flaw] = []
    mutants: list[Mutant] = []
    for path in sorted((lab.folder / "mutants").glob("*.toml")):
        if path.name.startswith("."):
            continue
        try:
            mutant = _load(path, lab)
            _mutated(mutant)
        except LabError as error:
            flaws.extend(error.flaws)
        else:
            mutants.append(mutant)
    if flaws:
        raise LabError(flaws)
    return tuple(mutants)


def write(mutant: Mutant, folder: Path) -> None:
    """Writes the mutant as a submission into `folder`, which is made if it is not there.

    Raises LabError if one of its edits does not fit the solution any more.
    """
    text = _mutated(mutant)
    shutil.copytree(mutant.of.parent, folder, dirs_exist_ok=True, ignore=NO_CACHES)
    (folder / mutant.of.name).write_text(text, "utf-8")


def _load(path: Path, lab: Lab) -> Mutant:
    table = read_table(path)
    title = table.text("title")
    bug = table.text("bug")
    why = table.text("why")
    of = lab.folder / table.text("of")
    caught_by = table.texts("caught_by", None)
    scenarios = [scenario.name for scenario in lab.scenarios]
    for name in caught_by:
        if name not in scenarios:
            hint = did_you_mean(name, scenarios)
            table.flaw("caught_by", f"the lab has no scenario {name!r}", hint)
    modes = table.modes()
    race = table.flag("race")
    explored = {scenario.name for scenario in lab.scenarios if scenario.explored}
    for name in caught_by:
        if race and name in scenarios and name not in explored:
            mend = f'Say explore = "{EVERY_SCHEDULE}" in {name}.toml.'
            table.flaw("caught_by", f"{name} does not look at all schedules of a race", mend)
    entries = table.tables("edit")
    edits = [_load_edit(entry) for entry in entries]
    if of != lab.folder and not of.is_file():
        there = [str(file.relative_to(lab.folder)) for file in _solutions(lab)]
        what = f"the lab has no file {str(of.relative_to(lab.folder))!r}"
        table.flaw("of", what, did_you_mean(str(of.relative_to(lab.folder)), there))
    flaws = table.flaws_found() + [flaw for entry in entries for flaw in entry.flaws_found()]
    if flaws:
        raise LabError(flaws)
    return Mutant(path.stem, title, bug, why, of, caught_by, tuple(edits), path, modes, race)


def _load_edit(table: TomlTable) -> Edit:
    find, replace = table.text("find"), table.any_text("replace")
    if find and find == replace:
        table.flaw("replace", "the edit replaces a text by itself")
    return Edit(find, replace or "", table.line_of("find"))


def _solutions(lab: Lab) -> Sequence[Path]:
    folders = (lab.folder / "solution" / language for language in LANGUAGES)
    return [file for folder in folders for file in sorted(folder.glob("*")) if file.is_file()]


def _mutated(mutant: Mutant) -> str:
    """The changed file's text. Each edit sees what those before it made."""
    text = mutant.of.read_text("utf-8")
    for edit in mutant.edits:
        times = text.count(edit.find)
        if times != 1:
            name = mutant.of.name
            flaw = Flaw(
                mutant.path,
                edit.line,
                f"what is to be replaced is {'not' if times == 0 else f'{times} times'} in {name}",
                f"Copy it from {name} as it is now, blanks included."
                if times == 0
                else "Find more of the lines around it, so that it is there once.",
            )
            raise LabError([flaw])
        text = text.replace(edit.find, edit.replace)
    return text
