"""The books: one SQLite file, the only place where results live; every report reads from it.

A *run* is one grading of a class: the scenarios that were asked, the students who were enrolled. An *attempt* is one
assessment of one student in it. It is opened, gets one verdict after the other, each committed as it comes, and is
finished. The latest finished attempt counts; earlier ones stay in the book. Whatever kills the grader costs at most the
plays that were on just then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from autograder.grading.book import Book
from autograder.grading.records import Asked, Result, Run, Terms
from autograder.trial.verdict import Assessment, Hindrance, Verdict

_LATEST = """
SELECT id FROM attempt WHERE run = ? AND student = ? AND finished != ''
ORDER BY id DESC LIMIT 1
"""
_MODE = """
SELECT mode FROM attempt WHERE run = (SELECT max(id) FROM run) AND finished != '' AND mode != ''
ORDER BY id DESC LIMIT 1
"""
_LEFT_OPEN = """
SELECT id FROM attempt WHERE run = ? AND student = ? AND finished = ''
AND files = ? AND terms = ? AND seed = ? ORDER BY id DESC LIMIT 1
"""
_SCORES = """
SELECT student, total(points) FROM attempt a LEFT JOIN verdict ON attempt = a.id AND status IN ('passed', 'failed')
WHERE run = ?
AND id = (SELECT max(id) FROM attempt WHERE run = a.run AND student = a.student AND finished != '')
GROUP BY student
"""
_SECONDS = """
SELECT scenario, avg(verdict.seconds) FROM verdict JOIN attempt a ON attempt = a.id WHERE run = ?
AND a.id = (SELECT max(id) FROM attempt WHERE run = a.run AND student = a.student AND finished != '')
GROUP BY scenario
"""
_JUDGED = """
SELECT student, files, terms, seed, plays FROM attempt a WHERE run = ?
AND id = (SELECT max(id) FROM attempt WHERE run = a.run AND student = a.student AND finished != '')
"""
_GRADED = f"""{_JUDGED} AND trouble = ''
AND NOT EXISTS (SELECT 1 FROM verdict WHERE attempt = a.id AND status = 'error')
"""
_SAME_FILES = """
SELECT id, plays FROM attempt WHERE run = ? AND student = ? AND files = ? ORDER BY id DESC LIMIT 1
"""
# Who may lend its verdicts: each of them is about the same files, and the same plays.
_TWIN = """
SELECT id FROM attempt a WHERE run = ? AND files = ? AND terms = ? AND plays = ? AND finished != '' AND trouble = ''
AND NOT EXISTS (SELECT 1 FROM verdict WHERE attempt = a.id AND status = 'error') ORDER BY id LIMIT 1
"""
_ALIKE = f"""
SELECT files, student FROM attempt a WHERE run = ? AND files != '' AND hindrance != '{Hindrance.NOTHING}'
AND id = (SELECT max(id) FROM attempt WHERE run = a.run AND student = a.student AND finished != '')
ORDER BY student
"""
_WHAT_HELD_IT = """
UPDATE attempt SET (mode, unenforced, hindrance, remarks) =
(SELECT mode, unenforced, hindrance, remarks FROM attempt WHERE id = ?) WHERE id = ?
"""


class Gradebook:
    """An open gradebook. Use it in one thread, as a context manager or with close().

    Raises CommandError if the file is not a gradebook, is of a later version, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._book = Book(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._book.close()

    def begin(
        self, lab: str, title: str, scenarios: Sequence[Asked], students: Sequence[str]
    ) -> Run:
        """A new run; from now on the reports are about it."""
        with self._book.transaction():
            started = _now()
            run = self._book.execute(
                "INSERT INTO run (lab, title, started) VALUES (?, ?, ?)", (lab, title, started)
            ).lastrowid
            assert run is not None
            self._ask(run, scenarios)
            self._enrol(run, students)
        return Run(run, lab, title, started, tuple(scenarios), tuple(students))

    def go_on(self, run: Run, scenarios: Sequence[Asked], students: Sequence[str]) -> Run:
        """The same run, with today's wording of its scenarios and today's students: who left is in no report."""
        with self._book.transaction():
            self._book.execute("DELETE FROM asked WHERE run = ?", (run.id,))
            self._book.execute("DELETE FROM enrolled WHERE run = ?", (run.id,))
            self._ask(run.id, scenarios)
            self._enrol(run.id, students)
        latest = self.latest_run()
        assert latest is not None
        return latest

    def mode(self) -> str | None:
        """In which the latest run has judged whoever came last; None if it has judged nobody."""
        row = self._book.execute(_MODE).fetchone()
        return None if row is None else str(row[0])

    def latest_run(self) -> Run | None:
        row = self._book.execute(
            "SELECT id, lab, title, started FROM run ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        run, lab, title, started = row
        asked = self._book.execute(
            "SELECT scenario, title, points, why, hidden, extra FROM asked WHERE run = ? ORDER BY position",
            (run,),
        )
        students = self._book.execute(
            "SELECT student FROM enrolled WHERE run = ? ORDER BY student", (run,)
        )
        return Run(
            run,
            lab,
            title,
            started,
            tuple(
                Asked(name, title, points, why, bool(hidden), bool(extra))
                for name, title, points, why, hidden, extra in asked
            ),
            tuple(student for (student,) in students),
        )

    def open_attempt(
        self, run: Run, student: str, terms: Terms, *, keep: bool = False
    ) -> tuple[int, frozenset[str]]:
        """The attempt that is to be finished, and the names of the scenarios that it has verdicts on already.

        One that was left open under the same terms is continued; else a new one is opened. With `keep` that has the
        verdicts of the attempt before, if it was about the same submission, on plays that have not changed since.
        """
        with self._book.transaction():
            left = self._book.execute(
                _LEFT_OPEN, (run.id, student, terms.files, terms.asked, terms.seed)
            ).fetchone()
            before = self._book.execute(_SAME_FILES, (run.id, student, terms.files)).fetchone()
            if left is None:
                attempt = self._open(run, student, terms)
                if keep and before is not None:
                    self._copy(run, before[0], attempt, json.loads(before[1]), terms)
            else:
                attempt = left[0]
                self._book.execute(
                    "DELETE FROM verdict WHERE attempt = ? AND status = 'error'", (attempt,)
                )
        verdicts = self._book.execute("SELECT scenario FROM verdict WHERE attempt = ?", (attempt,))
        return attempt, frozenset(scenario for (scenario,) in verdicts)

    def add(self, attempt: int, position: int, verdict: Verdict) -> None:
        """Commits one verdict; `position` is that of its scenario in the lab."""
        with self._book.transaction():
            self._add(attempt, position, verdict)

    def finish(self, attempt: int, result: Result, positions: Sequence[int]) -> Result:
        """Commits the end of an attempt, with those of its verdicts that have not been added yet.

        `positions` are those of the result's verdicts. Answers the whole, verdicts from before included.
        """
        with self._book.transaction():
            self._finish(attempt, result, positions)
        return self._result(attempt)

    def close_attempt(self, attempt: int) -> Result | None:
        """Ends an attempt that took over all its verdicts; None if it was cut off before it said where init stood."""
        with self._book.transaction():
            closed = self._book.execute(
                "UPDATE attempt SET finished = ? WHERE id = ? AND mode != ''", (_now(), attempt)
            ).rowcount
        return self._result(attempt) if closed else None

    def take_over(self, run: Run, student: str, terms: Terms) -> Result | None:
        """The whole attempt of `student`, if somebody else's in this run was about the same files and plays.

        Else None, and nothing is opened: also if that one has met an error, which is not to be handed on.
        """
        with self._book.transaction():
            twin = self._book.execute(
                _TWIN, (run.id, terms.files, terms.asked, _plays(terms))
            ).fetchone()
            if twin is None:
                return None
            attempt = self._open(run, student, terms)
            self._copy(run, twin[0], attempt, terms.plays, terms)
        return self.close_attempt(attempt)

    def alike(self, run: Run) -> list[list[str]]:
        """Who has handed in the same, file by file."""
        found: dict[str, list[str]] = {}
        for files, student in self._rows(_ALIKE, run):
            found.setdefault(files, []).append(student)
        return [students for students in found.values() if len(students) > 1]

    def scores(self, run: Run) -> dict[str, float]:
        """The points of everybody who has been graded, before anything is taken off for lateness."""
        return dict(self._book.execute(_SCORES, (run.id,)))

    def seconds(self, run: Run) -> dict[str, float]:
        """How long the plays of each scenario took, on average of the attempts that count."""
        return dict(self._book.execute(_SECONDS, (run.id,)))

    def set_penalty(self, run: Run, student: str, late: float, penalty: float) -> None:
        """What lateness costs in the attempt that counts: a policy may change without grading anew."""
        with self._book.transaction():
            row = self._book.execute(_LATEST, (run.id, student)).fetchone()
            if row is not None:
                self._book.execute(
                    "UPDATE attempt SET late = ?, penalty = ? WHERE id = ?", (late, penalty, row[0])
                )

    def record(self, run: Run, result: Result) -> None:
        """Commits one whole attempt at once."""
        with self._book.transaction():
            attempt = self._open(run, result.student, Terms())
            self._finish(attempt, result, range(len(result.assessment.verdicts)))

    def results(self, run: Run) -> Iterator[Result]:
        """The latest attempt of every student who has one, by name; one at a time is in memory."""
        for student in run.students:
            result = self.result(run, student)
            if result is not None:
                yield result

    def left(self, run: Run) -> list[str]:
        """Who was graded once, by any run of this book, and is not in the class any more."""
        everybody = self._book.execute("SELECT DISTINCT student FROM attempt ORDER BY student")
        return [student for (student,) in everybody if student not in run.students]

    def result(self, run: Run, student: str) -> Result | None:
        """The student's latest finished attempt, if there is one."""
        row = self._book.execute(_LATEST, (run.id, student)).fetchone()
        return None if row is None else self._result(row[0])

    def judged(self, run: Run) -> dict[str, Terms]:
        """Who has a finished attempt, and the terms of the latest."""
        return {student: _terms(*columns) for student, *columns in self._rows(_JUDGED, run)}

    def graded(self, run: Run) -> dict[str, Terms]:
        """The same of those who are done: whose latest attempt has an error, the grader's own trouble, is not."""
        return {student: _terms(*columns) for student, *columns in self._rows(_GRADED, run)}

    def _rows(self, query: str, run: Run) -> list[tuple[Any, ...]]:
        return self._book.execute(query, (run.id,)).fetchall()

    def _result(self, attempt: int) -> Result:
        lab, student, mode, seconds, breakdown, late, penalty, *more = self._book.execute(
            "SELECT lab, student, mode, seconds, trouble, late, penalty, unenforced, hindrance, remarks, anew"
            " FROM attempt JOIN run ON run.id = attempt.run WHERE attempt.id = ?",
            (attempt,),
        ).fetchone()
        unenforced, hindrance, remarks, anew = more
        rows = self._book.execute(
            "SELECT whole FROM verdict WHERE attempt = ? ORDER BY position", (attempt,)
        )
        verdicts = tuple(_verdict(whole) for (whole,) in rows)
        assessment = Assessment(
            lab,
            mode,
            verdicts,
            tuple(json.loads(unenforced)),
            Hindrance(hindrance) if hindrance else None,
            remarks,
        )
        return Result(
            student, assessment, seconds, breakdown, late, penalty, tuple(json.loads(anew))
        )

    def _open(self, run: Run, student: str, terms: Terms) -> int:
        attempt = self._book.execute(
            "INSERT INTO attempt (run, student, files, terms, seed, plays, mode, finished, seconds, trouble)"
            " VALUES (?, ?, ?, ?, ?, ?, '', '', 0, '')",
            (run.id, student, terms.files, terms.asked, terms.seed, _plays(terms)),
        ).lastrowid
        assert attempt is not None
        return attempt

    def _copy(
        self, run: Run, before: int, attempt: int, plays: Mapping[str, str], terms: Terms
    ) -> None:
        """Takes over what still holds, at today's price; what has to be judged anew is noted."""
        positions = {asked.name: position for position, asked in enumerate(run.scenarios)}
        kept = 0.0
        for whole, seconds in self._book.execute(
            "SELECT whole, seconds FROM verdict WHERE attempt = ? AND status != 'error'", (before,)
        ).fetchall():
            verdict = replace(_verdict(whole), seconds=seconds)
            name = verdict.scenario
            if name in positions and plays.get(name) == terms.plays.get(name, ""):
                self._add(attempt, positions[name], run.scenarios[positions[name]].priced(verdict))
                kept += seconds
        anew = [name for name, play in terms.plays.items() if plays and plays.get(name) != play]
        self._book.execute(
            "UPDATE attempt SET anew = ?, seconds = ? WHERE id = ?",
            (json.dumps(anew), kept, attempt),
        )
        self._book.execute(_WHAT_HELD_IT, (before, attempt))

    def _add(self, attempt: int, position: int, verdict: Verdict) -> None:
        self._book.execute(
            "INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                attempt,
                position,
                verdict.scenario,
                str(verdict.status),
                verdict.points,
                verdict.max_points,
                json.dumps(verdict.to_json()),
                verdict.seconds,
            ),
        )

    def _finish(self, attempt: int, result: Result, positions: Sequence[int]) -> None:
        for position, verdict in zip(positions, result.assessment.verdicts, strict=True):
            self._add(attempt, position, verdict)
        self._book.execute(
            "UPDATE attempt SET finished = ?, mode = ?, seconds = seconds + ?, trouble = ?,"
            " late = ?, penalty = ?, unenforced = ?, hindrance = ?, remarks = ? WHERE id = ?",
            (
                _now(),
                result.assessment.mode,
                result.seconds,
                result.breakdown,
                result.late,
                result.penalty,
                json.dumps(result.unenforced),
                str(result.assessment.hindrance or ""),
                result.assessment.remarks,
                attempt,
            ),
        )

    def _ask(self, run: int, scenarios: Sequence[Asked]) -> None:
        self._book.executemany(
            "INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (run, position, *(a.name, a.title, a.points, a.why), int(a.hidden), int(a.extra))
                for position, a in enumerate(scenarios)
            ],
        )

    def _enrol(self, run: int, students: Sequence[str]) -> None:
        self._book.executemany(
            "INSERT INTO enrolled VALUES (?, ?)", [(run, student) for student in students]
        )


@lru_cache(maxsize=2048)  # a class makes the same mistakes: most of its verdicts are alike
def _verdict(whole: str) -> Verdict:
    return Verdict.from_json(json.loads(whole))


def _plays(terms: Terms) -> str:
    return json.dumps(dict(terms.plays))


def _terms(files: str, asked: str, seed: int, plays: str) -> Terms:
    return Terms(files, asked, seed, json.loads(plays))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
