"""All attempts that stay in a gradebook, read as an instructor would, with SQL: reports show the latest alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from autograder.grading.gradebook import Gradebook
from autograder.trial.verdict import Verdict

FINISHED = """
SELECT attempt.id, whole FROM attempt LEFT JOIN verdict ON attempt = attempt.id
WHERE student = ? AND finished != '' ORDER BY attempt.id, position
"""


def attempts(book: Gradebook, student: str) -> list[list[Verdict]]:
    """The verdicts of each attempt that was finished, over all runs, the oldest first."""
    found: dict[int, list[Verdict]] = {}
    with closing(sqlite3.connect(book.path)) as reader:
        for attempt, whole in reader.execute(FINISHED, (student,)):
            verdicts = found.setdefault(attempt, [])
            if whole is not None:
                verdicts.append(Verdict.from_json(json.loads(whole)))
    return list(found.values())
