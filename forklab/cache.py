"""What was compiled once is kept in a folder of the user's."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path


def kept(name: str, source: bytes, flags: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    """What comes of this source with these flags, by `make` if it is not there yet.

    It is made under another name first, so that nobody ever sees half of it. Raises OSError, and what `make` raises.
    """
    digest = hashlib.sha256(source + repr((flags, platform.machine())).encode()).hexdigest()
    found = _folder() / f"{name}-{digest[:16]}"
    if not found.exists():
        with tempfile.TemporaryDirectory(dir=found.parent) as folder:
            unfinished = Path(folder) / name
            make(unfinished)
            unfinished.replace(found)
    return found


def _folder() -> Path:
    """Raises OSError if there is none that can be used and trusted."""
    for folder in (
        user_cache_path("forklab"),
        Path(tempfile.gettempdir()) / f"forklab-cache-{os.getuid()}",
    ):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        # A folder that somebody else made first could hold a program of theirs: run nothing from there.
        if folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK):
            return folder
    raise OSError(
        f"no folder to keep compiled programs in: {folder} cannot be used; set XDG_CACHE_HOME"
    )
