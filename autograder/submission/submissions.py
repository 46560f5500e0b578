"""Where the submissions of a class are: one folder a student.

SUBMISSIONS/STUDENT/LAB/files     as nbgrader lays them out
SUBMISSIONS/STUDENT/files         works too
"""

from __future__ import annotations

import errno
import hashlib
import os
import shlex
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import CommandError, did_you_mean
from autograder.safe_text import one_line
from autograder.submission.clutter import is_archive, is_clutter
from autograder.submission.intake import MOST_BYTES, BuildError, entries, opened

TIMESTAMP = "timestamp.txt"  # nbgrader puts it beside what a student has submitted


@dataclass(frozen=True)
class Submission:
    """What one student handed in. `folder` is None when there is nothing for this lab.

    `obstacle` says why there is nothing to judge, to its author; empty if there is. `stamped`: the folder is laid out
    as nbgrader does it, which writes into it when it was handed in. `meant`: who has handed in nothing has a folder of
    that name, which may be it.
    """

    student: str
    folder: Path | None
    obstacle: str = field(default="", compare=False)
    stamped: bool = field(default=True, compare=False)
    meant: str | None = field(default=None, compare=False)


def find_submissions(
    root: Path, lab: str, program: str = "init", assignment: str | None = None
) -> list[Submission]:
    """All students in `root`, by name, with what is in their folder called `assignment`, by default as the lab is.

    Who has no such folder, but files, is taken to have handed in those, unless `assignment` is given. Files beside the
    students' folders are left alone, and so are hidden folders (.git, .ipynb_checkpoints).

    Raises CommandError if there is no such folder, nobody in it, or if nobody has handed in anything.
    """
    if assignment is not None and (Path(assignment).name != assignment or assignment in ("", "..")):
        raise CommandError(f"--assignment {one_line(assignment)}: give the name of a folder.")
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
        packed = archives_in(root)
        mend = (
            f"Unpack each into a folder of its student: {', '.join(packed[:5])}." if packed else ""
        )
        raise CommandError(
            f"{root} holds no student's folder.\n  {mend or _layout(root, lab, program)}"
        )
    if _looks_like_one_submission(root, program):
        raise CommandError(
            f"{root} looks like the submission of one student, not like a class.\n"
            f"  {_layout(root, lab, program)}\n"
            f"  To check one submission: autograder check {lab} {root}"
        )
    _refuse_a_folder_of_classes(root, folders, assignment or lab)
    found: list[Submission] = []
    for folder in folders:
        name = one_line(folder.name)
        while any(name == other.student for other in found):
            name += " (2)"  # two names that differ only in what does not print
        found.append(_handed_in(name, folder, assignment or lab, short=assignment is None))
    _refuse_an_empty_class(root, folders, found, assignment or lab)
    return found


def archives_in(root: Path) -> list[str]:
    """The archives beside the students' folders: submissions, perhaps, that nobody has unpacked."""
    return sorted(one_line(e.name) for e in root.iterdir() if is_archive(e.name) and e.is_file())


def doubts(submissions: Sequence[Submission], assignment: str) -> Iterator[str]:
    """What may be wrong with the name of the folder, where only some of a class have nothing in it; a sentence each."""
    names = Counter(submission.meant for submission in submissions if submission.meant is not None)
    for name, count in names.most_common():
        if count > 1:
            yield (
                f"{count} of {len(submissions)} students have nothing in a folder {one_line(assignment)}, but a folder "
                f"{one_line(name)}: if that is it, --assignment {shlex.quote(name)}"
            )


def choose(submissions: Sequence[Submission], student: str) -> Submission:
    """The one of `student`. Raises CommandError, with the nearest name, if there is none."""
    for submission in submissions:
        if submission.student == student:
            return submission
    hint = did_you_mean(student, (submission.student for submission in submissions))
    raise CommandError(f"--only {one_line(student)}: no student of that name.\n  {hint}")


def state_of(submission: Submission) -> str:
    """Tells one state of a submission from another, by what it takes to build it: names, contents, execute bits.

    Never empty. No more is read than a submission may have.
    """
    state = hashlib.sha256(submission.obstacle.encode(errors="replace"))
    read = 0
    try:
        for entry in entries(submission.folder) if submission.folder else ():
            state.update(f"\0{entry.name}\0{entry.refusal}\0".encode(errors="surrogateescape"))
            if entry.refusal:
                continue
            with opened(entry) as file:
                facts = os.fstat(file.fileno())
                state.update(f"{facts.st_mode & stat.S_IXUSR} {facts.st_size}\0".encode())
                read += facts.st_size
                if read > MOST_BYTES:
                    break
                state.update(hashlib.file_digest(file, "sha256").digest())
    except BuildError as error:  # the judge will say so too
        state.update(str(error).encode(errors="replace"))
    return state.hexdigest()


