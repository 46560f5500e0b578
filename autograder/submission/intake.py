"""What a student handed in, copied to where it can be built: regular files, not too many, not too large.

A submission is a stranger's folder. Links that lead out of it, devices, pipes and endless trees stay where they are.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.safe_text import one_line

MOST_FILES = 2_000
MOST_BYTES = 64 << 20  # of all files together
DEEPEST = 20  # folders in folders

# Made by tools, of no use to a build, and often large.
_LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "__pycache__", ".ipynb_checkpoints", "node_modules"}
)


class BuildError(Exception):
    """A submission that cannot be run. The text is for the student: what is wrong, and the mend."""


@dataclass
class Intake:
    """What was copied, and which links and special files were not, each with the reason."""

    files: int = 0
    size: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def take_in(submission: Path, workspace: Path) -> Intake:
    """Copies the files of a submission into an existing folder. Raises BuildError if that cannot be done.

    Execute bits and times are kept, owners and other permissions are not. A link to a file inside the submission
    becomes a copy of that file.
    """
    if not submission.exists():
        raise BuildError(f"There is no folder {_shown(submission)}.")
    if not submission.is_dir():
        raise BuildError(
            f"{_shown(submission)} is a file. A submission is a folder: name the one that it is in."
        )
    root = Path(os.path.realpath(submission))
    intake = Intake()
    for source in _walk(root, root, intake, 0):
        _copy(source, root, workspace, intake)
    return intake


def _walk(folder: Path, root: Path, intake: Intake, depth: int) -> Iterator[Path]:
    if depth > DEEPEST:
        raise BuildError(f"The submission has folders in folders, more than {DEEPEST} deep.")
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(folder, root, error) from None
    for entry in found:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _LEFT_OUT:
                yield from _walk(path, root, intake, depth + 1)
        elif entry.is_symlink():
            target = Path(os.path.realpath(path))
            if not target.is_relative_to(root):
                intake.refused[_name(path, root)] = "is a link that leads out of the submission"
            elif not target.is_file():
                intake.refused[_name(path, root)] = "is a link to what is not a file"
            else:
                yield path
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            intake.refused[_name(path, root)] = "is neither a file nor a folder"


def _copy(source: Path, root: Path, workspace: Path, intake: Intake) -> None:
    relative = source.relative_to(root)
    target = workspace / relative
    # The checks were made by name; whoever changes the file now gets an error, not something else copied.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(os.path.realpath(source), flags)
    except OSError as error:
        raise _unreadable(source, root, error) from None
    with open(descriptor, "rb") as original:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            intake.refused[_name(source, root)] = "is not a regular file"
            return
        intake.files += 1
        intake.size += facts.st_size
        if intake.files > MOST_FILES:
            raise BuildError(
                f"The submission has more than {MOST_FILES:,} files. Hand in what it takes to build your program."
            )
        if intake.size > MOST_BYTES:
            raise BuildError(
                f"The submission is larger than {MOST_BYTES >> 20} MB; {_name(source, root)} is "
                f"{facts.st_size:,} bytes. Hand in what it takes to build your program."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as copy:
            shutil.copyfileobj(original, copy)
    target.chmod(0o755 if facts.st_mode & stat.S_IXUSR else 0o644)
    os.utime(target, ns=(facts.st_mtime_ns, facts.st_mtime_ns))


def _unreadable(path: Path, root: Path, error: OSError) -> BuildError:
    return BuildError(f"{_name(path, root)} cannot be read: {error.strerror}.")


def _name(path: Path, root: Path) -> str:
    return "The folder" if path == root else one_line(str(path.relative_to(root)))


def _shown(path: Path) -> str:
    return one_line(str(path))
