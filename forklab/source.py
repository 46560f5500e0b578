"""From the text of a program to something that can be run: C and C++ are compiled, Python is kept in a file.

with program_file("hello.c") as program:
    record(program.argv, program=program.path)
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from forklab.lacking import full_disk
from forklab.runnable import LANGUAGES, CannotCompileError, Runnable, did_you_mean
from forklab.unrunnable import why_not_there

C_FLAGS = ("-std=gnu11", "-g", "-Wall", "-Wextra", "-Wpedantic")
_CPP_FLAGS = ("-std=gnu++17", "-g", "-Wall", "-Wextra", "-Wpedantic")
# After the source: what programs forget to ask for. Who does not need it is not linked with it.
_LIBRARIES = ("-pthread", "-Wl,--as-needed", "-lm")
_COMPILER_SECONDS = 60
_UNDEFINED = re.compile(r"undefined reference to [`'](.+?)'")


class _Compiler(NamedTuple):
    """What a language is called, the variable that may name its compiler, its usual one, and who brings that."""

    language: str
    variable: str
    usual: str
    package: str
    flags: tuple[str, ...]


_C = _Compiler("C", "CC", "cc", "gcc", C_FLAGS)
_CPP = _Compiler("C++", "CXX", "c++", "g++", _CPP_FLAGS)
_COMPILERS = {"C": _C, "C++": _CPP}


@contextmanager
def program_in(argv: Sequence[str]) -> Iterator[Runnable]:
    """The program of the source file argv[0]. Raises CannotCompileError, also if there is no such file."""
    source = Path(argv[0])
    if wrong := why_not_there(argv[0]):
        raise CannotCompileError(wrong)
    if not os.path.exists(source):
        raise CannotCompileError(f"There is no file {source}.{did_you_mean(str(source))}")
    if not os.access(source, os.R_OK):
        raise CannotCompileError(f"{source} can't be read: {os.strerror(errno.EACCES)}.")
    # Else cc and python3 take it for an option.
    name = f"./{argv[0]}" if argv[0].startswith("-") else argv[0]
    language = LANGUAGES[source.suffix]
    if language == "Python":
        yield Runnable(sys.executable, ("python3", name, *argv[1:]))
        return
    with tempfile.TemporaryDirectory(prefix="forklab-") as folder:
        compiler = _COMPILERS[language]
        warnings = _compile(compiler, name, Path(folder) / source.stem)
        yield Runnable(f"{folder}/{source.stem}", (f"./{source.stem}", *argv[1:]), warnings)


@contextmanager
def program_of(language: str, text: str) -> Iterator[Runnable]:
    """The text of a program in "c", "python" or "sh". Raises CannotCompileError."""
    with tempfile.TemporaryDirectory(prefix="forklab-") as name:
        folder = Path(name)
        if language == "c":
            (folder / "cell.c").write_text(text)
            warnings = _compile(_C, "cell.c", folder / "cell", folder)
            yield Runnable(str(folder / "cell"), ("./cell",), warnings, name)
        elif language == "python":
            (folder / "cell.py").write_text(text)
            yield Runnable(sys.executable, ("python3", str(folder / "cell.py")), folder=name)
        elif language == "sh":
            yield Runnable(None, ("sh", "-c", text))
        else:
            raise CannotCompileError(f"{language!r} is none of c, python and sh.")


def line_of(program: str, addresses: Iterable[int]) -> str | None:
    """Where in its source the first of these calls is of which that is known: "line 7 of a.c".

    An address is that behind the call. Asks addr2line(1), which comes with the compiler.
    """
    calls = [hex(address - 1) for address in addresses]
    if not calls:
        return None
    try:
        done = run_tool(["addr2line", "-e", program, *calls])
    except (OSError, subprocess.TimeoutExpired):
        return None
    for line in done.stdout.splitlines():
        path, _, number = line.partition(" ")[0].rpartition(":")
        if path and number.isdecimal() and number != "0":
            return f"line {number} of {os.path.basename(path)}"
    return None


def run_tool(words: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A compiler, or what comes with it. Raises OSError and subprocess.TimeoutExpired."""
    return subprocess.run(
        words,
        cwd=folder,
        env={"PATH": os.defpath, **os.environ},  # without one cc finds nothing of its own
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=_COMPILER_SECONDS,
        check=False,
    )


def _compile(kind: _Compiler, source: str, target: Path, folder: Path | None = None) -> str:
    """The compiler's warnings."""
    compiler = os.environ.get(kind.variable, "").split() or [kind.usual]
    try:
        done = run_tool([*compiler, *kind.flags, "-o", str(target), source, *_LIBRARIES], folder)
    except FileNotFoundError:
        raise CannotCompileError(
            f"There is no {kind.language} compiler here: the command {compiler[0]!r} was not found."
            f" On Debian and Ubuntu, 'sudo apt install {kind.package}' brings one."
        ) from None
    except PermissionError:
        raise CannotCompileError(f"The compiler {compiler[0]!r} can't be run.") from None
    except subprocess.TimeoutExpired:
        raise CannotCompileError(f"The compiler needed more than {_COMPILER_SECONDS} s.") from None
    if done.returncode != 0 and os.strerror(errno.ENOSPC) in done.stderr:
        raise CannotCompileError(f"It can't be compiled: {full_disk()}.")
    if done.returncode != 0:
        raise CannotCompileError(
            _not_linked(source, done.stderr) or f"This does not compile.\n{done.stderr.rstrip()}"
        )
    return done.stderr


def _not_linked(source: str, complaint: str) -> str | None:
    """What to do about it, if it is the linker that complains."""
    missing = list(dict.fromkeys(_UNDEFINED.findall(complaint)))
    if missing == ["main"]:
        return f"{source} has no function main: a program begins there."
    if not missing:
        return None
    return (
        f"{source} does not link: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} nowhere defined."
        " If that is in another file or library, build the program by yourself, and give what comes of it."
    )
