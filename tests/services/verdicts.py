"""What is known to be different from systemd, and why: verdicts.toml. Whatever it does not name is the same."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("verdicts.toml")


@dataclass(frozen=True)
class Verdicts:
    """The reasons, by the names of facts."""

    different: Mapping[str, str]
    not_meant: Mapping[str, str]  # it is about what this manager does not want to be

    def of(self, name: str) -> tuple[str, str]:
        """The verdict in a word or two, and its reason."""
        if name in self.not_meant:
            return "not meant", self.not_meant[name]
        if name in self.different:
            return "different", self.different[name]
        return "same", ""


@cache
def verdicts() -> Verdicts:
    found = tomllib.loads(_FILE.read_text())
    return Verdicts(found["different"], found["not_meant"])
