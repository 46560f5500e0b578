"""Where the `autograder` command begins."""

from __future__ import annotations

from forklab.entry import start


def autograder() -> int:
    return start("autograder.command.cli")
