"""Any init of this machine, as if it had been handed in: tini -g --, dumb-init, sh."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CommandError
from autograder.safe_text import one_line
from autograder.stage.tools import put_program
from autograder.submission.executable import check_executable
from autograder.submission.intake import BuildError


@dataclass(frozen=True)
class Installed:
    """A program with the arguments that it takes before the command that it is to start."""

    path: Path
    arguments: tuple[str, ...]
    root: Path | None = None  # of the system in which it stands; None: this machine's

    def command(self, folder: Path | str) -> list[str]:
        """How it is started in a sandbox that shows at `folder` what `put_into` has put there."""
        path = self.path if self._is_seen_inside else f"{folder}/{self.path.name}"
        return [str(path), *self.arguments]

    def put_into(self, folder: Path) -> None:
        """Copies the program there, if it stands where a sandbox does not show it."""
        if not self._is_seen_inside:
            put_program(self.path, folder / self.path.name)

    @property
    def _is_seen_inside(self) -> bool:
        return self.root is not None or str(self.path).startswith(("/usr/", "/bin/", "/sbin/"))


def find_installed(command: Sequence[str], root: Path | None = None) -> Installed:
    """The program that a command line names, in the system below `root` if there is one: by its full path then.

    Raises CommandError if there is none.
    """
    found = shutil.which(f"{root or ''}{command[0]}")
    if found is None:
        raise CommandError(f"{one_line(command[0])}: no such program, or it cannot be executed.")
    if root is not None:
        return Installed(Path(command[0]), tuple(command[1:]), root)
    path = Path(found).absolute()
    try:
        check_executable(path)
    except (BuildError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandError(f"{one_line(command[0])} cannot be played: {why}") from error
    return Installed(path, tuple(command[1:]))
