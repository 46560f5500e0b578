"""What can be run, and what has to be compiled first: `forklab.source` makes the one of the other."""

from __future__ import annotations

import os
from typing import NamedTuple

# The ends of the names of files that are no programs yet, and in which language they are.
LANGUAGES = {
    ".py": "Python",
    ".c": "C",
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".C"), "C++"),
}


class CannotCompileError(Exception):
    """The message has the compiler's words."""


class Runnable(NamedTuple):
    """What to execute, and as what: `argv` is what the program sees. `warnings` are the compiler's, if any.

    `folder` is a temporary one in which the program stands; nobody needs to see its name.
    """

    path: str | None
    argv: tuple[str, ...]
    warnings: str = ""
    folder: str | None = None


def is_python(program: str) -> bool:
    return os.path.basename(program).startswith("python")


def did_you_mean(name: str) -> str:
    """A sentence with the file that is most like this one, beside it; empty if it is there, or nothing is like it."""
    import difflib  # here: whoever makes no mistake has no need of it

    folder = os.path.dirname(name)
    try:
        if os.path.lexists(name):
            return ""
        names = os.listdir(folder or ".")
    except OSError:
        return ""
    close = difflib.get_close_matches(os.path.basename(name), names, n=1)
    return f" Did you mean {os.path.join(folder, close[0])}?" if close else ""
