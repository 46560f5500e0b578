"""Whether this machine can execute a file, and if not, why and what to do: execve(2) says so little.

ENOENT alone may mean that the file, its ELF interpreter or its #! interpreter is missing.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from autograder.safe_text import one_line
from autograder.submission.intake import BuildError

ELF_MAGIC = b"\x7fELF"
_FOREIGN = {
    b"MZ": "Windows",
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xce\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS",
}
_MACHINES = {
    "EM_X86_64": "x86-64",
    "EM_AARCH64": "64-bit ARM",
    "EM_386": "32-bit x86",
    "EM_ARM": "32-bit ARM",
    "EM_RISCV": "RISC-V",
}
_SHEBANG_LENGTH = 255  # of the line; the kernel cuts off the rest (BINPRM_BUF_SIZE)


def is_compiled(path: Path) -> bool:
    """Whether a compiler made this file, for any system."""
    with path.open("rb") as file:
        return file.read(4).startswith((ELF_MAGIC, *_FOREIGN))


def check_executable(path: Path) -> None:
    """Raises BuildError, in words for its author, if execve(2) would fail on this machine."""
    name = one_line(path.name)
    with path.open("rb") as file:
        start = file.read(_SHEBANG_LENGTH + 1)
    if not start:
        raise BuildError(f"{name} is an empty file.")
    for magic, system in _FOREIGN.items():
        if start.startswith(magic):
            raise BuildError(
                f"{name} is a program for {system}; this is Linux. Hand in its source code."
            )
    if start.startswith(ELF_MAGIC):
        _check_elf(path, name)
    elif start.startswith(b"#!"):
        _check_shebang(start, name)
    else:
        raise BuildError(
            f"{name} is neither a compiled program nor a script that begins with #!.\n"
            f"  A script tells in its first line who runs it: #!/bin/sh or #!/usr/bin/env python3"
        )
    if not path.stat().st_mode & 0o111:
        raise BuildError(
            f"{name} is not executable: it has no x permission.\n  Type: chmod +x {name}"
        )


def machine_in_words(e_machine: str) -> str:
    """How people call the machine that an ELF header names: "EM_AARCH64" is "64-bit ARM"."""
    from elftools.elf.descriptions import describe_e_machine

    described = str(describe_e_machine(e_machine))
    unknown = "a machine that nobody here knows"
    return _MACHINES.get(e_machine) or (unknown if "unknown" in described else described)


@dataclass(frozen=True)
class _Elf:
    """What an ELF file says of itself, in the words of elf.h; `interpreter` is its dynamic linker, if it needs one."""

    machine: str
    bits: int
    kind: str
    entry: int
    interpreter: str | None


def _check_elf(path: Path, name: str) -> None:
    try:
        elf = _read_elf(path)
    except Exception:  # a broken file makes pyelftools raise almost anything
        raise BuildError(
            f"{name} begins like a compiled program but is damaged.\n  Build it again, or hand in its source code."
        ) from None
    own = _read_elf(Path("/proc/self/exe"))
    if (elf.machine, elf.bits) != (own.machine, own.bits):
        theirs, ours = machine_in_words(elf.machine), machine_in_words(own.machine)
        if theirs == ours:
            theirs, ours = f"{theirs} in {elf.bits}-bit form", f"{ours} in {own.bits}-bit form"
        raise BuildError(
            f"{name} is built for {theirs}, this machine is {ours}.\n"
            "  Hand in the source code, so that it is built here."
        )
    if elf.kind == "ET_REL":
        raise BuildError(
            f"{name} is an object file, not a program: it is compiled but not linked.\n"
            f"  Leave the -c away: cc -o {name} ..."
        )
    if elf.kind not in ("ET_EXEC", "ET_DYN") or not elf.entry:
        raise BuildError(f"{name} is a library or a core dump, not a program.")
    if elf.interpreter is not None and not Path(elf.interpreter).exists():
        raise BuildError(
            f"{name} needs the loader {one_line(elf.interpreter)}, which this machine does not have. "
            "It was built on another kind of Linux.\n"
            "  Hand in the source code, or link it statically: cc -static ..."
        )


def _read_elf(path: Path) -> _Elf:
    from elftools.elf.elffile import (
        ELFFile,
    )  # here: it takes long to load, and hardly anybody hands in a program
    from elftools.elf.segments import InterpSegment

    with path.open("rb") as file:
        elf = ELFFile(file)
        interpreters = [
            segment.get_interp_name()
            for segment in elf.iter_segments()
            if isinstance(segment, InterpSegment)
        ]
        return _Elf(
            machine=str(elf["e_machine"]),
            bits=elf.elfclass,
            kind=str(elf["e_type"]),
            entry=elf["e_entry"],
            interpreter=interpreters[0] if interpreters else None,
        )


def _check_shebang(start: bytes, name: str) -> None:
    line, newline, _ = start.partition(b"\n")
    if not newline and len(line) > _SHEBANG_LENGTH:
        raise BuildError(f"The first line of {name} is longer than {_SHEBANG_LENGTH} characters.")
    if line.endswith(b"\r"):
        raise BuildError(
            f"{name} has the line ends of Windows, so its interpreter is not found.\n"
            f"  Type: sed -i 's/\\r$//' {name}"
        )
    words = os.fsdecode(line[2:]).split()
    if not words:
        raise BuildError(f"The first line of {name} is #! without an interpreter.")
    interpreter = words[0]
    if not interpreter.startswith("/"):
        raise BuildError(
            f"The first line of {name} must name its interpreter with its whole path, "
            f"not {one_line(interpreter)}.\n  {_better_shebang(interpreter)}"
        )
    if not os.access(interpreter, os.X_OK) or Path(interpreter).is_dir():
        raise BuildError(
            f"The first line of {name} says that {one_line(interpreter)} runs it, "
            f"which this machine does not have.\n  {_better_shebang(interpreter)}"
        )
    arguments = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if Path(interpreter).name == "env" and arguments and shutil.which(arguments[0]) is None:
        raise BuildError(
            f"The first line of {name} says that {one_line(arguments[0])} runs it, "
            "which this machine does not have."
        )


def _better_shebang(interpreter: str) -> str:
    program = Path(interpreter).name
    program = "python3" if program == "python" else program
    known = shutil.which(program) if program else None
    return f"Write: #!/usr/bin/env {program}" if known else "Write, for example: #!/bin/sh"
