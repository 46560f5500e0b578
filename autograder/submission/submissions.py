"""Where the submissions of a class are: one folder a student.

SUBMISSIONS/STUDENT/LAB/files     as nbgrader lays them out
SUBMISSIONS/STUDENT/files         works too
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CommandError, did_you_mean
from autograder.safe_text import one_line

_MOST_FILES = 2_000  # in a folder that are looked at, and folders; a submission may have no more


@dataclass(frozen=True)
class Submission:
    """What one student handed in. `folder` is None when there is nothing for this lab."""

    student: str
    folder: Path | None


def find_submissions(root: Path, lab: str, program: str = "init") -> list[Submission]:
    """All students in `root`, by name. Raises CommandError if there is no such folder or nobody in it.

    Files beside the students' folders are left alone, and so are hidden folders (.git,
    .ipynb_checkpoints).
    """
    if not root.exists():
        raise CommandError(f"{root}: there is no such folder.\n  {_nearby(root)}")
    if not root.is_dir():
        raise CommandError(
            f"{root} is a file, not a folder of submissions.\n  {_layout(root, lab, program)}"
        )
    try:
        folders = sorted(
            entry for entry in root.iterdir() if entry.is_dir() and not _hidden(entry.name)
        )
    except OSError as error:
        raise CommandError(f"{root} cannot be read: {error.strerror}.") from error
    if not folders:
        raise CommandError(f"{root} holds no student's folder.\n  {_layout(root, lab, program)}")
    if _looks_like_one_submission(root, program):
        raise CommandError(
            f"{root} looks like the submission of one student, not like a class.\n"
            f"  {_layout(root, lab, program)}\n"
            f"  To check one submission: autograder check {lab} {root}"
        )
    found: list[Submission] = []
    for folder in folders:
        name = one_line(folder.name)
        while any(name == other.student for other in found):
            name += " (2)"  # two names that differ only in what does not print
        found.append(Submission(name, _handed_in(folder, lab)))
    return found


def choose(submissions: Sequence[Submission], student: str) -> Submission:
    """The one of `student`. Raises CommandError, with the nearest name, if there is none."""
    for submission in submissions:
        if submission.student == student:
            return submission
    hint = did_you_mean(student, (submission.student for submission in submissions))
    raise CommandError(f"--only {one_line(student)}: no student of that name.\n  {hint}")


def state_of(submission: Submission) -> str:
    """Tells one state of a submission from another, by names, kinds, sizes and times of its files.

    Never empty. No file is read: it may be a pipe, or endless.
    """
    state = hashlib.sha256()
    root = submission.folder or Path(os.devnull)
    for place, (folder, folders, files) in enumerate(os.walk(root)):
        folders.sort()
        for name in sorted(files)[:_MOST_FILES]:
            try:
                facts = os.lstat(os.path.join(folder, name))
            except OSError:
                continue
            state.update(
                repr((os.path.relpath(folder, root), name, facts.st_mode, facts.st_size)).encode(
                    errors="replace"
                )
            )
            state.update(repr(facts.st_mtime_ns).encode())
        if place > _MOST_FILES:
            break
    return state.hexdigest()


def _handed_in(folder: Path, lab: str) -> Path | None:
    if (folder / lab).is_dir():
        return folder / lab
    try:
        entries = [entry for entry in folder.iterdir() if not _hidden(entry.name)]
    except OSError:
        return folder  # unreadable: the judge says so, as for any other folder
    if any(not entry.is_dir() for entry in entries):
        return folder
    return None


def _looks_like_one_submission(root: Path, program: str) -> bool:
    names = (program, f"{program}.c", f"{program}.py", "Makefile")
    return any((root / name).is_file() for name in names)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _layout(root: Path, lab: str, program: str) -> str:
    return f"It should look like {root}/STUDENT/{lab}/{program}.c or {root}/STUDENT/{program}.c."


def _nearby(missing: Path) -> str:
    parent = missing.parent
    if not parent.is_dir():
        return f"{parent} does not exist either."
    names = [entry.name for entry in parent.iterdir() if entry.is_dir() and not _hidden(entry.name)]
    return did_you_mean(missing.name, names)
