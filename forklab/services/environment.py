"""The environment of a command: what everybody has, what the unit sets, what its files set (systemd.exec(5))."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Final

from forklab.services.unit import Service
from forklab.services.words import split

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment_of(service: Service) -> dict[str, str]:
    """Raises OSError, for a file that is not there and has no leading minus, and KeyError for a user who is not."""
    found = {"PATH": PATH}
    if service.user:
        entry = entry_of(service.user)
        found |= {
            "USER": entry.pw_name,
            "LOGNAME": entry.pw_name,
            "HOME": entry.pw_dir,
            "SHELL": entry.pw_shell,
        }
    found |= dict(each.split("=", 1) for each in service.environment)
    for path in service.environment_files:
        try:
            found |= read_file(Path(path.removeprefix("-")))
        except OSError:
            if not path.startswith("-"):
                raise
    return found


def entry_of(user: str) -> pwd.struct_passwd:
    return pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)


def read_file(path: Path) -> dict[str, str]:
    """NAME=VALUE a line; # and ; begin comments; a backslash at the end joins the next line; quotes are removed."""
    found = {}
    lines = path.read_text(errors="surrogateescape").replace("\\\n", "").split("\n")
    for line in (line.strip() for line in lines):
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")) and name.strip().isidentifier():
            value = value.strip()
            quoted = value[:1] in ("'", '"') and value[-1:] == value[:1]
            found[name.strip()] = (
                split(value)[0] if quoted and len(value) > 1 and split(value) else value
            )
    return found


def resolve(program: str) -> str:
    """The file of a program that is named without a folder. Raises FileNotFoundError."""
    if program.startswith("/"):
        return program
    for folder in PATH.split(":"):
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise FileNotFoundError(f"no program '{program}' in {PATH}")
