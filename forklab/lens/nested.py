"""Whether a program below the lens may have a PID namespace of its own in turn, found out by trying."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from forklab.lens.record import CannotRecordError, record

_TRIED: Final = (
    *("unshare", "--user", "--map-root-user", "--pid", "--fork"),
    *("sh", "-c", "echo 41 > /proc/sys/kernel/ns_last_pid"),
)


@lru_cache
def is_refused() -> bool:
    """Whether who runs below the lens gets none, or not the numbers in it that he asks for.

    See pid_namespaces(7), its part on /proc/sys/kernel/ns_last_pid, and user_namespaces(7).
    """
    try:
        return record(_TRIED).status != 0
    except CannotRecordError:  # there is no unshare(1)
        return True
