"""`forklab doctor`: what works on this machine, found out by trying, and how to get what does not."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from forklab.command.usage import Subcommands
from forklab.version import version

_SLEEPS: Final = ("/bin/sh", "-c", "sleep 1000; exit 7")
_TOOLS: Final = ("ps", "pkill", "pstree", "unshare")  # of which notebooks make use


@dataclass(frozen=True)
class Finding:
    """What was tried, and in `words` what came of it. Without what is `needed` little of forklab works."""

    about: str
    words: str
    works: bool = True
    needed: bool = True


def add_parser(commands: Subcommands) -> argparse.ArgumentParser:
    return commands.add_parser(
        "doctor",
        help="what works on this machine, and how to get what does not",
        description="Tries what forklab needs, and says how to get what is missing. Status 1: something is needed.",
    )


def run(parsed: argparse.Namespace) -> int:
    healthy = True
    for finding in examined():
        mark = "✓" if finding.works else "✗" if finding.needed else "·"
        print(f"{mark} {finding.about:<15} {finding.words}", flush=True)
        healthy = healthy and (finding.works or not finding.needed)
    print("For instructors: 'autograder doctor' says what submissions are kept from here.")
    return int(not healthy)


def examined() -> Iterator[Finding]:
    """All that is tried, one after another: each may take a moment."""
    ours, python, kernel = version(), platform.python_version(), platform.release()
    yield Finding("versions", f"forklab {ours}, Python {python}, Linux {kernel}")
    lens = _lens()
    yield lens
    yield _compiler()
    if lens.works:
        yield _namespaces()
    yield _pictures()
    yield _notebooks()
    yield _tools()


def _lens() -> Finding:
    from forklab.lens.record import CannotRecordError, record

    about = "the lens"
    try:
        seen = record(_SLEEPS)
    except CannotRecordError as error:
        return Finding(about, _one_line(error), works=False)
    if seen.status != 7:
        return Finding(about, f"a program that exits with 7 ended with {seen.status}", works=False)
    return Finding(about, "records programs, in virtual time")


def _compiler() -> Finding:
    from forklab.runnable import CannotCompileError
    from forklab.source import program_of

    text = "#include <stdio.h>\n#include <unistd.h>\nint main(void) { return fork() < 0; }\n"
    try:
        with program_of("c", text):
            return Finding("C compiler", "compiles the programs of notebooks and labs")
    except CannotCompileError as error:
        return Finding("C compiler", _one_line(error), works=False)


def _namespaces() -> Finding:
    from forklab.lens import nested

    about = "PID namespaces"
    if not nested.is_refused():
        return Finding(about, "a program of yours can be a real PID 1", needed=False)
    words = (
        "refused. Notebooks 11 and 12 show what is on record; only the exercises of 11 need them"
        " (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone; docker run --privileged)"
    )
    return Finding(about, words, works=False, needed=False)


def _pictures() -> Finding:
    from forklab.draw.trees.picture import tree_svg
    from forklab.history import Node, State, Tree

    try:
        tree_svg(Tree((Node("P", 1000, None, State.RUNNING),)))
    except RuntimeError as error:
        return Finding("pictures", _one_line(error), works=False)
    return Finding("pictures", "trees and graphs can be drawn")


def _notebooks() -> Finding:
    try:
        version = importlib.metadata.version("jupyterlab")
    except importlib.metadata.PackageNotFoundError:
        words = "JupyterLab is not installed: 'make lab' in the clone brings and opens it"
        return Finding("notebooks", words, works=False, needed=False)
    return Finding("notebooks", f"JupyterLab {version}; 'make lab' opens it", needed=False)


def _tools() -> Finding:
    missing = [name for name in _TOOLS if not shutil.which(name)]
    if not missing:
        return Finding("small tools", ", ".join(_TOOLS), needed=False)
    words = f"no {', '.join(missing)}: sudo apt install procps psmisc util-linux"
    return Finding("small tools", words, works=False, needed=False)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
