"""What was compiled once is kept in a folder of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import source_hash
from pathlib import Path


def kept(name: str, source: bytes, flags: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    """What comes of this source with these flags, by `make` if it is not there yet.

    It is made under another name first, so that nobody ever sees half of it. Raises OSError, and what `make` raises.
    """
    # As .pyc files know their sources: quick to load, and nobody is to be deceived here, see below.
    digest = source_hash(source + repr((flags, os.uname().machine)).encode()).hex()
    found = _folder() / f"{name}-{digest}"
    if not found.exists():
        import tempfile  # here: mostly it is there

        with tempfile.TemporaryDirectory(dir=found.parent) as folder:
            unfinished = Path(folder) / name
            make(unfinished)
            unfinished.replace(found)
    return found


def _folder() -> Path:
    """Raises OSError if there is none that can be used and trusted."""
    for folder in _folders():
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


def _folders() -> Iterator[Path]:
    named = os.environ.get(
        "XDG_CACHE_HOME", ""
    )  # one that is relative does not count, says its specification
    yield Path(named if os.path.isabs(named) else Path.home() / ".cache", "forklab")

    import tempfile

    yield Path(tempfile.gettempdir()) / f"forklab-cache-{os.getuid()}"
