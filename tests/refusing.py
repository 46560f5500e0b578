"""A command below a filter that refuses system calls, as those of containers do."""

from __future__ import annotations

import subprocess
from collections.abc import Set

from forklab.kernel.processors import this_processor
from forklab.lens.edge import seccomp

_REFUSED = b"\x01\x00\x05\x00"  # SECCOMP_RET_ERRNO with EPERM, as the action at the end of a filter


def below(calls: Set[str], *argv: str) -> subprocess.CompletedProcess[str]:
    """The command, where the kernel refuses these calls."""
    assert calls <= set(this_processor().calls)
    refuses = seccomp.filter_for(seccomp.Stops(frozenset(calls)))[:-4] + _REFUSED
    return subprocess.run(
        argv,
        preexec_fn=lambda: seccomp.install(refuses),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
