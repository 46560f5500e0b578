"""What a student handed in, copied to where it can be built: regular files, not too many, not too large.

A submission is a stranger's folder. Links that lead out of it, devices, pipes and endless trees stay where they are.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BufferedReader
from pathlib import Path

from autograder.safe_text import one_line
from autograder.submission.clutter import is_clutter

MOST_FILES = 2_000
MOST_BYTES = 64 << 20  # of all files together
DEEPEST = 20  # folders in folders
_MOST_NAMES = 20_000  # that are looked at to find the other names of a file

_OUTSIDE = "is a link that leads out of the submission. Hand in the file itself."
_TO_A_FOLDER = "is a link to a folder. Hand in the folder itself."
_DANGLING = "is a link to a file that is not there. Hand in the file itself."
_SPECIAL = "is neither a file nor a folder. Hand in a file."
_HARD_LINK = (
    "has a second name outside of the submission (a hard link). Hand in a copy of it: "
    "cp {name} copy && mv copy {name}"
)


class BuildError(Exception):
    """A submission that cannot be run. The text is for the student: what is wrong, and the mend."""


@dataclass(frozen=True)
class Entry:
    """One name in a submission, relative to its folder.

    `content` is the file that is meant by it. `refusal` says why it is not taken, and the mend; empty if it is.
    """

    name: str
    content: Path
    refusal: str = ""


@dataclass
class Intake:
    """What was copied, and which links and special files were not, each with the reason and the mend."""

    files: int = 0
    size: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def take_in(submission: Path, workspace: Path) -> Intake:
    """Copies the files of a submission into an existing folder. Raises BuildError if that cannot be done.

    Execute bits and times are kept, owners and other permissions are not. A link to a file inside the submission
    becomes a copy of that file.
    """
    if not submission.exists():
        raise BuildError(f"There is no folder {one_line(str(submission))}.")
    if not submission.is_dir():
        raise BuildError(
            f"{one_line(str(submission))} is a file. A submission is a folder: name the one that it is in."
        )
    intake = Intake()
    for entry in entries(submission):
        if entry.refusal:
            intake.refused[one_line(entry.name)] = entry.refusal
        else:
            _copy(entry, workspace / entry.name, intake)
    return intake


def entries(submission: Path) -> Iterator[Entry]:
    """All files of a submission, and what looks like one, by name; without what is nobody's work.

    Raises BuildError where they are too many, too deep, or cannot be read.
    """
    root = Path(os.path.realpath(submission))
    names = _Names(root)
    for seen, path in enumerate(_walk(root, root, 0), start=1):
        if seen > MOST_FILES:
            raise BuildError(
                f"The submission has more than {MOST_FILES:,} files. Hand in what it takes to build your program."
            )
        if not path.is_dir() or path.is_symlink():
            yield Entry(str(path.relative_to(root)), *_meant_by(path, root, names))


@contextmanager
def opened(entry: Entry) -> Iterator[BufferedReader]:
    """The content of an entry that is taken, and of nothing else. Raises BuildError if it cannot be read."""
    # The checks were made by name; whoever changes the file now gets an error, not something else read.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(entry.content, flags)
    except OSError as error:
        raise _unreadable(entry.name, error) from None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BuildError(f"{one_line(entry.name)} {_SPECIAL}")
        yield file


def _walk(folder: Path, root: Path, depth: int) -> Iterator[Path]:
    if depth > DEEPEST:
        raise BuildError(f"The submission has folders in folders, more than {DEEPEST} deep.")
    try:
        with os.scandir(folder) as found:
            inside = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        name = "The folder" if folder == root else str(folder.relative_to(root))
        raise _unreadable(name, error) from None
    for entry in inside:
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_clutter(entry.name, folder=is_folder):
            continue
        yield folder / entry.name
        if is_folder:
            yield from _walk(folder / entry.name, root, depth + 1)


class _Names:
    """How many names each file has in a folder, in those subfolders too that are nobody's work."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def are_elsewhere_too(self, facts: os.stat_result) -> bool:
        """Whether a file may be somebody else's, as one of its names is outside.

        Where students own their folders, a file of the folder's owner is the student's own, however many names it has.
        Else, where one account has collected them all, nobody can tell whose it was at first.
        """
        if facts.st_uid == self._root.stat().st_uid != os.geteuid():
            return False
        return self._inside[facts.st_dev, facts.st_ino] < facts.st_nlink

    @cached_property
    def _inside(self) -> Counter[tuple[int, int]]:
        found: Counter[tuple[int, int]] = Counter()
        for folder, _, names in os.walk(self._root):
            for name in names:
                facts = os.lstat(os.path.join(folder, name))
                found[facts.st_dev, facts.st_ino] += 1
            if found.total() > _MOST_NAMES:
                break
        return found


def _meant_by(path: Path, root: Path, names: _Names) -> tuple[Path, str]:
    """Which file a name stands for, and why it is not taken if it is not."""
    content = Path(os.path.realpath(path))
    if not content.is_relative_to(root):
        return path, _OUTSIDE
    if path.is_symlink() and not content.is_file():
        return path, _TO_A_FOLDER if content.is_dir() else _DANGLING
    try:
        facts = content.lstat()
    except OSError as error:
        raise _unreadable(str(path.relative_to(root)), error) from None
    if not stat.S_ISREG(facts.st_mode):
        return path, _SPECIAL
    if facts.st_nlink > 1 and names.are_elsewhere_too(facts):
        return path, _HARD_LINK.format(name=one_line(path.name))
    return content, ""


def _copy(entry: Entry, target: Path, intake: Intake) -> None:
    with opened(entry) as original:
        facts = os.fstat(original.fileno())
        intake.files += 1
        intake.size += facts.st_size
        if intake.size > MOST_BYTES:
            raise BuildError(
                f"The submission is larger than {MOST_BYTES >> 20} MB; {one_line(entry.name)} is "
                f"{facts.st_size:,} bytes. Hand in what it takes to build your program."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as copy:
            shutil.copyfileobj(original, copy)
    target.chmod(0o755 if facts.st_mode & stat.S_IXUSR else 0o644)
    os.utime(target, ns=(facts.st_mtime_ns, facts.st_mtime_ns))


def _unreadable(name: str, error: OSError) -> BuildError:
    return BuildError(f"{one_line(name)} cannot be read: {error.strerror}.")
