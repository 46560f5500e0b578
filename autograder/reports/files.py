"""Names and files of reports: safe whatever a student is called, whole whenever we are stopped."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

# Letters and digits of any script, and what is harmless inside a file name and a link on every
# system.
_PLAIN = re.compile(r"[\w@+-](?:[\w .@+-]*[\w@+-])?")
_LONGEST = 100  # bytes; file systems allow 255, archives and Windows paths less
_TAKEN = frozenset({"index"})  # the overview's own name


def file_stems(students: Iterable[str]) -> dict[str, str]:
    """A file name without suffix for each student: the name itself, or a similar one with a hash.

    Unique also where the file system does not tell upper from lower case.
    """
    students = list(students)
    seen = Counter(student.casefold() for student in students)
    return {
        student: student
        if _is_plain(student) and seen[student.casefold()] == 1
        else _with_hash(student)
        for student in students
    }


def stems_left_behind(left: Iterable[str], students: Iterable[str]) -> set[str]:
    """The file names that those who left may have had, and that nobody has now."""
    stems = {stem for student in left for stem in (student, _with_hash(student))}
    safe = {stem for stem in stems if _is_plain(stem)}
    return safe - set(file_stems(students).values())


def write_whole(path: Path, text: str) -> None:
    """Replaces `path` in one step, so that nobody ever reads half a report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{sha256(path.name.encode()).hexdigest()[:16]}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _is_plain(student: str) -> bool:
    return (
        _PLAIN.fullmatch(student) is not None
        and unicodedata.is_normalized("NFC", student)
        and len(student.encode()) <= _LONGEST
        and student.casefold() not in _TAKEN
    )


def _with_hash(student: str) -> str:
    similar = re.sub(r"[^A-Za-z0-9_-]+", "_", student).strip("_")[:40]
    return f"{similar or 'student'}-{sha256(student.encode()).hexdigest()[:10]}"
