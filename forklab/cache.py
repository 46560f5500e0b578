"""The user's folder for what was compiled once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
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
