"""grades.csv: a row a student, a column a scenario, for spreadsheets and learning platforms."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from autograder.grading.records import Result, Run
from autograder.reports.cells import number
from autograder.reports.files import write_whole
from autograder.trial.verdict import Status, Verdict

NOT_GRADED = "not graded"


class Grades:
    """A cell has the points of what was judged, else the word error or skipped. The file is there once it is closed."""

    def __init__(self, run: Run, path: Path) -> None:
        self._path = path
        self._names = [asked.name for asked in run.scenarios]
        self._text = io.StringIO(newline="")
        self._rows = csv.writer(self._text, lineterminator="\r\n")  # RFC 4180
        self._rows.writerow(["student", "score", "max_score", "status", *self._names])

    def add(self, student: str, result: Result | None) -> None:
        self._rows.writerow([_harmless(student), *_cells(result, self._names)])

    def close(self) -> None:
        write_whole(self._path, self._text.getvalue())


def _cells(result: Result | None, names: list[str]) -> list[str]:
    if result is None:
        return ["", "", NOT_GRADED, *("" for _ in names)]
    assessment = result.assessment
    verdicts = {verdict.scenario: verdict for verdict in assessment.verdicts}
    return [
        number(result.score),
        number(assessment.max_score),
        assessment.standing,
        *(_cell(verdicts.get(name)) for name in names),
    ]


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    judged = verdict.status in (Status.PASSED, Status.FAILED)
    return number(verdict.points) if judged else str(verdict.status)


def _harmless(student: str) -> str:
    """A spreadsheet would compute a cell that starts like a formula."""
    return f"'{student}" if student.startswith(("=", "+", "-", "@")) else student
