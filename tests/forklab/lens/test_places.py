"""What other systems do otherwise makes no difference: newer tools, no namespaces, fewer system calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

from forklab.explore import explore
from forklab.kernel.processors import this_processor
from forklab.lens.edge import seccomp
from forklab.lens.record import record

REFUSED = b"\x01\x00\x05\x00"  # SECCOMP_RET_ERRNO with EPERM, as the action at the end of a filter


def test_a_nanosecond_more_is_not_shown() -> None:
    """As sleep(1) has it from coreutils 9.7 on."""
    assert record(["sleep", "5.000000001"]).seconds == 5.0


def test_tracebacks_have_no_colours_unless_the_user_wants_them() -> None:
    """Python's have, from 3.13 on, at a terminal."""
    assert record(["sh", "-c", "echo $PYTHON_COLORS"]).output == "0\n"
    wanted = record(["sh", "-c", "echo $PYTHON_COLORS"], environment={"PYTHON_COLORS": "1"})
    assert wanted.output == "1\n"


def test_without_a_namespace_the_parent_of_the_first_process_is_1_too() -> None:
    for namespace in (True, False):
        assert record(["sh", "-c", "echo $PPID"], namespace=namespace).output == "1\n"


@pytest.mark.parametrize(
    ("looks", "complete"),
    [
        ("libc.fopen(b'/proc/self/stat', b'r')", True),  # as Python itself, from 3.12 on
        ("open('/proc/self/stat')", False),
        ("libc.fopen(b'/proc/1/stat', b'r')", False),
    ],
)
def test_python_that_counts_its_threads_at_a_fork_looks_at_nobody(
    looks: str, complete: bool
) -> None:
    program = f"""\
import ctypes, os
libc = ctypes.CDLL(None)
if os.fork() == 0:
    os._exit(0)
{looks}
os.wait()
"""
    found = explore([sys.executable, "-c", program])
    assert found.complete is complete
    assert found.reasons == (() if complete else ("it reads /proc, where it can see others",))


@pytest.mark.parametrize(
    ("calls", "status", "words"),
    [
        ({"seccomp"}, 0, "P(1000) exited 0 · reaped by init"),
        (
            {"seccomp", "prctl"},
            0,
            "does not let us trace a program: it may not have a filter by seccomp(2)",
        ),
    ],
)
def test_where_a_container_forbids_filters_by_one_call_there_is_another(
    calls: set[str], status: int, words: str
) -> None:
    numbers = this_processor().calls
    assert calls <= set(numbers)
    done = subprocess.run(
        [sys.executable, "-m", "forklab.command.main", "run", "--", "true"],
        preexec_fn=lambda: seccomp.install(
            seccomp.filter_for(seccomp.Stops(frozenset(calls)))[:-4] + REFUSED
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert words in done.stderr
