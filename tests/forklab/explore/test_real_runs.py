"""What happens when nobody holds the processes of a program is among the outcomes that are found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from random_programs import random_program
from real_kernel import DEADLINE, UNSHARE

from forklab.explore import explore
from forklab.source import program_of
from forklab.steps.moves import TIME

pytestmark = pytest.mark.usefixtures("pid_namespaces")

RUNS = 25  # of each program
LAST_HEADER = "#include <unistd.h>\n"
NOISE = f'{LAST_HEADER}#include "{Path(__file__).with_name("noise.h")}"\n'

# PID 1 of a namespace: has the program as a child, and then all orphans.
INIT = """\
import os, signal, sys
ignored = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT]
first = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, setsigdef=ignored, setsid=True)
status = None
try:
    while True:
        process, how = os.wait()
        status = how if process == first else status
except ChildProcessError:
    print(os.waitstatus_to_exitcode(status), file=sys.stderr)
"""

Seen = tuple[str, int | None]  # output, and the status of the first process; -n for signal n


def real_run(program: str) -> Seen:
    command = [*UNSHARE, sys.executable, "-I", "-S", "-c", INIT, program]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    return done.stdout, int(done.stderr)


def compare(seed: int) -> tuple[set[Seen], set[Seen]] | None:
    """What can happen and what happened; None of a program that may sleep until a certain time, or for ever."""
    text = random_program(seed)
    with program_of("c", text) as program:
        found = explore(program.argv, program=program.path)
    # What becomes of who is stopped then is up to the shell below which the program runs.
    abandoned = [reason for reason in found.reasons if "is stopped when P ends" in reason]
    assert found.complete or abandoned == list(found.reasons), text
    everywhere = found.graph.learned.situations.values()
    times = any(move.kind == TIME for here in everywhere for move in here.moves)
    if times or any(outcome.deadlock for outcome in found.outcomes):
        return None
    possible: set[Seen] = {(outcome.output, outcome.end.status) for outcome in found.outcomes}
    noisy = text.replace(LAST_HEADER, NOISE)
    with program_of("c", noisy) as program:
        assert program.path is not None
        happened = {real_run(program.path) for _ in range(RUNS)}
    assert happened <= possible, text
    return possible, happened


def compare_all(seeds: range) -> None:
    compared = [both for both in map(compare, seeds) if both is not None]
    assert len(compared) > len(seeds) // 8
    # The noise is of use: chance finds many of the outcomes as well.
    assert 2 * sum(len(happened) for _, happened in compared) > sum(len(p) for p, _ in compared)


def test_what_really_happens_was_foreseen() -> None:
    compare_all(range(24))


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(1, 6))
def test_what_really_happens_was_foreseen_of_many(hundred: int) -> None:
    compare_all(range(100 * hundred - 100, 100 * hundred))
