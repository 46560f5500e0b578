"""How a process ended, as wait(2) tells its parent, and the words for it.

A status is what os.waitstatus_to_exitcode() makes of it: 0 to 255 of an exit, or minus the number of the signal that
killed it.
"""

from __future__ import annotations

from forklab.kernel.signals import signal_name


def killer(status: int | None) -> str | None:
    """The name of the signal that killed it, if one did."""
    return signal_name(-status) if status is not None and status < 0 else None


def exit_code(status: int | None) -> int | None:
    """What it gave to exit(3), if it did."""
    return status if status is not None and status >= 0 else None


def in_shell(status: int) -> int:
    """`$?` as a shell has it: 128 more than the number of a signal that killed it. See "Exit Status" in bash(1)."""
    return status if status >= 0 else 128 - status


def how_it_ended(status: int) -> str:
    """ "exited with 3", "was killed by SIGTERM" """
    return f"exited with {status}" if status >= 0 else f"was killed by {signal_name(-status)}"
