"""Where the commands begin: while a command is loaded, Ctrl-C ends it as it ends any program, without a traceback."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # there from the start: `signal` loads others
import importlib


def start(module: str) -> int:
    """Load the module of a command, and do its `main`. Answers its exit status."""
    hears_it = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if hears_it:  # and not if whoever has started us wants it to be ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    command = importlib.import_module(module)
    if hears_it:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status: int = command.main()
    return status


def forklab() -> int:
    return start("forklab.command.main")


def ctl() -> int:
    return start("forklab.ctl.main")
