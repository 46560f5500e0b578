"""Where the functions of a file that programs run are: elf(5)."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

_PAGE = 4096
# Only glibc has these: one that is shared, and one that is linked statically.
_OF_GLIBC = (b"\0gnu_get_libc_version\0", b"\0__new_sem_wait\0")


class Functions(NamedTuple):
    """Their `addresses` as the file has them, with their `sizes`, and where its first page `begins` in the same way."""

    begins: int
    addresses: Mapping[str, int]
    sizes: Mapping[str, int]


def mentions(path: str, name: str) -> bool:
    """Whether this may be among the symbols that a file has or asks for. Raises OSError."""
    return _mentions(path, name, *_version(path))


def of_glibc(path: str, names: frozenset[str]) -> Functions | None:
    """Those of these names in a file that is, or has within it, the C library of GNU. None for any other.

    Raises OSError.
    """
    return _of_glibc(path, names, *_version(path))


def _version(path: str) -> tuple[int, int]:
    about = os.stat(path)
    return about.st_ino, about.st_mtime_ns


def _content(path: str) -> bytes:
    with open(
        path, "rb"
    ) as file:  # not by pathlib: it takes longer to load than most files to read
        return file.read()


@functools.lru_cache
def _mentions(path: str, name: str, *_: int) -> bool:
    return f"{name}\0".encode() in _content(path)


@functools.lru_cache
def _of_glibc(path: str, names: frozenset[str], *_: int) -> Functions | None:
    content = _content(path)
    if not any(name in content for name in _OF_GLIBC):
        return None
    from elftools.common.exceptions import ELFError  # here: hardly any program has need of it
    from elftools.elf.elffile import ELFFile

    try:
        elf = ELFFile(io.BytesIO(content))
        begins = min(s["p_vaddr"] for s in elf.iter_segments("PT_LOAD")) // _PAGE * _PAGE
        symbols = {name: _symbol(elf, name) for name in names}
    except (ELFError, ValueError):
        return None
    known = {name: symbol for name, symbol in symbols.items() if symbol and symbol["st_value"]}
    addresses = {name: int(symbol["st_value"]) for name, symbol in known.items()}
    sizes = {name: int(symbol["st_size"]) for name, symbol in known.items()}
    return Functions(begins, addresses, sizes)


def _symbol(elf: Any, name: str) -> Any:
    """None where there is none."""
    by_hash, all_symbols = map(elf.get_section_by_name, (".gnu.hash", ".symtab"))
    if by_hash is not None:  # a shared library
        return by_hash.get_symbol(name)
    found = all_symbols.get_symbol_by_name(name) if all_symbols else None
    return found[0] if found else None
