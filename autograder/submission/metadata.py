"""Who handed in and when, as Gradescope tells it: /autograder/submission_metadata.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.errors import CommandError
from autograder.safe_text import one_line


@dataclass(frozen=True)
class HandedIn:
    """`students` are the e-mail addresses of all who handed it in together, in order."""

    students: tuple[str, ...]
    moment: datetime


def read_metadata(path: Path) -> HandedIn:
    """Raises CommandError if the file is not there, or does not say who and when."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        students = tuple(sorted(str(user["email"]) for user in told["users"]))
        moment = datetime.fromisoformat(told["created_at"])
        if not students or moment.tzinfo is None:
            raise ValueError("nobody has handed it in, or at no time of a zone")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CommandError(
            f"{path} does not say who handed in and when: {type(error).__name__}: {one_line(str(error))}."
        ) from error
    return HandedIn(students, moment)
