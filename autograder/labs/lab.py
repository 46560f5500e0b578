"""A lab: its folder, read and checked before anybody is judged by it."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from autograder.errors import did_you_mean
from autograder.labs.flaws import Flaw, LabError
from autograder.labs.playbill import MODEL_OF_INIT, OF_AN_INIT, Playbill, read_playbill
from autograder.labs.scenario import Scenario, load_scenario
from autograder.labs.tomlfile import TomlTable, read_table

_MOST_GENERATED = 100
_SHIPPED_LABS = Path(__file__).resolve().parents[2] / "labs"


@dataclass(frozen=True)
class Late:
    """By when to hand in, who has longer, and which function says what lateness costs (grading/lateness.py)."""

    due: datetime
    policy: str
    extensions: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Generated:
    """How many scenarios each student gets that nobody wrote (labs/generate.py), and what each is worth."""

    scenarios: int
    points: float
    hidden: bool = False
    extra: bool = False


@dataclass(frozen=True)
class Lab:
    """An exercise: its scenarios are in the order of their files' names; `program` is what a submission must become.

    `bill` is what holds for all of its plays, with all programs if it has several.
    """

    name: str
    title: str
    folder: Path
    scenarios: tuple[Scenario, ...] = field(repr=False)
    program: str = "init"
    late: Late | None = None
    generated: Generated | None = None
    bill: Playbill = OF_AN_INIT

    @property
    def max_points(self) -> float:
        return sum(scenario.points for scenario in self.scenarios if not scenario.extra)


def load_lab(path_or_name: Path | str) -> Lab:
    """The lab in a folder, or the one of that name.

    A name is looked for as ./labs/NAME, then among the labs that came with this program. Raises LabError with
    everything that is wrong in the lab's files.
    """
    folder = _find(Path(path_or_name))
    table = read_table(folder / "lab.toml")
    title = table.text("title")
    bill = read_playbill(table)
    weights, late = table.table("weights"), _late(table.table("late"))
    generated = _generated(table.table("generated"))
    if generated and bill.expected != MODEL_OF_INIT:
        what = "scenarios are generated for labs about an init alone"
        table.flaw("generated", what, "Leave [generated] away.")
    factors = {pattern: weights.positive(pattern) for pattern in weights.keys} if weights else {}
    flaws: list[Flaw] = []
    scenarios: list[Scenario] = []
    paths = _scenario_files(folder / "scenarios", flaws)
    for path in paths:
        try:
            scenarios.append(load_scenario(path, bill))
        except LabError as error:
            flaws.extend(error.flaws)
    for pattern in factors:
        if weights and not fnmatch.filter([path.stem for path in paths], pattern):
            mend = did_you_mean(pattern, (path.stem for path in paths))
            weights.flaw(pattern, f"no scenario is called {pattern!r}", mend)
    flaws = [*table.flaws_found(), *flaws]
    if not paths and not flaws:
        what = "the lab has no scenarios, so there is nothing to judge"
        flaws.append(Flaw(folder, None, what, "Put at least one into scenarios/01_NAME.toml."))
    if flaws:
        raise LabError(flaws)
    weighed = tuple(_weighed(scenario, factors) for scenario in scenarios)
    return Lab(
        folder.resolve().name, title, folder, weighed, bill.programs[0], late, generated, bill
    )


def _scenario_files(folder: Path, flaws: list[Flaw]) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        flaws.append(Flaw(folder, None, f"the folder cannot be read: {error.strerror}"))
        return []
    return [folder / name for name in names if name.endswith(".toml") and name[0] != "."]


def _late(table: TomlTable | None) -> Late | None:
    if table is None:
        return None
    due, policy = table.moment("due"), table.text("policy")
    if policy and not re.fullmatch(r"[\w./-]+:\w+", policy):
        mend = 'For example: policy = "late.py:a_tenth_a_day"'
        table.flaw("policy", "`policy` must be FILE.py:FUNCTION or MODULE:FUNCTION", mend)
    longer = table.table("extensions")
    return Late(due, policy, {name: longer.moment(name) for name in longer.keys} if longer else {})


def _generated(table: TomlTable | None) -> Generated | None:
    if table is None:
        return None
    count, points = table.positive("scenarios"), table.positive("points")
    if count != int(count) or count > _MOST_GENERATED:
        mend = "For example: scenarios = 3"
        table.flaw("scenarios", f"`scenarios` must be a whole number up to {_MOST_GENERATED}", mend)
    return Generated(int(count), points, table.flag("hidden"), table.flag("extra"))


def _weighed(scenario: Scenario, factors: Mapping[str, float]) -> Scenario:
    for pattern, factor in factors.items():
        if fnmatch.fnmatchcase(scenario.name, pattern):
            scenario = replace(scenario, points=scenario.points * factor)
    return scenario


def _find(wanted: Path) -> Path:
    if (wanted / "lab.toml").exists():
        return wanted
    if wanted.name == str(wanted):
        for labs in (Path("labs"), _SHIPPED_LABS):
            if (labs / wanted / "lab.toml").exists():
                return labs / wanted
        names = {
            folder.parent.name
            for labs in (Path("labs"), _SHIPPED_LABS)
            for folder in labs.glob("*/lab.toml")
        }
        what = "there is no lab of this name"
        if wanted.is_dir():
            what += ", and the folder of this name has no lab.toml"
        raise LabError([Flaw(wanted, None, what, did_you_mean(str(wanted), names))])
    what = (
        "this folder is no lab: it has no lab.toml"
        if wanted.is_dir()
        else "there is no such folder"
    )
    raise LabError([Flaw(wanted, None, what)])
