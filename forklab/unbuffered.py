"""As if each printf were written at once: the outputs that books give, for programs that are not changed for it.

What a program prints waits in a buffer until a line is complete, or the buffer is full, or it exits; and fork copies
the buffer. Here an environment says to the C library's dynamic linker (LD_PRELOAD, see ld.so(8)) and to Python what is
to be loaded first, so that all that is printed is written right away. Who writes by write(2) never had a buffer.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from forklab.built import CannotBuildError, built
from forklab.runnable import is_python

_FOLDER = Path(__file__).with_name("preloaded")
_SOURCE = _FOLDER / "unbuffered.c"
_FLAGS = ("-std=gnu11", "-O2", "-shared", "-fPIC", "-fno-builtin")
_INTERPRETER = 3  # PT_INTERP: whoever has none has no dynamic linker
# What leaves text in the buffer of a terminal; puts ends a line each time. A pipe's buffer has them all.
_PRINTING = (b"printf\0", b"putchar\0", b"putc\0", b"fputc\0", b"fputs\0", b"fwrite\0")
_PRINTING_MORE = (b"_chk\0", b"_unlocked\0", b"wchar\0", b"fputwc\0", b"fputws\0", b"_ZSt4cout\0")


class CannotUnbufferError(Exception):
    """The message says why, and what to do."""


def unbuffered(program: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with which it prints at once. Raises CannotUnbufferError."""
    path = os.pathsep.join(filter(None, [str(_FOLDER), environment.get("PYTHONPATH")]))
    if is_python(program):
        return {**environment, "PYTHONPATH": path}
    if not _is_dynamic(_content(program)):
        raise CannotUnbufferError(
            f"--unbuffered has no effect on {program}: it is linked statically,"
            " and only what is linked dynamically can be given another printf."
        )
    libraries = " ".join(filter(None, [str(_library()), environment.get("LD_PRELOAD")]))
    return {**environment, "PYTHONPATH": path, "LD_PRELOAD": libraries}


def may_keep_text(program: str, *, pipe: bool) -> bool:
    """Whether some of what it prints may stay in a buffer for a while, as far as its file tells."""
    if is_python(program):
        return True
    content = _content(program)
    names = (*_PRINTING, *_PRINTING_MORE, *((b"puts\0",) if pipe else ()))
    return _is_dynamic(content) and any(name in content for name in names)


def _content(program: str) -> bytes:
    try:
        return Path(program).read_bytes()
    except OSError:
        return b""


def _is_dynamic(content: bytes) -> bool:
    """Whether it has an interpreter, as elf(5) has it; a script has one too."""
    if content[:2] == b"#!":
        return True
    if content[:5] != b"\x7fELF\x02":
        return False
    (start,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    kinds = (struct.unpack_from("<I", content, start + size * n)[0] for n in range(count))
    return _INTERPRETER in kinds


def _library() -> Path:
    """Compiled once, and kept. Raises CannotUnbufferError."""
    need = "--unbuffered needs a C compiler"
    try:
        return built("unbuffered.so", _SOURCE, _FLAGS, need=need, what="--unbuffered")
    except CannotBuildError as error:
        raise CannotUnbufferError(str(error)) from None
    except OSError as error:
        raise CannotUnbufferError(f"--unbuffered: {error}") from None
