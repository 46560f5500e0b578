"""Stages for tests: a small init in C on a real stage, in each mode that this machine can do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.stage.play import Play
from autograder.stage.stage import Stage
from autograder.stage.start import AS_AT_LOGIN, Start
from autograder.stage.tools import compiler
from autograder.stage.workspace import Workspace

OpenPlay = Callable[..., Play]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as made:
        yield made


@pytest.fixture
def open_play(mode: str, workspace: Workspace) -> Iterator[OpenPlay]:
    """`open_play(BODY)` is a play with an init whose main() has that body; in it, `start(arguments)` starts main.

    `before` stands before main(): includes and functions.
    """
    opened: list[Play] = []
    stages: list[Stage] = []

    def open_one(
        body: str, *, before: str = "", terminal: bool = False, start: Start = AS_AT_LOGIN
    ) -> Play:
        folder = workspace.subfolder()
        source = Path(folder, "init.c")
        source.write_text(
            f"{_PROLOGUE}{before}\n"
            "int main(int count, char **arguments) { (void)count;" + body + "}\n"
        )
        subprocess.run(
            [compiler(), "-std=gnu11", str(source), "-o", str(folder / "init")],
            check=True,
            timeout=60,
        )
        stage = Stage(mode, workspace, folder)
        stages.append(stage)
        command = [f"{stage.sandbox.folder}/init", *stage.main]
        play = Play(stage, command, terminal=terminal, start=start)
        opened.append(play)
        return play

    yield open_one
    for play in opened:
        play.close()
    for stage in stages:
        stage.close()


_PROLOGUE = """
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
static pid_t start(char **arguments) {
    pid_t child = fork();
    if (child == 0) { execv(arguments[1], arguments + 1); _exit(127); }
    return child;
}
"""
