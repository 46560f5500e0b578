"""A command below a filter that refuses system calls, as those of containers do."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence, Set

from forklab.kernel.processors import this_processor
from forklab.lens.edge import seccomp

_REFUSED = b"\x01\x00\x05\x00"  # SECCOMP_RET_ERRNO with EPERM, as the action at the end of a filter


def below(calls: Set[str], *argv: str) -> subprocess.CompletedProcess[str]:
    """The command, where the kernel refuses these calls."""
    assert calls <= set(this_processor().calls)
    return _below(seccomp.filter_for(seccomp.Stops(frozenset(calls)))[:-4] + _REFUSED, argv)


def without_filters(error: int, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command, where nobody gets a filter: both calls for that, seccomp(2) and prctl(2), answer `error`."""
    calls = this_processor().calls
    load, is_equal, answer = 0x20, 0x15, 0x06
    lines = (
        (load, 0, 0, 0),  # the number of the call
        (is_equal, 3, 0, calls["seccomp"]),
        (is_equal, 0, 3, calls["prctl"]),
        (load, 0, 0, 16),  # its first argument
        (is_equal, 0, 1, 22),  # PR_SET_SECCOMP
        (answer, 0, 0, 0x00050000 | error),  # SECCOMP_RET_ERRNO
        (answer, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
    )
    return _below(b"".join(struct.pack("<HBBI", *line) for line in lines), argv)


def _below(refuses: bytes, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        preexec_fn=lambda: seccomp.install(refuses),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
