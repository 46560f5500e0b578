"""What lies in folders of submissions and is nobody's work: file managers, archivers and tools leave it behind."""

from __future__ import annotations

from pathlib import Path

# Made by tools, of no use to a build, and often large. __MACOSX is what macOS packs beside the files themselves.
_FOLDERS = frozenset(
    {
        *(".git", ".hg", ".svn", ".venv", "venv", "__pycache__", ".ipynb_checkpoints"),
        *("node_modules", "__MACOSX", "lost+found"),
    }
)
_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_BEGINNINGS = ("._", ".#")  # what macOS keeps beside each file, ._init.c; a lock of Emacs

_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_ARCHIVES_BEGIN = (
    *(b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"),
    b"\x28\xb5\x2f\xfd",
)
_TAR, _TAR_AT = b"ustar", 257


def is_clutter(name: str, *, folder: bool = False) -> bool:
    """Whether a file, or a folder, of this name is nobody's work."""
    return name in _FOLDERS if folder else name in _FILES or name.startswith(_BEGINNINGS)


def is_archive(name: str) -> bool:
    """Whether a file of this name has to be unpacked before anybody can build what is in it."""
    return name.lower().endswith(_ARCHIVES)


def is_packed(path: Path) -> bool:
    """Whether a file is an archive, however it is called."""
    with path.open("rb") as file:
        start = file.read(_TAR_AT + len(_TAR))
    return start.startswith(_ARCHIVES_BEGIN) or start[_TAR_AT:] == _TAR
