"""From a command of a unit to the order that a keeper is given: who runs it, where, which program, with which words.

What is wrong before there is a process is found here; the keeper finds out the rest (systemd.exec(5)).
"""

from __future__ import annotations

import errno
import grp
import os

from forklab.services import life
from forklab.services.blame import EXEC, GROUP, STDOUT, USER
from forklab.services.environment import entry_of, environment_of, resolve, told
from forklab.services.unit import Service
from forklab.services.words import expand


class StepError(Exception):
    """A command cannot become what it should: its process ends with a status that says at which step."""

    def __init__(self, status: int, number: int) -> None:
        super().__init__(status)
        self.status = status
        self.errno = number

    @classmethod
    def stdout(cls, error: OSError) -> StepError:
        return cls(STDOUT, error.errno or errno.EIO)


def identity(service: Service, run: life.Run) -> tuple[str, tuple[str, str, str]]:
    """The user, and the numbers of user, group and further groups; all empty: as we are. Raises StepError.

    They have to be there also for a command that does not become them.
    """
    try:
        _numbers(service.user, "")
    except KeyError:
        raise StepError(USER, errno.ESRCH) from None
    try:
        numbers = _numbers(service.user, service.group)
    except KeyError:
        raise StepError(GROUP, errno.ESRCH) from None
    return ("", ("", "", "")) if run.command.as_root else (service.user, numbers)


def arguments_and_variables(
    service: Service, now: life.Life, run: life.Run, main: int, ear: str
) -> tuple[list[str], list[str]]:
    """`main`: the pid of the main process, 0 if there is none; `ear`: the address of the socket for announcements.

    Raises OSError and KeyError as `environment_of`, and ValueError for words that cannot be expanded.
    """
    environment = environment_of(service) | told(service, now, run, main, ear)
    arguments = list(run.command.arguments)
    if not run.command.verbatim:
        arguments[1:] = expand(arguments[1:], environment)
    return arguments, [f"{key}={value}" for key, value in environment.items()]


def directory(service: Service, user: str) -> str:
    """With a leading minus: it need not be there."""
    path = service.working_directory or "/"
    if path.lstrip("-") == "~":
        return ("-" if path.startswith("-") else "") + entry_of(user or str(os.getuid())).pw_dir
    return path


def program(run: life.Run) -> str:
    """The file. Raises StepError."""
    try:
        return resolve(run.command.path)
    except FileNotFoundError:
        raise StepError(EXEC, errno.ENOENT) from None


def _numbers(user: str, group: str) -> tuple[str, str, str]:
    """Raises KeyError."""
    if not user and not group:
        return "", "", ""
    entry = entry_of(user or str(os.getuid()))
    gid = entry.pw_gid
    if group:
        gid = grp.getgrgid(int(group)).gr_gid if group.isdigit() else grp.getgrnam(group).gr_gid
    if os.getuid() != 0 and (entry.pw_uid, gid) == (os.getuid(), os.getgid()):
        return "", "", ""
    # As systemd has it: who only changes the group, or has that of root, has no further groups.
    groups = os.getgrouplist(entry.pw_name, gid) if user and gid else []
    return str(entry.pw_uid), str(gid), ",".join(map(str, groups))
