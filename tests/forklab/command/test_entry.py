"""Ctrl-C before a command has been loaded: it ends, and nobody reads where Python was."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# Whoever asks for this module is interrupted by that.
INTERRUPTED = """\
import os, signal, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(Finder)
            os.kill(os.getpid(), signal.SIGINT)
{before}
sys.meta_path.insert(0, Finder)
sys.argv[1:] = ["--version"]
from {entry} import {function}
sys.exit({function}())
"""
COMMANDS = [
    ("forklab.entry", "forklab", "forklab.command.main"),
    ("forklab.entry", "ctl", "forklab.ctl.main"),
    ("autograder.entry", "autograder", "autograder.command.cli"),
]


def interrupted(
    entry: str, function: str, module: str, before: str = ""
) -> subprocess.CompletedProcess[str]:
    text = INTERRUPTED.format(entry=entry, function=function, module=module, before=before)
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("entry", "function", "module"), COMMANDS)
def test_it_ends_a_command_that_is_being_loaded(entry: str, function: str, module: str) -> None:
    done = interrupted(entry, function, module)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_who_is_told_to_ignore_it_goes_on() -> None:
    done = interrupted(*COMMANDS[0], "signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("forklab ")


def test_who_asks_for_the_usage_is_interrupted_in_words() -> None:
    """The parser is made when all has been loaded."""
    done = interrupted("forklab.entry", "forklab", "forklab.command.run", "")
    assert (done.returncode, done.stderr) == (130, "forklab: You have pressed Ctrl-C.\n")
