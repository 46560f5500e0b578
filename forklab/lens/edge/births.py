"""When a file was made: statx(2)."""

from __future__ import annotations

import ctypes
import os
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)
_STATX_BTIME, _AT_FDCWD, _NOFOLLOW = 0x800, -100, 0x100
_SIZE, _MASK_AT, _BIRTH_AT = 256, 0, 80
_SECOND = 1_000_000_000


def birth(path: str, *, follow: bool) -> int | None:
    """In nanoseconds since 1970; None if there is no such file, or its file system does not know."""
    buffer = ctypes.create_string_buffer(_SIZE)
    flags = 0 if follow else _NOFOLLOW
    if _LIBC.statx(_AT_FDCWD, os.fsencode(path), flags, _STATX_BTIME, buffer) != 0:
        return None
    (mask,) = struct.unpack_from("<I", buffer, _MASK_AT)
    seconds, rest = struct.unpack_from("<qI", buffer, _BIRTH_AT)
    return seconds * _SECOND + rest if mask & _STATX_BTIME else None
