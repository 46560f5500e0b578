"""A real manager with real services, for tests: started by the command as people start it, and ended in any case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from forklab.ctl.asking import Answer, Asking, NoManagerError
from forklab.services.journal import Record, whole
from forklab.services.processes import children

PATIENCE = 60.0  # seconds, for what takes milliseconds on a machine that has nothing else to do


def until(question: Callable[[], object], what: str = "", patience: float = PATIENCE) -> None:
    """Asks again and again; fails if it is never so."""
    end = time.monotonic() + patience
    while not question():
        assert time.monotonic() < end, f"it never was so: {what or question}"
        time.sleep(0.01)


class Managed:
    """A manager that runs, its units' `folder` and its `place`."""

    process: subprocess.Popen[str]

    def __init__(self, command: list[str], folder: Path, place: Path) -> None:
        self.folder = folder
        self.place = place
        self._command = command
        self._asking = Asking(place)

    def begin(self) -> None:
        """Also where one was killed."""
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        until(lambda: self.answers() or self.process.poll() is not None, "it is up")
        assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()

    def answers(self) -> bool:
        try:
            return self.ask("folders").status == 0
        except NoManagerError:
            return False

    def ask(self, verb: str, *names: str, **more: Any) -> Answer:
        return self._asking.ask(verb, list(names), **more)

    def start(self, *names: str) -> int:
        return self.ask("start", *names, wait=True).status

    def stop(self, *names: str) -> int:
        return self.ask("stop", *names, wait=True).status

    def add(self, name: str, text: str) -> str:
        """A service that is known from now on."""
        write(self.folder, {name: text})
        self.ask("daemon-reload")
        return name

    def unit(self, name: str) -> dict[str, Any]:
        (found,) = self.ask("states", name).units
        return found

    def stands(self, name: str) -> str:
        found = self.unit(name)
        return f"{found['active']}/{found['sub']}/{found['result']}"

    def records(self, name: str = "") -> list[Record]:
        return [each for each in whole(self.place / "journal") if not name or each.unit == name]

    def lines(self, name: str) -> list[str]:
        """What the service itself wrote."""
        return [each.text for each in self.records(name) if each.pid]

    def said(self, name: str = "") -> str:
        """What the manager said of it."""
        return "\n".join(each.text for each in self.records(name) if each.text and not each.pid)

    def everybody(self) -> set[int]:
        """All who live below it."""
        found = children(self.process.pid)
        for each in found:
            found += children(each)
        return set(found)

    def leave(self, patience: float = PATIENCE) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)


def write(folder: Path, units: Mapping[str, str]) -> None:
    """A service without a section is a command."""
    for name, text in units.items():
        path = folder / (name if "." in name else f"{name}.service")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if "[" in text.split("\n")[0] else f"[Service]\nExecStart={text}\n")


@contextmanager
def managed(
    units: Mapping[str, str],
    *wanted: str,
    options: tuple[str, ...] = (),
    before: tuple[str, ...] = (),
) -> Iterator[Managed]:
    """`before`: the beginning of the command line, as that of unshare(1)."""
    with TemporaryDirectory(prefix="units-") as name:
        folder, place = Path(name) / "units", Path(name) / "run"
        folder.mkdir()
        write(folder, units)
        command = [*before, sys.executable, "-m", "forklab.command.main", "services"]
        command += ["--runtime", str(place), *options, str(folder), *wanted]
        manager = Managed(command, folder, place)
        try:
            manager.begin()
            yield manager
        finally:
            end(manager)


def end(manager: Managed) -> None:
    """Nobody is left, however the test went."""
    left = manager.everybody()
    manager.process.kill()
    with suppress(ValueError):  # it has been heard to its end already
        manager.process.communicate()
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
