"""Facts about service managers: what is played (facts/*.toml), and what came of it (records/*.json)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FACTS = HERE / "facts"
RECORDS = HERE / "records"


@dataclass(frozen=True)
class Fact:
    """Units, and what is done with them, step by step:

    wait S; show UNIT...; log; sh COMMAND; all else is a command of systemctl, with its arguments.
    """

    name: str
    topic: str  # the file's name
    says: str  # what is so, for people
    steps: tuple[str, ...]
    units: Mapping[str, str] = field(
        default_factory=dict
    )  # file name -> text; and drop-ins: ta.service.d/x.conf
    files: Mapping[str, str] = field(default_factory=dict)  # absolute path -> text
    instances: tuple[str, ...] = ()  # units beside those of the files, at whose end we look
    answers: bool = True  # whether what commands print belongs to it, and not only how they exit

    @property
    def looked_at(self) -> list[str]:
        own = [name for name in self.units if "/" not in name and "@." not in name]
        return [*own, *self.instances]


@dataclass(frozen=True)
class Record:
    """What a manager did with a fact."""

    statuses: list[int]  # the exit status of each step that has one
    words: list[str]  # and what it wrote to stdout
    shows: list[dict[str, str]]  # of each step `show`: load/active/sub/result/restarts
    end: dict[str, str]  # the same, of all units in the end
    log: list[str]  # what the scripted services wrote down
    times: list[int]  # of these lines, in ms since the first step, in steps of 10
    journal: list[str]  # what the manager said of the units


def facts() -> list[Fact]:
    return [
        Fact(topic=path.stem, **{**each, "steps": tuple(each["steps"])})
        for path in sorted(FACTS.glob("*.toml"))
        for each in tomllib.loads(path.read_text())["fact"]
    ]


def records(version: str) -> dict[str, Record]:
    """All records of one systemd, by the fact's name."""
    return {name: Record(**each) for name, each in _read(version)["facts"].items()}


def versions() -> list[str]:
    return sorted(path.stem for path in RECORDS.glob("*.json"))


def full_version(version: str) -> str:
    return str(_read(version)["systemd"])


def keep(version: str, full: str, found: Mapping[str, Record]) -> None:
    """Writes records: of facts that are there already, instead of the old ones."""
    RECORDS.mkdir(exist_ok=True)
    all_of_them = {**(_read(version)["facts"] if (RECORDS / f"{version}.json").exists() else {})}
    all_of_them |= {name: asdict(record) for name, record in found.items()}
    names = [each.name for each in facts()]
    lines = ",\n".join(
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(
            f"    {json.dumps(key)}: {json.dumps(value)}"
            for key, value in all_of_them[name].items()
        )
        + "\n  }"
        for name in names
        if name in all_of_them
    )
    text = f'{{\n"systemd": {json.dumps(full)},\n"facts": {{\n{lines}\n}}\n}}\n'
    (RECORDS / f"{version}.json").write_text(text)


def _read(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDS / f"{version}.json").read_text())
    return found
