"""Whatever a program does to files and folders, afterwards all is as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from forklab.lens.edge.undo import Undo

NAMES = ("a", "b", "folder", "folder/a", "folder/b", "other", "other/a")
name = st.sampled_from(NAMES)


def picture(folder: Path) -> dict[str, tuple[int, bytes | str, int]]:
    """Of everything below: mode, content or target, and when it was changed, where that is for us to keep."""
    found: dict[str, tuple[int, bytes | str, int]] = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content: bytes | str = b""
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = path.read_bytes()
        kept = about.st_mtime_ns if stat.S_ISREG(about.st_mode) else 0
        found[str(path.relative_to(folder))] = (about.st_mode, content, kept)
    return found


def write(one: str, other: str) -> None:
    Path(one).write_text(other)


def append(one: str, other: str) -> None:
    with open(one, "a") as file:
        file.write(other)


DEEDS: dict[str, Callable[[str, str], object]] = {
    "write": write,
    "append": append,
    "unlink": lambda one, _: os.unlink(one),
    "mkdir": lambda one, _: os.mkdir(one),
    "rmdir": lambda one, _: os.rmdir(one),
    "rename": os.rename,
    "link": os.link,
    "symlink": lambda one, other: os.symlink(other, one),
    "mkfifo": lambda one, _: os.mkfifo(one),
    "chmod": lambda one, _: os.chmod(one, 0o640, follow_symlinks=False),
    "truncate": lambda one, _: os.truncate(one, 1),
}
deed = st.tuples(st.sampled_from(sorted(DEEDS)), name, name)


@settings(max_examples=300)
@given(before=st.lists(deed, max_size=8), deeds=st.lists(deed, max_size=10))
def test_all_is_put_back(
    before: list[tuple[str, str, str]], deeds: list[tuple[str, str, str]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = os.getcwd()
        os.chdir(name)
        try:
            for one in before:
                do(*one)
            folder, undo = Path(name), Undo()
            was = picture(folder)
            for what, one, other in deeds:
                if remember(undo, folder, what, one, other):
                    do(what, one, other)
            assert undo.all()
            assert picture(folder) == was
        finally:
            os.chdir(home)


def remember(undo: Undo, folder: Path, what: str, one: str, other: str) -> bool:
    """As the lens does: each name, and what it leads to. False if it can't be put back."""
    first, second = without_links(folder / one), without_links(folder / other)
    match what:
        case "rename":
            return undo.remember_move(first, second)
        case "write" | "append" | "truncate":
            links = 0
            while undo.remember_names(first):
                if not os.path.islink(first) or links > 9:
                    return True
                target = os.readlink(first)
                first, links = without_links(Path(first).parent / target), links + 1
            return False
        case _:
            return undo.remember_names(first, second)


def without_links(path: Path) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)


def do(what: str, one: str, other: str) -> None:
    with contextlib.suppress(OSError, NotImplementedError):
        if not Path(one).is_fifo():  # to open it would be to wait
            DEEDS[what](one, other)


def test_what_is_too_large_is_said(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 30)
    undo = Undo()
    assert not undo.remember(str(large))
    assert undo.remember(str(tmp_path / "new"))


def test_a_folder_that_was_renamed_keeps_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "kept").write_text("x")
    undo = Undo()
    undo.remember_move(str(folder), str(tmp_path / "new"))
    folder.rename(tmp_path / "new")
    assert undo.all()
    assert (folder / "kept").read_text() == "x"
    assert sorted(os.listdir(tmp_path)) == ["folder"]
    shutil.rmtree(folder)


def test_no_new_file_gets_the_inode_of_one_that_is_gone(tmp_path: Path) -> None:
    """As a file is told by its inode, and some file systems use those again at once."""
    undo, path, seen = Undo(), tmp_path / "a", set()
    for _ in range(20):
        path.touch()
        seen.add(path.stat().st_ino)
        assert undo.keep([str(path)])
        path.unlink()
    assert undo.all()
    assert len(seen) == 20


def test_not_all_files_that_are_gone_can_be_kept(tmp_path: Path) -> None:
    undo = Undo()
    assert not undo.keep([str(tmp_path)] * 1000)
    assert undo.all()


def test_what_is_made_may_have_several_names(tmp_path: Path) -> None:
    undo, new, lock = Undo(), tmp_path / "new", tmp_path / "lock"
    assert undo.remember_names(str(new))
    new.touch()
    assert undo.remember_names(str(new), str(lock))
    lock.hardlink_to(new)
    assert undo.remember_names(str(new))
    new.unlink()
    assert undo.all()
    assert not os.listdir(tmp_path)


def test_what_was_there_under_several_names_is_not_changed_unseen(tmp_path: Path) -> None:
    old, link = tmp_path / "old", tmp_path / "link"
    old.touch()
    link.hardlink_to(old)
    assert not Undo().remember(str(old))
