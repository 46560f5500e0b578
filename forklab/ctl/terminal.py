"""A manager, and somebody at a terminal: `python -m forklab.ctl.terminal PLACE [UNIT...]`, for below the lens.

PLACE/units has the unit files, PLACE/typed the lines that are typed, one after the other, once the manager has begun.
Then it is told to stop everything. PLACE/journal is its journal, PLACE/answers what came of each line, in JSON.

`systemctl` and `journalctl` are `ctl` and `ctl journal` here, and the folder of the units is called as with systemd.
One interpreter is the manager, the terminal and `ctl`: below the lens, beginning another one costs more than its work.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from forklab.services.folder import Folders
from forklab.services.keepers import keeper_program
from forklab.services.place import CONTROL
from forklab.services.run import run

ETC: Final = "/etc/systemd/system"  # what the folder of the units is called: see systemd.unit(5)
UNITS, TYPED, JOURNAL, ANSWERS = "units", "typed", "journal", "answers"
_RUNTIME: Final = "runtime"
_FOR_A_SHELL: Final = re.compile(
    r"[|&;<>()$`\\*?\[#~]|-\w*f\b|--follow"
)  # and what ends with ^C only
_COMMANDS: Final = {"systemctl": [], "journalctl": ["journal"]}


def main(place: Path, units: list[str]) -> int:
    os.environ["TZ"] = "UTC"  # the same words for everybody
    runtime = place / _RUNTIME
    manager = os.fork()
    if not manager:
        found = Folders([place / UNITS])
        os._exit(run(found, runtime, keeper_program(), units, journal=place / JOURNAL))
    with (place / ANSWERS).open("w", encoding="utf-8") as answers:
        while not (runtime / CONTROL).exists():
            if os.waitpid(manager, os.WNOHANG) != (0, 0):
                return 1
            os.sched_yield()
        for line in (place / TYPED).read_text(encoding="utf-8").splitlines():
            status, out = _type(place, line)
            answers.write(json.dumps({"typed": line, "out": out, "status": status}) + "\n")
            answers.flush()  # whatever comes next
        answers.write(json.dumps({"stop": time.time()}) + "\n")
    os.kill(manager, signal.SIGTERM)
    _, ended = os.waitpid(manager, 0)
    return os.waitstatus_to_exitcode(ended)


def _type(place: Path, line: str) -> tuple[int, str]:
    """The exit status of a line, and all that it writes."""
    units = str(place / UNITS)
    typed = line.replace(ETC, units)
    match [] if _FOR_A_SHELL.search(line) else shlex.split(typed):
        case ["sleep", seconds] if seconds.isdigit():
            time.sleep(int(seconds))
            status, out = 0, ""
        case [command, *words] if command in _COMMANDS:
            status, out = _ask(place, [*_COMMANDS[command], *words])
        case _:
            status, out = _ask_a_shell(place, typed)
    return status, out.replace(units, ETC)


def _ask(place: Path, words: list[str]) -> tuple[int, str]:
    from forklab.ctl.main import main as ctl  # here: most do not ask anything

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            status = ctl([*words, "--runtime", str(place / _RUNTIME)])
        except SystemExit as end:
            status = int(end.code or 0)
    return status, out.getvalue()


def _ask_a_shell(place: Path, line: str) -> tuple[int, str]:
    commands = place / "bin"
    if not commands.exists():
        commands.mkdir()
        for name, words in _COMMANDS.items():
            ctl = [sys.executable, "-m", "forklab.command.main", "ctl", *words]
            ctl += ["--runtime", str(place / _RUNTIME)]
            (commands / name).write_text(f'#!/bin/sh\nexec {shlex.join(ctl)} "$@"\n')
            (commands / name).chmod(0o755)
    path = f"{commands}:{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        ["sh", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"},
    )
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
