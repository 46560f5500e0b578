"""Our own C programs, compiled once and kept in the user's cache folder."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path

from autograder.stage.errors import StageError
from autograder.stage.tools import compiler
from forklab.cache import kept

_SOURCES = Path(__file__).with_name("c")
_PARTS = {
    "actor": ("actor.c", "line_socket.c"),
    "cued_actor": ("actor.c", "line_cue.c"),
    "witness": ("witness.c",),
    "launcher": (
        "launcher.c",
        "birth.c",
        "census.c",
        "confine.c",
        "filter.c",
        "job.c",
        "start.c",
        "timers.c",
    ),
}
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra")
# How each is linked, in the order of trying.
_STATIC: tuple[tuple[str, ...], ...] = (("-static",), ())
_LINKING = {"witness": (("-shared", "-fPIC"),)}
_COMPILE_SECONDS = 60


@functools.cache
def compiled(name: str) -> Path:
    """Our program of this name, actor or launcher, or our library: witness. Raises StageError if it does not compile.

    Programs are statically linked where the machine has a static C library: such a program starts twice as fast, and in
    a sandbox that has no libraries at all.
    """
    sources = [_SOURCES / part for part in _PARTS[name]]
    text = b"".join(path.read_bytes() for path in (*sources, *sorted(_SOURCES.glob("*.h"))))
    try:
        linkings = _LINKING.get(name, _STATIC)
        return kept(name, text, _FLAGS, lambda program: _compile(sources, program, linkings))
    except OSError as error:
        raise StageError(str(error)) from None


def is_dynamic(program: Path) -> bool:
    """Whether one of ours needs a dynamic linker: then whoever starts it can have other code run in it.

    The linker's path is in a section that only such a program has, and `compiled` leaves the sections' names in.
    """
    return b"\0.interp\0" in program.read_bytes()


def _compile(sources: Sequence[Path], program: Path, linkings: Sequence[Sequence[str]]) -> None:
    complaint = ""
    for linking in linkings:
        command = [compiler(), *_FLAGS, *linking, *map(str, sources), "-o", str(program)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_SECONDS)
        if result.returncode == 0:
            program.chmod(0o755)
            return
        complaint = result.stderr
    raise StageError(f"{sources[0].name} does not compile here:\n{complaint}")
