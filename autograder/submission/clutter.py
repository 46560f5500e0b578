"""What lies in folders of submissions and is nobody's work: file managers, archivers and tools leave it behind."""

from __future__ import annotations

# Made by tools, of no use to a build, and often large. __MACOSX is what macOS packs beside the files themselves.
_FOLDERS = frozenset(
    {
        *(".git", ".hg", ".svn", ".venv", "venv", "__pycache__", ".ipynb_checkpoints"),
        *("node_modules", "__MACOSX"),
    }
)
_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_BEGINNINGS = ("._", ".#")  # what macOS keeps beside each file, ._init.c; a lock of Emacs

_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")


def is_clutter(name: str, *, folder: bool = False) -> bool:
    """Whether a file, or a folder, of this name is nobody's work."""
    return name in _FOLDERS if folder else name in _FILES or name.startswith(_BEGINNINGS)


def is_archive(name: str) -> bool:
    """Whether a file of this name has to be unpacked before anybody can build what is in it."""
    return name.lower().endswith(_ARCHIVES)
