"""The tools of this machine that judging needs: a C compiler, a Python for submissions, and how programs are copied."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.stage.errors import StageError

_OLDEST_PYTHON = (3, 8)
_VERSION_IN_NAME = re.compile(r"python(\d+)\.(\d+)")


def compiler() -> str:
    """The C compiler's path: $CC, else cc, gcc or clang. Raises StageError with the mend."""
    for candidate in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        if candidate and (path := shutil.which(candidate)):
            return path
    raise StageError(
        "there is no C compiler on this machine: install one (Debian: apt install gcc libc6-dev)"
    )


def put_program(source: Path, target: Path) -> None:
    """Copy a program to where it will be executed at once. Raises StageError.

    Another process does it. While we write a file, another thread of ours may fork, and its child has that file open
    for writing until it executes something: so long execve(2) of the file fails with ETXTBSY.
    """
    copying = subprocess.run(["cp", "-p", "--", source, target], capture_output=True, text=True)
    if copying.returncode != 0:
        raise StageError(copying.stderr.strip())


@functools.cache
def python_for_submissions() -> str:
    """The Python that runs submissions: the system's where it is new enough, else the one that we ourselves stand on.

    Not that of a virtual environment: a sandbox need not have it, and submissions get no packages.
    """
    ours = str(getattr(sys, "_base_executable", "") or sys.executable)
    for python in ("/usr/bin/python3", ours):
        if _is_new_enough(python):
            return python
    raise StageError("there is no Python for submissions on this machine: install python3")


def _is_new_enough(python: str) -> bool:
    """The name of its file tells, as a rule (python3.11): to start it would take longer than to start a play."""
    program = os.path.realpath(python)
    if version := _VERSION_IN_NAME.fullmatch(os.path.basename(program)):
        return os.access(program, os.X_OK) and tuple(map(int, version.groups())) >= _OLDEST_PYTHON
    question = f"import sys; sys.exit(sys.version_info < {_OLDEST_PYTHON})"
    try:
        return subprocess.run([python, "-I", "-c", question], timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
