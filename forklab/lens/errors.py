"""What the lens cannot do, and what to do about it."""

from __future__ import annotations

from typing import Self


class CannotRecordError(Exception):
    """The program could not be started, or not be traced. The message says why and what to do."""


class CannotTraceError(CannotRecordError):
    """This machine does not let us trace any program; `forklab.lens.untraced.snapshot` needs no tracing."""

    @classmethod
    def because(cls, reason: str) -> Self:
        return cls(
            f"This machine does not let us trace a program: {reason}.\n"
            "  A container needs the capability SYS_PTRACE for it (docker run --cap-add=SYS_PTRACE), and"
            " /proc/sys/kernel/yama/ptrace_scope must be less than 3."
        )


class LensFailedError(CannotRecordError):
    """The fault is ours; the text has the helper's last words."""

    def __init__(self, complaint: str) -> None:
        super().__init__(f"The lens failed: {complaint or 'it gave no reason'}")
