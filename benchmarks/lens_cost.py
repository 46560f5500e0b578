"""What the lens costs: against strace and against running untraced, in the same run.

Whole commands on the wall, but for the start of the lens, which is told in processor time; taken in turn, the median of
several rounds.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograder.stage.tools import compiler

ROUNDS = 5
PROGRAMS = {
    "forks": """
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void)
        {
            for (int i = 0; i < 2000; i++) {
                if (fork() == 0)
                    _exit(i & 255);
                wait(0);
            }
            return 0;
        }
    """,
    "calls": """
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(void)
        {
            for (int i = 0; i < 300000; i++)
                syscall(SYS_getuid);
            return 0;
        }
    """,
    "readings": """
        #include <time.h>
        int main(void)
        {
            struct timespec now;
            for (int i = 0; i < 50000; i++)
                clock_gettime(CLOCK_MONOTONIC, &now);
            return 0;
        }
    """,
    "zombie": """
        #include <unistd.h>
        int main(void) { if (fork() > 0) sleep(100); else sleep(10); return 0; }
    """,
}
STRACE = ("strace", "-f", "--seccomp-bpf", "-e", "trace=process", "-o", "/dev/null")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        forks, calls, readings, zombie = (build(name, Path(folder)) for name in PROGRAMS)
        lens = [sys.executable, "-m", "forklab.command.main", "run", "--"]
        start, python = on_the_processor([*lens, "true"], [sys.executable, "-c", "pass"])
        print(
            f"`forklab run -- true`: {start:.3f} s of processor time,"
            f" {start / python:.1f} times that of `python3 -c pass`"
        )
        idle = medians([*lens, "true"], ["true"])[0]
        traced, bare = medians([*lens, forks], [forks])
        print(f"2,000 forks: {traced / bare:.1f} times untraced")
        if shutil.which(STRACE[0]):
            traced, peer = medians([*lens, forks], [*STRACE, forks])
            print(f"2,000 forks: {traced / peer:.2f} times strace -f --seccomp-bpf, start included")
            print(
                f"  without what the command takes for `true`: {(traced - idle) / peer:.2f} times"
            )
        traced, bare = medians([*lens, calls], [calls])
        print(
            f"300,000 other calls: {(traced - idle) / bare:.1f} times untraced, start not counted"
        )
        traced, _ = medians([*lens, readings], ["true"])
        print(
            f"50,000 readings of the clock: {traced / idle:.2f} times the command for `true`,"
            f" {traced:.2f} s"
        )
        traced, _ = medians([*lens, zombie], ["true"])
        print(f"100 s of sleep: {traced / idle:.2f} times the command for `true`, {traced:.2f} s")


def build(name: str, folder: Path) -> str:
    target = folder / name
    command = [compiler(), "-O1", "-w", "-x", "c", "-", "-o", str(target)]
    subprocess.run(command, input=PROGRAMS[name].encode(), check=True)
    return str(target)


def on_the_processor(*commands: list[str]) -> list[float]:
    """Seconds of processor time of each, with all processes that it waits for; the medians, taken in turn."""
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(3 * ROUNDS):
        for times, command in zip(taken, commands, strict=True):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run(command)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
            times.append(user + system)
    return [statistics.median(times) for times in taken]


def medians(*commands: list[str]) -> list[float]:
    """Seconds on the wall of each, taken in turn."""
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(ROUNDS):
        for times, command in zip(taken, commands, strict=True):
            started = time.monotonic()
            run(command)
            times.append(time.monotonic() - started)
    return [statistics.median(times) for times in taken]


def run(command: list[str]) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
