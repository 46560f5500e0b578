"""What the lens cannot do, and what to do about it."""

from __future__ import annotations

import errno
import os
from typing import Self

_WHY_NOT = {
    os.strerror(
        errno.ENOEXEC
    ): "it is neither built for this machine, nor does it begin with a line as"
    " '#!/bin/sh'. If it is a script for the shell: sh {name}",
    os.strerror(
        errno.ENOENT
    ): "what is to run it, as its first line says or as it was linked, is not there",
}


class CannotRecordError(Exception):
    """The program could not be started, or not be traced. The message says why and what to do."""

    @classmethod
    def refused(cls, name: str, reason: str) -> Self:
        """What exec(2) had against it."""
        return cls(f"{name} can't be run: {_WHY_NOT.get(reason, reason).format(name=name)}")


class CannotTraceError(CannotRecordError):
    """This machine does not let us trace any program; `forklab.lens.untraced.snapshot` needs no tracing."""

    @classmethod
    def because(cls, reason: str) -> CannotRecordError:
        """Another error if it is not the machine: then no way without tracing is wanted."""
        if tracer := _tracer():
            return CannotRecordError(
                f"{tracer} traces this already, and a process has one tracer only. Run forklab by itself."
            )
        return cls(
            f"This machine does not let us trace a program: {reason}.\n"
            "  A container needs the capability SYS_PTRACE for it (docker run --cap-add=SYS_PTRACE), and"
            " /proc/sys/kernel/yama/ptrace_scope must be less than 3."
        )


class LensFailedError(CannotRecordError):
    """The fault is ours; the text has the helper's last words."""

    def __init__(self, complaint: str) -> None:
        super().__init__(f"The lens failed: {complaint or 'it gave no reason'}")


def _tracer() -> str:
    """Who traces us, as people call it; empty: nobody. The lens shows no tracer in /proc, but is an ancestor."""
    pid = _told_of("self", "TracerPid:")
    if pid != "0":
        return (
            "forklab" if _is_forklab(pid) else os.path.basename(_words(pid)[0]) or f"process {pid}"
        )
    ancestor = str(os.getppid())
    while ancestor not in ("", "0"):
        if _is_forklab(ancestor):
            return "forklab"
        ancestor = _told_of(ancestor, "PPid:")
    return ""


def _told_of(pid: str, word: str) -> str:
    """What /proc tells of a process after this word; empty if it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            return next(line.split()[1] for line in status if line.startswith(word))
    except OSError:
        return ""


def _is_forklab(pid: str) -> bool:
    return any(
        os.path.basename(word) == "forklab" or word.startswith("forklab.") for word in _words(pid)
    )


def _words(pid: str) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", errors="replace") as file:
            return file.read().split("\0")
    except OSError:
        return [""]
