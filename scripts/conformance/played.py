"""One program in all scenes that it can be asked for, and what came of them.

    PYTHONPATH=scripts python -m conformance.played PROGRAM ROOT    prints JSON: by scene, failed line and what was seen

A process for each program: virtual time is the main thread's.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.labs.lab import Lab, load_lab
from autograder.labs.scenario import Scenario
from autograder.language.roles import INIT, PIDNS, VIRTUAL
from autograder.language.script import parse
from autograder.trial.assess import assess, judge_installed
from autograder.trial.verdict import Status, Verdict
from conformance.scenes import scene
from forklab.history import History

HERE = Path(__file__).resolve().parent
LABS = (
    "init",
    "shutdown",
)  # a place is left for the lab supervisor: its scenes are asked of those that stay


@dataclass(frozen=True)
class Promise:
    """Something that one may want of a PID 1, and the scenes that show whether it is kept."""

    name: str
    title: str
    asks: str
    scenes: tuple[str, ...]  # lab/number
    stays: str = ""  # why a program that stays when a service ends is not asked for it


@dataclass(frozen=True)
class Finding:
    """Why a program fails some scenes. `kind`: policy, unsaid or bug; `source` is where one can read it."""

    scenes: tuple[str, ...]
    kind: str
    why: str
    source: str


@dataclass(frozen=True)
class Program:
    """An init or a supervisor. `run` begins with a full path in the root; `solution`: or it is a lab's own."""

    name: str
    package: str
    what: str
    run: tuple[str, ...] = ()
    stays: bool = False
    wakes_after: str = ""
    solution: str = ""
    findings: tuple[Finding, ...] = field(default=())


def promises() -> list[Promise]:
    table = tomllib.loads((HERE / "promises.toml").read_text("utf-8"))["promise"]
    return [
        Promise(
            one["name"],
            one["title"],
            one["asks"],
            tuple(f"{lab}/{n}" for lab in LABS for n in one.get(lab, "").split()),
            one.get("stays", ""),
        )
        for one in table
    ]


def programs() -> list[Program]:
    table = tomllib.loads((HERE / "programs.toml").read_text("utf-8"))["program"]
    known = findings()
    return [
        Program(**{**one, "run": tuple(one.get("run", ()))}, findings=tuple(known[one["name"]]))
        for one in table
    ]


def findings() -> dict[str, list[Finding]]:
    """By program."""
    found = defaultdict(list)
    for one in tomllib.loads((HERE / "findings.toml").read_text("utf-8"))["finding"]:
        scenes = tuple(f"{lab}/{n}" for lab in LABS for n in one.get(lab, "").split())
        for program in one["programs"]:
            found[program].append(Finding(scenes, one["kind"], one["why"], one["source"]))
    return found


def asked_of(program: Program) -> dict[str, tuple[Promise, Scenario, Lab]]:
    """The scenes that it is asked for, by lab/number."""
    found = {}
    labs = {name: load_lab(name) for name in LABS}
    for promise in promises():
        if program.stays and promise.stays:
            continue
        for key in promise.scenes:
            lab = labs[key.partition("/")[0]]
            [scenario] = [one for one in lab.scenarios if one.name[:2] == key[-2:]]
            adapted = scene(
                scenario,
                asks_for_sleep=promise.name == "idle",
                stays=program.stays,
                wakes_after=program.wakes_after,
            )
            if adapted is not None:
                found[key] = promise, adapted, lab
    return found


def verdicts(
    program: Program, root: Path, keys: set[str] | None = None, mode: str = VIRTUAL
) -> dict[str, Verdict]:
    """What the judge says of them, by lab/number. Raises ValueError if it cannot tell."""
    found: dict[str, Verdict] = {}
    asked = {key: it for key, it in asked_of(program).items() if keys is None or key in keys}
    for name in LABS:
        of_lab = {key: it for key, it in asked.items() if key.startswith(f"{name}/")}
        scenarios = [scenario for _, scenario, _ in of_lab.values()]
        if not scenarios:
            continue
        lab = load_lab(name)
        if program.solution:
            folder = Path(program.solution)
            judged = list(assess(lab, folder, mode=mode, scenarios=scenarios).verdicts)
        else:
            judged = judge_installed(program.run, scenarios, mode=mode, lab=lab, root=root)
        found |= dict(zip(of_lab, judged, strict=True))
    undecided = {
        key: verdict.message
        for key, verdict in found.items()
        if verdict.status not in (Status.PASSED, Status.FAILED)
    }
    if undecided:
        raise ValueError(f"{program.name}: {undecided}")
    return found


def history(program: Program, script: str, root: Path) -> History:
    """What is seen when it plays a script that is in no lab."""
    any_scenario = load_lab("shutdown").scenarios[0]
    play = replace(any_scenario, script=script, steps=tuple(parse(script, INIT)))
    if program.solution:
        [verdict] = assess(
            load_lab("shutdown"), Path(program.solution), mode=VIRTUAL, scenarios=[play]
        ).verdicts
    else:
        [verdict] = judge_installed(program.run, [play], mode=VIRTUAL, root=root)
    return verdict.observed


def main() -> None:
    [program] = [one for one in programs() if one.name == sys.argv[1]]
    mode = PIDNS if "--real-time" in sys.argv else VIRTUAL
    failed = {
        key: [verdict.failed_step, verdict.message]
        for key, verdict in verdicts(program, Path(sys.argv[2]).resolve(), mode=mode).items()
        if verdict.status is Status.FAILED
    }
    json.dump(failed, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
