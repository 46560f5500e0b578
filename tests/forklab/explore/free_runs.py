"""Many runs of one program at a time, by nobody's order: they disturb each other, and noise.h does the rest.

Each has a PID namespace, one for what System V and POSIX share, and a folder of its own. Whether a run waits for ever
is seen and not guessed: all of its processes sleep, and none of them has run between two looks. So it is the same on a
machine that has much else to do.

`many_runs` are thousands, one after the other and without an interpreter for each, of a program that always ends.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from real_kernel import DEADLINE, UNSHARE
from test_real_runs import INIT, Seen

from forklab.source import program_of

FOR_EVER: Seen = ("waits for ever", None)
REST = 0.1  # seconds between two looks, of a program that never sleeps so long by itself; noise.h: 0.4 ms
_PAUSE = 0.01  # seconds
_COMMAND = [UNSHARE[0], "--ipc", *UNSHARE[1:], sys.executable, "-I", "-S", "-c", INIT]
_ASLEEP = "STZ"  # letters of /proc/PID/stat; D will go on by itself


def free_runs(program: str, folder: Path, runs: int, rest: float = REST) -> set[Seen]:
    """What comes of so many, as output and status. Who has been at rest for `rest` seconds waits for ever.

    Raises TimeoutError if one neither ends nor rests within DEADLINE seconds.
    """
    with ExitStack() as stack:
        running = {}
        for _ in range(runs):
            here = stack.enter_context(tempfile.TemporaryDirectory(dir=folder))
            process = stack.enter_context(_started(program, here))
            stack.callback(process.kill)
            running[process] = _Rest(process.pid)
        try:
            return _ends(running, rest)
        finally:
            for here in Path(folder).iterdir():
                forget_semaphores(here)


@contextmanager
def many_runner() -> Iterator[str]:
    """The path of what `many_runs` needs."""
    with program_of("c", Path(__file__).with_name("many_runs.c").read_text()) as program:
        assert program.path is not None
        yield program.path


def many_runs(runner: str, program: str, runs: int, *, own_ipc: bool = False) -> set[Seen]:
    """What comes of so many. `own_ipc`: what it makes of System V and of message queues may be left.

    Raises TimeoutError if one does not end in a minute.
    """
    here = tempfile.mkdtemp(dir=Path.cwd())
    command = [UNSHARE[0], "--ipc", *UNSHARE[1:], runner, str(runs)]
    done = subprocess.run(
        [*command, "own-ipc" if own_ipc else "same-ipc", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=here,
        check=True,
    )
    Path(here).rmdir()
    seen = set()
    for line in done.stdout.splitlines():
        status, _, digits = line.partition(" ")
        if status == "late":
            raise TimeoutError(f"{program} does not end")
        seen.add((bytes.fromhex(digits).decode(errors="replace"), int(status)))
    return seen


def forget_semaphores(folder: Path) -> None:
    """Those of POSIX have their names elsewhere: here each is called after its folder."""
    Path(f"/dev/shm/sem.forklab-{folder.stat().st_ino}").unlink(missing_ok=True)


def _started(program: str, here: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_COMMAND, program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=here,
    )


def _ends(running: dict[subprocess.Popen[str], _Rest], rest: float) -> set[Seen]:
    seen = set()
    end = time.monotonic() + DEADLINE
    while running:
        if time.monotonic() > end:
            raise TimeoutError(f"it neither ends nor rests within {DEADLINE} s")
        time.sleep(_PAUSE)
        for process, resting in list(running.items()):
            if process.poll() is not None:
                output, status = process.communicate()
                seen.add((output, int(status)))
                del running[process]
            elif resting.lasts(rest):
                process.kill()  # and the kernel all that is in its namespace
                process.communicate()
                seen.add(FOR_EVER)
                del running[process]
    return seen


class _Rest:
    """Since when nobody of a process and its descendants has run."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._look: dict[int, str] | None = None
        self._since = 0.0

    def lasts(self, seconds: float) -> bool:
        """So long already? Two equal looks have a moment in common at which everybody slept (docs/architecture.md)."""
        now, before = time.monotonic(), self._look
        self._look = _look(self._pid)
        if self._look is None or self._look != before:
            self._since = now
            return False
        return now - self._since >= seconds


def _look(pid: int) -> dict[int, str] | None:
    """How often each has run, and how long; None if somebody does right now."""
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        folder = Path(f"/proc/{one}")
        try:
            letter = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            found[one] = (folder / "schedstat").read_text()
            children = (folder / f"task/{one}/children").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        if letter not in _ASLEEP:
            return None
        waiting += map(int, children.split())
    return found
