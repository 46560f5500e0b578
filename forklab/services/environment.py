"""The environment of a command: what everybody has, what the unit sets, what its files set (systemd.exec(5))."""

from __future__ import annotations

import glob
import os
import pwd
import re
from math import inf
from pathlib import Path
from typing import Final

from forklab.kernel.signals import signal_name
from forklab.services.life import Life, Run
from forklab.services.unit import Service
from forklab.services.values import is_name

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment_of(service: Service) -> dict[str, str]:
    """Raises OSError, for a file that is not there and has no leading minus, and KeyError for a user who is not."""
    found = {"PATH": PATH}
    if service.user:
        entry = entry_of(service.user)
        found |= {
            "USER": entry.pw_name,
            "LOGNAME": entry.pw_name,
        }
        if entry.pw_name != "nobody":  # who has no home, whatever passwd(5) says
            found["HOME"] = entry.pw_dir
        if not entry.pw_shell.endswith(("/nologin", "/false")):
            found["SHELL"] = entry.pw_shell
    found |= dict(each.split("=", 1) for each in service.environment)
    for each in service.environment_files:
        pattern = each.removeprefix("-")
        try:
            for path in sorted(glob.glob(pattern)) or [pattern]:
                found |= read_file(Path(path))
        except OSError:
            if not each.startswith("-"):
                raise
    return found


def told(
    service: Service, life: Life, run: Run, main_pid: int, notify_socket: str
) -> dict[str, str]:
    """What a command is told of the others (systemd.exec(5), "Environment Variables Set or Propagated")."""
    found = {}
    if run.role == "control" and main_pid:
        found["MAINPID"] = str(main_pid)
    heard = ("all", "exec") if run.role == "control" else ("all", "exec", "main")
    if service.notify_access in heard:
        found["NOTIFY_SOCKET"] = notify_socket
    if service.watchdog < inf and run.role == "main":
        found["WATCHDOG_USEC"] = str(round(service.watchdog * 1e6))
    if run.key in ("ExecStop", "ExecStopPost"):
        found["SERVICE_RESULT"] = life.result
        if life.main_end is not None:
            code = os.waitstatus_to_exitcode(life.main_end & ~0x80)
            dumped = "dumped" if life.main_end & 0x80 else "killed"
            found["EXIT_CODE"] = "exited" if code >= 0 else dumped
            name = signal_name(-code).removeprefix("SIG") if code < 0 else str(code)
            found["EXIT_STATUS"] = name
    return found


def entry_of(user: str) -> pwd.struct_passwd:
    return pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)


# A comment, NAME=VALUE, or nothing; quotes may only stand at the beginning of a value, and then one behind another. The
# end of the file closes what is open.
_LINE: Final = re.compile(
    r"""\s*(?:[#;](?:\\.|[^\\\n])*|(?P<name>[^=\n]*)=(?P<value>(?:[ \t]*(?:'[^']*(?:'|\Z)|"(?:\\.|[^"\\])*(?:"|\Z)))*"""
    r"""(?:\\.|[^\\\n])*)|[^\n]*)(?:\n|$)""",
    re.DOTALL,
)
# A backslash behind which nothing stands: before it there are none, or pairs.
_LAST_BACKSLASH: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\\Z")
_PART: Final = re.compile(
    r"""[ \t]*'([^']*)(?:'|\Z)|[ \t]*"((?:\\.|[^"\\])*)(?:"|\Z)|\s*((?:\\.|[^\\])*?)\s*$""",
    re.DOTALL,
)


def read_file(path: Path) -> dict[str, str]:
    """The assignments of an EnvironmentFile=, much as a shell would read them, but nothing is expanded."""
    found = {}
    text = path.read_text(errors="surrogateescape").replace("\r\n", "\n")
    for line in _LINE.finditer(_LAST_BACKSLASH.sub(r"\1", text)):
        if line["name"] and is_name(line["name"].strip()):
            found[line["name"].strip()] = "".join(map(_unquoted, _PART.finditer(line["value"])))
    return found


def _unquoted(part: re.Match[str]) -> str:
    single, double, bare = part.groups()
    if single is not None:
        return str(single)
    if double is not None:
        return re.sub(r'\\(["\\`$])', r"\1", double.replace("\\\n", ""))
    return re.sub(r"\\(.)", r"\1", bare.replace("\\\n", ""), flags=re.DOTALL)


def resolve(program: str) -> str:
    """The file of a program that is named without a folder. Raises FileNotFoundError."""
    if program.startswith("/"):
        return program
    for folder in PATH.split(":"):
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise FileNotFoundError(f"no program '{program}' in {PATH}")
