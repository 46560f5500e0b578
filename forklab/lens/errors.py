"""What the lens cannot do, and what to do about it."""

from __future__ import annotations

import os
from typing import Self

from forklab.lens.edge.seccomp import A_FILTER
from forklab.runnable import is_python

_TRACING = (
    "A container needs the capability SYS_PTRACE for it (docker run --cap-add=SYS_PTRACE), and"
    " /proc/sys/kernel/yama/ptrace_scope must be less than 3."
)
_FILTERS = (
    "It takes a kernel with CONFIG_SECCOMP_FILTER, and a container whose own filter of system calls lets"
    " seccomp(2) or prctl(2) pass, as Docker's does."
)


class CannotRecordError(Exception):
    """The program could not be started, or not be traced. The message says why and what to do."""

    @classmethod
    def refused(cls, name: str, path: str | None, reason: str) -> Self:
        """What exec(2) had against the file `path`, by default the `name` that the user knows it by."""
        from forklab.unrunnable import why_refused  # here: most programs are not refused

        return cls(why_refused(name, reason, path))


class CannotTraceError(CannotRecordError):
    """This machine does not let us trace any program; `forklab.lens.untraced.snapshot` needs no tracing."""

    @classmethod
    def because(cls, reason: str) -> CannotRecordError:
        """Another error if it is not the machine: then no way without tracing is wanted."""
        if tracer := _tracer():
            return CannotRecordError(
                f"{tracer} traces this already, and a process has one tracer only. Run forklab by itself."
            )
        mend = _FILTERS if A_FILTER in reason else _TRACING
        return cls(f"This machine does not let us trace a program: {reason}.\n  {mend}")


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
    """Whether that process is ours: not only one to which our command was given, as `strace -f forklab run ...`."""
    words = [word for word in _words(pid) if not word.startswith("-")]
    if is_python(words[0] if words else ""):
        words = words[1:]
    first = words[0] if words else ""
    return os.path.basename(first) == "forklab" or first.startswith("forklab.")


def _words(pid: str) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", errors="replace") as file:
            return file.read().split("\0")
    except OSError:
        return [""]