def _handed_in(student: str, folder: Path, assignment: str, *, short: bool) -> Submission:
    if folder.is_symlink():
        obstacle = (
            f"{one_line(folder.name)} is a link: whose work it leads to, nobody can tell.\n"
            "  Put the folder itself among the submissions."
        )
        return Submission(student, folder, obstacle)
    if not os.access(folder, os.R_OK | os.X_OK):
        return Submission(
            student, folder, f"The folder cannot be read: {os.strerror(errno.EACCES)}."
        )
    inner = folder / assignment
    if inner.is_symlink() and not inner.resolve().is_relative_to(folder.resolve()):
        obstacle = (
            f"The folder {one_line(assignment)} is a link that leads out of the submission.\n"
            "  Hand in the folder itself."
        )
        return Submission(student, inner, obstacle)
    if inner.is_dir() and _has_files(inner):
        return Submission(student, inner)
    if short and _has_files_of_its_own(folder):
        return Submission(student, folder, stamped=False)
    what = "is empty" if inner.is_dir() else "does not exist"
    obstacle = f"Nothing was handed in for this lab: the folder {one_line(assignment)} {what}."
    meant = _meant(folder, assignment)
    if meant is not None:
        obstacle += (
            f"\n  There is {one_line(meant)}: if that is it, call it {one_line(assignment)}."
        )
    return Submission(student, None, obstacle, meant=meant)


def _meant(folder: Path, assignment: str) -> str | None:
    """The folder that a student may have called by another name: the only one, or one of nearly that name."""
    others = [name for name in sorted(_folders_in(folder)) if name != assignment]
    alike = [name for name in others if assignment.lower() in name.lower()]
    return alike[0] if alike else others[0] if len(others) == 1 else None


def _has_files(folder: Path) -> bool:
    """Whether there is anything to take, or to refuse, but for what nbgrader itself has written."""
    try:
        return any(entry.name != TIMESTAMP for entry in entries(folder))
    except BuildError:
        return True  # the judge will say so


def _has_files_of_its_own(folder: Path) -> bool:
    """Whether it is laid out without a folder for each lab."""
    try:
        return any(not entry.is_dir() and not _hidden(entry.name) for entry in folder.iterdir())
    except OSError:
        return True  # unreadable: the judge says so, as for any other folder


def _refuse_an_empty_class(
    root: Path, folders: Sequence[Path], found: Sequence[Submission], assignment: str
) -> None:
    """Marks for nobody's work would be zeros for everybody."""
    if any(submission.folder for submission in found if not submission.obstacle):
        return
    if refused := [submission for submission in found if submission.folder]:
        raise CommandError(
            f"Nobody in {root} has handed in anything that can be judged. {refused[0].obstacle}"
        )
    names = Counter(name for folder in folders for name in _folders_in(folder))
    names.pop(assignment, None)  # empty
    usual = ", ".join(f"{one_line(n)} ({count})" for n, count in names.most_common(5))
    mend = "The students' folders are empty."
    if names:
        first = shlex.quote(names.most_common(1)[0][0])
        mend = f"They have other folders: {usual}. If it is called so: --assignment {first}"
    raise CommandError(
        f"Nobody in {root} has handed in anything in a folder {one_line(assignment)}.\n  {mend}"
    )


def _refuse_a_folder_of_classes(root: Path, folders: Sequence[Path], assignment: str) -> None:
    """One level too high, as where nbgrader keeps a course: source, release, submitted."""
    for folder in folders:
        students = [name for name in _folders_in(folder) if (folder / name / assignment).is_dir()]
        if len(students) > 1 and not (folder / assignment).is_dir():
            raise CommandError(
                f"{root} is no class: {one_line(folder.name)} in it is one, of {one_line(students[0])} and others.\n"
                f"  Grade {folder}"
            )


def _folders_in(folder: Path) -> Iterator[str]:
    try:
        yield from (e.name for e in folder.iterdir() if not _hidden(e.name) and e.is_dir())
    except OSError:
        return


def _looks_like_one_submission(root: Path, program: str) -> bool:
    names = (program, f"{program}.c", f"{program}.py", "Makefile")
    return any((root / name).is_file() for name in names)


def _hidden(name: str) -> bool:
    return name.startswith(".") or is_clutter(name) or is_clutter(name, folder=True)


def _layout(root: Path, lab: str, program: str) -> str:
    return f"It should look like {root}/STUDENT/{lab}/{program}.c or {root}/STUDENT/{program}.c."


def _nearby(missing: Path) -> str:
    parent = missing.parent
    if not parent.is_dir():
        return f"{parent} does not exist either."
    names = [entry.name for entry in parent.iterdir() if entry.is_dir() and not _hidden(entry.name)]
    return did_you_mean(missing.name, names)
