"""What other systems do otherwise makes no difference: newer tools, no namespaces, fewer system calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_without_a_namespace_the_lens_is_known_as_the_tracer_too() -> None:
    command = [sys.executable, "-m", "forklab.command.main", "run", "true"]
    assert "forklab traces this already" in record(command, namespace=False).output


@pytest.mark.parametrize(
    ("looks", "complete"),
    [
        ("file = libc.fopen(b'/proc/self/stat', b'r')", True),  # as Python itself, from 3.12 on
        ("file = libc.fopen(b'/proc/1/stat', b'r')", False),
        ("file = libc.fdopen(os.open('/proc/self/stat', os.O_RDONLY), b'r')", False),
    ],
)
def test_python_that_counts_its_threads_at_a_fork_looks_at_nobody(
    looks: str, complete: bool
) -> None:
    program = f"""\
import ctypes, os
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.fdopen.restype = ctypes.c_void_p
if os.fork() == 0:
    os._exit(0)
{looks}
libc.fgetc(ctypes.c_void_p(file))
os.wait()
"""
    found = explore([sys.executable, "-c", program])
    # On newer systems libffi, which ctypes brings along, looks up in its own /proc where it is itself.
    reasons = {
        reason for reason in found.reasons if not reason.endswith("/maps, which nobody decides")
    }
    assert (not reasons) is complete
    assert ("it reads /proc, where it can see others" in reasons) is not complete


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
    assert calls <= set(this_processor().calls)
    done = run_without(calls, "true")
    assert done.returncode == status, done.stderr
    assert words in done.stderr


KERNELS_OWN_LIMITS = """\
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>
int main(void) {
    int pair[2], timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct timeval limit = {0, 20000};
    struct itimerspec soon = {{0, 0}, {0, 20000000}};
    unsigned long long rang = 0;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    timerfd_settime(timer, 0, &soon, NULL);
    printf("%zd\\n", read(timer, &rang, sizeof rang));
    perror(recv(pair[0], &rang, 1, 0) < 0 ? "recv" : "");
}
"""


def test_a_limit_that_cannot_be_taken_from_the_kernel_is_no_wait_for_ever(tmp_path: Path) -> None:
    """In a container pidfd_getfd(2) is for who may trace everybody; and who may not send can't hand it over either."""
    source = tmp_path / "limits.c"
    source.write_text(KERNELS_OWN_LIMITS)
    done = run_without({"pidfd_getfd", "sendmsg"}, str(source))
    assert done.stdout == "8\nrecv: Resource temporarily unavailable\n"
    assert "nobody will ever wake them" not in done.stderr


def run_without(calls: set[str], program: str) -> subprocess.CompletedProcess[str]:
    """`forklab run`, where the kernel refuses these calls."""
    return subprocess.run(
        [sys.executable, "-m", "forklab.command.main", "run", "--", program],
        preexec_fn=lambda: seccomp.install(
            seccomp.filter_for(seccomp.Stops(frozenset(calls)))[:-4] + REFUSED
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
