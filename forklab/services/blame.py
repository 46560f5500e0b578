"""Why a command could not become what its unit says: the line that says so, and the mend.

What went wrong is told by errno, and by the exit status that systemd has for the step (systemd.exec(5), "Process Exit
Codes").
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from forklab.services.unit import Unit
from forklab.services.unitfile import Setting, settings

CHDIR, EXEC, STDOUT, GROUP, USER = 200, 203, 209, 216, 217
STEPS: Final[Mapping[int, str]] = {
    CHDIR: "CHDIR",
    EXEC: "EXEC",
    STDOUT: "STDOUT",
    GROUP: "GROUP",
    USER: "USER",
}
_KEYS: Final[Mapping[int, Sequence[str]]] = {
    CHDIR: ("WorkingDirectory",),
    STDOUT: ("StandardOutput", "StandardError"),
    GROUP: ("User", "Group"),
    USER: ("User",),
}
_ONLY_ROOT: Final = (
    "only root can become somebody else. Start the manager as root, or take it back in a drop-in,"
    " with 'User=' and 'Group=' and nothing behind them"
)
_MENDS: Final[Mapping[tuple[int, int], str]] = {
    (USER, errno.EPERM): _ONLY_ROOT,
    (GROUP, errno.EPERM): _ONLY_ROOT,
    (USER, errno.ESRCH): "there is no such user. 'getent passwd' lists all",
    (GROUP, errno.ESRCH): "there is no such group. 'getent group' lists all",
    (CHDIR, errno.ENOENT): "there is no such folder. Make it, or write a minus before its name",
    (EXEC, errno.ENOENT): "there is no such program, or the one behind its #! is missing",
    (EXEC, errno.EACCES): "it may not be executed. 'chmod +x' allows it",
    (EXEC, errno.ENOEXEC): "it is no program. A script begins with a line such as #!/bin/sh",
}


def blamed(unit: Unit, key: str, path: str, status: int, number: int) -> str:
    """The file and line of what cannot be had, and the mend: "web.service:7: User=www: only root ..."

    `key` and `path` are those of the command. Files are looked at as they are now; "" if no line says it any more.
    """
    keys, within = (_KEYS[status], "") if status in _KEYS else ((key,), path)
    line = _last(unit, keys, within)
    if line is None:
        return ""
    mend = _MENDS.get((status, number), os.strerror(number))
    return f"{line.file}:{line.line}: {line.key}={line.value}: {mend}."


def _last(unit: Unit, keys: Sequence[str], within: str) -> Setting | None:
    found = None
    for file in unit.files:
        with suppress(OSError):
            for line in settings(Path(file).read_bytes(), file):
                if isinstance(line, Setting) and line.key in keys and within in line.value:
                    found = line
    return found
