"""What a program does to files and folders is undone, so that each run of it finds what the first one found."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

_MOST = 32 << 20  # bytes of a file
_MOST_KEPT = 256  # files that are gone


class _Was(NamedTuple):
    """What stood at a path, None for nothing: `content` is that of a file, `target` that of a symbolic link."""

    path: str
    about: os.stat_result | None
    content: bytes = b""
    target: str = ""

    @property
    def kind(self) -> int:
        return stat.S_IFMT(self.about.st_mode) if self.about else 0


class _Moved(NamedTuple):
    """A folder was about to be renamed, with all that is in it."""

    old: str
    new: str
    identity: tuple[int, int]


@dataclass(eq=False)
class Undo:
    """Hears of each change right before it is made; all are taken back in reverse.

    `has_work`: something was, or may have been, changed.
    """

    has_work: bool = False
    _log: list[_Was | _Moved] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)  # since names have begun to mean something else
    _new: set[str] = field(default_factory=set)  # names of nothing, once: what has them is removed
    _kept: list[int] = field(default_factory=list)

    def remember(self, path: str) -> bool:
        """Before something is done to what has this name; there are no links on the way to it.

        False if it can't be put back.
        """
        if path in self._known:
            return True
        try:
            found = _look(path, is_new=path in self._new)
        except OSError:
            return False
        if found is None:
            return False
        self._known.add(path)
        if found.about is None:
            self._new.add(path)
        self._log.append(found)
        self.has_work = True
        return True

    def remember_names(self, *paths: str) -> bool:
        """Before these names get or lose a meaning, and with them all that are below them."""
        remembered = [self.remember(path) for path in paths]
        self._known.clear()
        return all(remembered)

    def remember_move(self, old: str, new: str) -> bool:
        """Before something gets another name."""
        remembered = self.remember_names(old, new)
        about = _stat(old)
        if about is not None and stat.S_ISDIR(about.st_mode):
            self._log.append(_Moved(old, new, _identity(about)))
        return remembered

    def keep(self, paths: Iterable[str]) -> bool:
        """Before these may be the last names of files: until all is taken back, no other ones get their inodes.

        What a file is told by must not depend on whether the kernel uses a number again. False if these are too many.
        """
        for path in paths:
            if len(self._kept) >= _MOST_KEPT:
                return False
            with contextlib.suppress(OSError):
                self._kept.append(os.open(path, os.O_PATH | os.O_NOFOLLOW))
        return True

    def all(self) -> bool:
        """False if something could not be put back."""
        for kept in self._kept:
            os.close(kept)
        self._kept.clear()
        done = [_taken_back(entry) for entry in reversed(self._log)]
        self._log.clear()
        self._known.clear()
        self._new.clear()
        return all(done)


def _taken_back(entry: _Was | _Moved) -> bool:
    try:
        if isinstance(entry, _Was):
            _make_room(entry)
            _put_back(entry)
        else:
            now = _stat(entry.new)
            if now is not None and _identity(now) == entry.identity and _stat(entry.old) is None:
                os.rename(entry.new, entry.old)
    except OSError:
        return False
    return True


def _look(path: str, *, is_new: bool) -> _Was | None:
    """None for what we could not put back. `is_new`: this name was not there when the run began."""
    about = _stat(path)
    if about is None:
        return _Was(path, None)
    if stat.S_ISLNK(about.st_mode):
        return _Was(path, about, target=os.readlink(path))
    if stat.S_ISSOCK(about.st_mode) and not is_new:
        return None  # somebody listens there
    if not stat.S_ISREG(about.st_mode):
        return _Was(path, about)
    # Under another name it is changed unseen; but what the run itself has made is known by all of its names.
    if about.st_size > _MOST or (about.st_nlink > 1 and not is_new):
        return None
    with open(path, "rb") as file:
        return _Was(path, about, file.read())


def _make_room(was: _Was) -> None:
    """Away with what was not there; whatever is in a folder has gone before."""
    path, now = was.path, _stat(was.path)
    if now is None:
        return
    kind = stat.S_IFMT(now.st_mode)
    another_link = kind == was.kind == stat.S_IFLNK and os.readlink(path) != was.target
    if kind != was.kind or another_link:
        (os.rmdir if kind == stat.S_IFDIR else os.unlink)(path)


def _put_back(was: _Was) -> None:
    path = was.path
    is_there = _stat(path) is not None
    match was.kind:
        case stat.S_IFREG:
            _put_back_content(path, was.content, is_there)
        case stat.S_IFLNK if not is_there:
            os.symlink(was.target, path)
        case stat.S_IFDIR if not is_there:
            os.mkdir(path)
        case stat.S_IFIFO if not is_there:
            os.mkfifo(path)
        case stat.S_IFSOCK:  # of this run
            return
    if was.about is not None and was.kind != stat.S_IFLNK:
        _put_back_about(path, was.about)


def _put_back_content(path: str, content: bytes, is_there: bool) -> None:
    if is_there:
        with open(path, "rb") as file:
            if file.read(_MOST + 1) == content:
                return
    with open(path, "wb") as file:
        file.write(content)


def _put_back_about(path: str, before: os.stat_result) -> None:
    now = os.stat(path)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        os.chown(path, before.st_uid, before.st_gid)
    if now.st_mode != before.st_mode:
        os.chmod(path, stat.S_IMODE(before.st_mode))
    if now.st_mtime_ns != before.st_mtime_ns:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino
