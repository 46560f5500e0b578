"""Our manager as one that facts are played on; also a program, for under the lens.

    python our_manager.py ACT OUT NAME...    plays these facts, and writes {name: record} to OUT

Each fact has a manager of its own, in folders of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from below import PLACES, Below
from facts import Fact, facts
from playing import A_COMMAND, Answer, play

from forklab.ctl.main import main as ctl
from forklab.services.folder import Folders
from forklab.services.journal import Record as Line
from forklab.services.keepers import keeper_program
from forklab.services.run import run

_COMMANDS = {"systemctl": "ctl", "journalctl": "ctl journal"}  # what a fact types is ours
_COMMAND = f"""#!/bin/sh
exec {sys.executable} -m forklab.command.main {{}} --runtime {{}} "$@"
"""


class OurManager(Below):
    """`runtime` has its sockets and its journal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._runtime = folder / "r"

    def begin(self, files: dict[str, str]) -> None:
        self.write(files)
        self.control("daemon-reload")

    def control(self, *arguments: str) -> Answer:
        """`ctl` itself, in this process."""
        out, err = io.StringIO(), io.StringIO()
        words = [self.here(each) for each in arguments]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = ctl(["--runtime", str(self._runtime), *words])
            except SystemExit as end:
                status = int(end.code or 0)
        time.sleep(A_COMMAND)  # no command has to be waited for below the lens
        return Answer(status, self.there(out.getvalue()), self.there(err.getvalue()))

    def shell(self, command: str) -> Answer:
        environment = {**os.environ, "PATH": f"{self._folder}/bin:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", self.here(command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            check=False,
        )
        return Answer(done.returncode, self.there(done.stdout), self.there(done.stderr))

    def show(self, unit: str) -> str:
        names = "LoadState,ActiveState,SubState,Result,NRestarts"
        told = self.control("show", unit, "-p", names).out
        found = dict(line.split("=", 1) for line in told.splitlines())
        return "/".join(found.get(each) or "-" for each in names.split(","))

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def log(self) -> list[str]:
        path = self._folder / "lab" / "log"
        return self.there(path.read_text(errors="replace")).splitlines()

    def journal(self) -> list[tuple[str, str]]:
        text = (self._runtime / "journal").read_bytes()
        lines = map(Line.of, text.splitlines(keepends=True))
        return [(each.unit, self.there(each.text)) for each in lines if each and not each.event]

    def end(self, units: list[str], files: dict[str, str]) -> None:
        """All goes with the manager, and with its folder."""


@contextlib.contextmanager
def managed(act: Path) -> Iterator[OurManager]:
    """One that has just begun. It is a copy of this process, which knows all of its modules already."""
    # Short: the path of a socket has an end (unix(7)).
    folder = Path(tempfile.mkdtemp(prefix="f", dir="/tmp"))
    folder.chmod(0o755)
    places = [folder / each.strip("/") for each in PLACES]
    for place in (*places, folder / "run/systemd/system", folder / "bin"):
        place.mkdir(parents=True, exist_ok=True)
    log = folder / "lab" / "log"
    log.touch()
    log.chmod(0o666)
    shutil.copy(act, folder / "lab" / "act")
    for name, ours in _COMMANDS.items():
        command = folder / "bin" / name
        command.write_text(_COMMAND.format(ours, folder / "r"))
        command.chmod(0o755)
    manager = os.fork()
    if not manager:
        os.setsid()
        found = Folders([places[0], folder / "run/systemd/system", places[1]])
        os._exit(run(found, folder / "r", keeper_program(), []))
    try:
        while not (folder / "r" / "control").exists():
            time.sleep(0.01)
        yield OurManager(folder)
    finally:
        for _ in range(2):  # the second one is for who cannot wait
            os.kill(manager, signal.SIGTERM)
        os.waitpid(manager, 0)
        shutil.rmtree(folder, ignore_errors=True)


def main(act: Path, out: Path, names: list[str]) -> None:
    wanted: dict[str, Fact] = {each.name: each for each in facts()}
    found = {}
    for name in names:
        with managed(act) as manager:
            found[name] = asdict(play(wanted[name], manager))
        out.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
