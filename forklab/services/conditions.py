"""Questions about paths, asked when a unit is about to start (systemd.unit(5), "Conditions and Asserts")."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from forklab.services.unit import Condition


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0


def _is_not_empty(path: str) -> bool:
    return stat.S_ISREG(_mode(path)) and os.stat(path).st_size > 0


def _has_files(path: str) -> bool:
    """Hidden ones do not count, nor what an editor or a packaging tool has put aside. Who may not look: it has some."""
    try:
        return any(not _ASIDE.search(each) for each in os.listdir(path))
    except OSError as error:
        return not isinstance(error, FileNotFoundError | NotADirectoryError)


_ASIDE: Final = re.compile(
    r"^\.|~$|^(lost\+found|aquota\.user|aquota\.group)$|\.(bak|old|new|swp|rpm(new|save|orig)"
    r"|dpkg-(old|new|tmp|dist|bak|backup|remove)|ucf-(new|old|dist))$"
)


def _is_mount_point(path: str) -> bool:
    """Also a file, or what is bound from the same file system: unlike os.path.ismount."""
    place = os.path.realpath(path)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        return any(_unescaped(line.split(" ")[4]) == place for line in mounts)


def _unescaped(field: str) -> str:
    """Blanks are `\\040` there (proc(5))."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def _matches(pattern: str) -> bool:
    """Other than in Python, `{a,b}` is one of the two (glob(3), GLOB_BRACE)."""
    braces = re.search(r"\{([^{}]*)\}", pattern)
    if not braces:
        return bool(glob.glob(pattern))
    before, behind = pattern[: braces.start()], pattern[braces.end() :]
    return any(_matches(before + each + behind) for each in braces[1].split(","))


_TESTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "PathExists": lambda path: bool(_mode(path)),
    "PathExistsGlob": _matches,
    "PathIsDirectory": lambda path: stat.S_ISDIR(_mode(path)),
    "PathIsSymbolicLink": os.path.islink,
    "PathIsMountPoint": _is_mount_point,
    "PathIsReadWrite": lambda path: os.access(path, os.W_OK),
    "DirectoryNotEmpty": _has_files,
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
