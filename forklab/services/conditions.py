"""Questions about paths, asked when a unit is about to start (systemd.unit(5), "Conditions and Asserts")."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from forklab.services.unit import Condition


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0


def _is_not_empty(path: str) -> bool:
    return stat.S_ISREG(_mode(path)) and os.stat(path).st_size > 0


_TESTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "PathExists": lambda path: bool(_mode(path)),
    "PathExistsGlob": lambda path: bool(glob.glob(path)),
    "PathIsDirectory": lambda path: stat.S_ISDIR(_mode(path)),
    "PathIsSymbolicLink": os.path.islink,
    "PathIsReadWrite": lambda path: os.access(path, os.W_OK),
    "DirectoryNotEmpty": lambda path: stat.S_ISDIR(_mode(path)) and any(Path(path).iterdir()),
    "FileNotEmpty": _is_not_empty,
    "FileIsExecutable": lambda path: stat.S_ISREG(_mode(path)) and os.access(path, os.X_OK),
}


def unmet(conditions: Iterable[Condition]) -> Condition | None:
    """The first that is not met: each has to be, but of those with `|` one is enough. Assertions are judged apart."""
    asked = list(conditions)
    for group in ([c for c in asked if not c.asserted], [c for c in asked if c.asserted]):
        triggering = [each for each in group if each.triggering]
        for each in group:
            if not each.triggering and not _is_met(each):
                return each
        if triggering and not any(map(_is_met, triggering)):
            return triggering[0]
    return None


def _is_met(condition: Condition) -> bool:
    return _TESTS[condition.test](condition.path) != condition.negated
