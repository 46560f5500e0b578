"""What somebody names at the command line: a submission, a scenario."""

from __future__ import annotations

from pathlib import Path

from autograder.errors import CommandError, did_you_mean
from autograder.labs.lab import Lab, load_lab
from autograder.labs.playbill import OF_AN_INIT
from autograder.labs.scenario import Scenario, load_scenario
from autograder.safe_text import one_line
from autograder.submission.clutter import is_archive


def scenario_in(lab: Lab, name: str) -> Scenario:
    for scenario in lab.scenarios:
        if scenario.name == name:
            return scenario
    if Path(name).is_file():
        return load_scenario(Path(name), lab.bill)
    hint = did_you_mean(name, (scenario.name for scenario in lab.scenarios))
    raise CommandError(
        f"--scenario {one_line(name)}: lab {lab.name} has no such scenario.\n  {hint}"
    )


def refuse_if_no_submission(lab: Lab, path: Path) -> None:
    """Raises CommandError if there is no folder at this path."""
    if path.is_dir():
        return
    what = "is a file: give the folder that it is in" if path.exists() else "does not exist"
    if path.exists() and is_archive(path.name):
        what = "is an archive: unpack it, and give the folder"
    raise CommandError(
        f"{path} {what}.\n"
        f"  A submission is a folder with {lab.program}.c, {lab.program}.py, a Makefile or "
        f"an executable {lab.program}."
    )


def any_scenario(name: str) -> tuple[Scenario, Lab | None]:
    """The lab, if it is named by one: LAB/SCENARIO."""
    if Path(name).is_file():
        lab = _lab_around(Path(name))
        return load_scenario(Path(name), lab.bill if lab else OF_AN_INIT), lab
    lab_name, slash, scenario = name.partition("/")
    if slash and not name.endswith(".toml"):
        lab = load_lab(lab_name)
        return scenario_in(lab, scenario), lab
    raise CommandError(
        f"{one_line(name)}: there is no such scenario file.\n"
        "  Name a file, or a scenario of a lab: init/03_orphan"
    )


def _lab_around(scenario: Path) -> Lab | None:
    """The lab in whose folder a scenario's file is, if it is in one."""
    folder = scenario.resolve().parent.parent
    return load_lab(folder) if (folder / "lab.toml").is_file() else None
