"""What every verb of `ctl` works with: whom it asks, what it was told, and where the unit files are."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from forklab.ctl.asking import Asking, NoManagerError
from forklab.services.folder import Folders


class CtlError(Exception):
    """What the user has to be told, and the exit status."""

    def __init__(self, words: str, status: int = 1) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class Context:
    manager: Asking
    asked: argparse.Namespace

    def folders(self) -> Folders:
        """Those that were named, else the manager's. Raises NoManagerError."""
        if self.asked.folder:
            return Folders([each.absolute() for each in self.asked.folder])
        return Folders([Path(each) for each in self.manager.ask("folders").folders])

    def say(self, *lines: str) -> None:
        """What was asked for."""
        if not self.asked.quiet:
            for line in lines:
                print(line)

    def tell(self, *lines: str) -> None:
        """What was done."""
        if not self.asked.quiet:
            for line in lines:
                print(line, file=sys.stderr)

    def reload(self) -> None:
        """The manager, if there is one, reads the files that were changed."""
        if not self.asked.folder:
            self.manager.ask("daemon-reload")

    def is_there(self) -> bool:
        try:
            self.manager.ask("folders")
        except NoManagerError:
            return False
        return True


def some(names: list[str]) -> None:
    """Raises CtlError where nobody is named."""
    if not names:
        raise CtlError("Too few arguments.")
