"""Why a file that somebody has named can't be run or compiled, in one sentence, and how to mend it.

execve(2) says little: ENOENT may mean the file, what its first line names, or what it was linked with.
"""

from __future__ import annotations

import errno
import os
import stat

_START = 256  # bytes of a file that are looked at: the kernel reads no longer first line (BINPRM_BUF_SIZE)
_ELF = b"\x7fELF"
# The ends of the names of texts that another program runs, and that program; and of those to be compiled first.
_RUN_BY = {
    ".sh": "sh",
    ".bash": "bash",
    ".pl": "perl",
    ".rb": "ruby",
    ".js": "node",
    ".lua": "lua",
    ".php": "php",
    ".java": "java",
    ".go": "go run",
}
_COMPILED_BY = {".rs": "rustc", ".adb": "gnatmake", ".f90": "gfortran", ".hs": "ghc"}


def why_not_there(name: str) -> str:
    """What is wrong with the name of a file that can't be found; empty if there is just no such file."""
    if not name:
        return "The name of the program is empty."
    try:
        kind = os.stat(name).st_mode
    except FileNotFoundError:
        if os.path.islink(name):
            return f"{name} is a link to {os.readlink(name)}, which is not there."
        return ""
    except OSError as error:
        if error.errno == errno.ELOOP:
            return f"{name} is a link that leads in a circle."
        if error.errno == errno.ENOTDIR:
            return ""
        return f"{name} can't be reached: {error.strerror}."
    if stat.S_ISDIR(kind):
        return f"{name} is a folder, not a program."
    return "" if stat.S_ISREG(kind) else f"{name} is a pipe, a socket or a device, not a program."


def why_not_executable(name: str, path: str | None = None) -> str:
    """Of a file that is there; `path` is where it is, if its name does not tell."""
    path = path or name
    start = _start_of(path)
    if start.startswith((b"#!", _ELF)):
        if os.stat(path).st_mode & 0o111 and os.statvfs(path).f_flag & os.ST_NOEXEC:
            return (
                f"{name} is on a disk from which nothing may be run (noexec). Copy it to another."
            )
        return f"{name} is not executable. Make it so: chmod +x {name}"
    return _no_program(name, start)


def why_refused(name: str, reason: str, path: str | None = None) -> str:
    """What execve(2) had against it: `reason` is how it calls that error."""
    start = _start_of(path or name)
    if reason == os.strerror(errno.ENOEXEC):
        return _no_program(name, start)
    if reason == os.strerror(errno.ENOENT):
        return _no_interpreter(name, start)
    return f"{name} can't be run: {reason}"


def _no_program(name: str, start: bytes) -> str:
    suffix = os.path.splitext(name)[1]
    if not start:
        return f"{name} can't be run: the file is empty."
    if start.startswith(_ELF):
        return f"{name} can't be run: it was built for another machine, or is damaged."
    if suffix in _RUN_BY:
        return f"{name} is to be run by another program: forklab run {_RUN_BY[suffix]} {name}"
    if suffix in _COMPILED_BY:
        return f"{name} has to be compiled first: {_COMPILED_BY[suffix]} {name}. Then give what comes of it."
    why = "it is neither built for this machine, nor does it begin with a line as '#!/bin/sh'."
    mend = f" If it is a script for the shell: sh {name}" if _is_text(start) else ""
    return f"{name} can't be run: {why}{mend}"


def _no_interpreter(name: str, start: bytes) -> str:
    line = os.fsdecode(start.partition(b"\n")[0])
    if not line.startswith("#!"):
        return (
            f"{name} can't be run: the loader that it was linked with is not there. It was built on another kind"
            " of Linux: build it here."
        )
    if line.endswith("\r"):
        return f"{name} has the line ends of Windows. Mend them: sed -i 's/\\r$//' {name}"
    interpreter = line[2:].split()[0] if line[2:].split() else "nobody"
    return (
        f"{name} can't be run: its first line says that {interpreter} runs it, which is not there."
    )


def _is_text(start: bytes) -> bool:
    return not start.startswith(b"%PDF") and all(byte >= 32 or byte in b"\t\n\r" for byte in start)


def _start_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_START)
    except OSError:
        return b""
