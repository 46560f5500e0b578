"""What a program does to files and folders is undone, so that each run of it finds what the first one found."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field

_MOST = 32 << 20  # bytes of a file


@dataclass(frozen=True)
class _Was:
    """What stood at a path: `content` is that of a file, `target` that of a symbolic link."""

    about: os.stat_result | None
    content: bytes = b""
    target: str = ""


@dataclass(eq=False)
class Undo:
    """Hears of each path before something is done there; `all` puts everything back, the last change first.

    `has_work`: something was, or may have been, changed.
    """

    has_work: bool = False
    _was: dict[str, _Was] = field(default_factory=dict)

    def remember(self, path: str) -> bool:
        """Before something is done to this file, this folder or this name. False if it can't be put back."""
        if path in self._was:
            return True
        try:
            found = _look(path)
        except OSError:
            return False
        if found is None:
            return False
        self._was[path] = found
        self.has_work = True
        return True

    def all(self) -> bool:
        """False if something could not be put back."""
        done = True
        self._rename_back()
        for path, was in reversed(self._was.items()):
            try:
                _put_back(path, was)
            except OSError:
                done = False
        self._was.clear()
        return done

    def _rename_back(self) -> None:
        """What has another name now keeps what is in it."""
        there = {_identity(now): path for path in self._was if (now := _stat(path))}
        for path, was in self._was.items():
            moved_to = there.get(_identity(was.about)) if was.about else None
            if moved_to is not None and self._was[moved_to].about is None and not _stat(path):
                with contextlib.suppress(OSError):
                    os.rename(moved_to, path)


def _look(path: str) -> _Was | None:
    try:
        about = os.lstat(path)
    except FileNotFoundError:
        return _Was(None)
    if stat.S_ISLNK(about.st_mode):
        return _Was(about, target=os.readlink(path))
    if not stat.S_ISREG(about.st_mode):
        return _Was(about)
    if about.st_size > _MOST:
        return None
    with open(path, "rb") as file:
        return _Was(about, file.read())


def _put_back(path: str, was: _Was) -> None:
    now = _stat(path)
    before = was.about
    if before is None:
        if now is not None:
            (os.rmdir if stat.S_ISDIR(now.st_mode) else os.unlink)(path)
        return
    kind = stat.S_IFMT(before.st_mode)
    if now is not None and stat.S_IFMT(now.st_mode) != kind:
        (os.rmdir if stat.S_ISDIR(now.st_mode) else os.unlink)(path)
        now = None
    if kind == stat.S_IFREG:
        _put_back_file(path, was, now)
    elif kind == stat.S_IFLNK and (now is None or os.readlink(path) != was.target):
        if now is not None:
            os.unlink(path)
        os.symlink(was.target, path)
    elif kind == stat.S_IFDIR and now is None:
        os.mkdir(path)
    elif kind == stat.S_IFIFO and now is None:
        os.mkfifo(path)
    if kind != stat.S_IFLNK:
        _put_back_about(path, before)


def _put_back_file(path: str, was: _Was, now: os.stat_result | None) -> None:
    if now is not None:
        with open(path, "rb") as file:
            if file.read(_MOST + 1) == was.content:
                return
    with open(path, "wb") as file:
        file.write(was.content)


def _put_back_about(path: str, before: os.stat_result) -> None:
    now = os.stat(path)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        os.chown(path, before.st_uid, before.st_gid)
    if now.st_mode != before.st_mode:
        os.chmod(path, stat.S_IMODE(before.st_mode))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino
