"""The books: one SQLite file, the only place where results live; every report reads from it.

A *run* is one grading of a class: the scenarios that were asked, the students who were enrolled. An
*attempt* is one assessment of one student in it; a later attempt replaces an earlier one in the
reports and leaves it in the book. Every attempt is committed as it comes, so that whatever kills
the grader costs at most the students being judged then.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from autograder.errors import CommandError
from autograder.verdict import Assessment, Verdict

VERSION = 1  # of the tables below; kept in SQLite's user_version

_TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    lab TEXT NOT NULL,
    title TEXT NOT NULL,
    started TEXT NOT NULL
) STRICT;
CREATE TABLE asked (
    run INTEGER NOT NULL REFERENCES run,
    position INTEGER NOT NULL,
    scenario TEXT NOT NULL,
    title TEXT NOT NULL,
    points REAL NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (run, scenario)
) STRICT;
CREATE TABLE enrolled (
    run INTEGER NOT NULL REFERENCES run,
    student TEXT NOT NULL,
    PRIMARY KEY (run, student)
) STRICT;
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    student TEXT NOT NULL,
    mode TEXT NOT NULL,
    finished TEXT NOT NULL,
    seconds REAL NOT NULL,
    trouble TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_by_student ON attempt (run, student, id);
CREATE TABLE verdict (
    attempt INTEGER NOT NULL REFERENCES attempt,
    position INTEGER NOT NULL,
    scenario TEXT NOT NULL,
    status TEXT NOT NULL,
    points REAL NOT NULL,
    max_points REAL NOT NULL,
    whole TEXT NOT NULL,
    PRIMARY KEY (attempt, scenario)
) STRICT;
"""


@dataclass(frozen=True)
class Asked:
    """One scenario of a run, as the reports need it: `name` as in the verdicts."""

    name: str
    title: str
    points: float
    why: str


@dataclass(frozen=True)
class Run:
    """One grading of a class; `started` is ISO 8601, UTC."""

    id: int
    lab: str
    title: str
    started: str
    scenarios: tuple[Asked, ...]
    students: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One student's latest attempt; `trouble` is the traceback if the grader itself broke down."""

    student: str
    assessment: Assessment
    seconds: float = 0.0
    trouble: str = ""


class Gradebook:
    """An open gradebook. Use it in one thread, as a context manager or with close().

    Raises CommandError if the file is not a gradebook, is of a later version, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._book = sqlite3.connect(path, isolation_level=None)
            # WAL: readers never wait for the grader. With NORMAL a committed attempt survives
            # SIGKILL at any moment; only a power cut could take the last ones, and then --resume
            # grades them again.
            self._book.execute("PRAGMA journal_mode = WAL")
            self._book.execute("PRAGMA synchronous = NORMAL")
            self._book.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except sqlite3.Error as error:
            raise CommandError(
                f"{path} cannot be used as a gradebook: {error}.\n"
                "  Is the folder writable, and is this really a gradebook? Else give another --out."
            ) from error

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
        with self._transaction():
            started = _now()
            run = self._book.execute(
                "INSERT INTO run (lab, title, started) VALUES (?, ?, ?)", (lab, title, started)
            ).lastrowid
            assert run is not None
            self._ask(run, scenarios)
            self._enrol(run, students)
        return Run(run, lab, title, started, tuple(scenarios), tuple(students))

    def go_on(self, run: Run, scenarios: Sequence[Asked], students: Sequence[str]) -> Run:
        """The same run, with today's wording of its scenarios and with students who came later."""
        with self._transaction():
            self._book.execute("DELETE FROM asked WHERE run = ?", (run.id,))
            self._ask(run.id, scenarios)
            self._enrol(run.id, students)
        latest = self.latest_run()
        assert latest is not None
        return latest

    def latest_run(self) -> Run | None:
        row = self._book.execute(
            "SELECT id, lab, title, started FROM run ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        asked = self._book.execute(
            "SELECT scenario, title, points, why FROM asked WHERE run = ? ORDER BY position",
            (row[0],),
        )
        students = self._book.execute(
            "SELECT student FROM enrolled WHERE run = ? ORDER BY student", (row[0],)
        )
        run, lab, title, started = row
        return Run(
            run,
            lab,
            title,
            started,
            scenarios=tuple(Asked(*line) for line in asked),
            students=tuple(student for (student,) in students),
        )

    def record(self, run: Run, result: Result) -> None:
        """Commits one attempt with all its verdicts: after this call, it is safe."""
        with self._transaction():
            attempt = self._book.execute(
                "INSERT INTO attempt (run, student, mode, finished, seconds, trouble)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    run.id,
                    result.student,
                    result.assessment.mode,
                    _now(),
                    result.seconds,
                    result.trouble,
                ),
            ).lastrowid
            self._book.executemany(
                "INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        attempt,
                        position,
                        verdict.scenario,
                        str(verdict.status),
                        verdict.points,
                        verdict.max_points,
                        json.dumps(verdict.to_json()),
                    )
                    for position, verdict in enumerate(result.assessment.verdicts)
                ],
            )

    def results(self, run: Run) -> Iterator[Result]:
        """The latest attempt of every student who has one, by name; one at a time is in memory."""
        for student in run.students:
            result = self.result(run, student)
            if result is not None:
                yield result

    def result(self, run: Run, student: str) -> Result | None:
        row = self._book.execute(
            "SELECT id, mode, seconds, trouble FROM attempt WHERE run = ? AND student = ?"
            " ORDER BY id DESC LIMIT 1",
            (run.id, student),
        ).fetchone()
        if row is None:
            return None
        attempt, mode, seconds, trouble = row
        verdicts = self._book.execute(
            "SELECT whole FROM verdict WHERE attempt = ? ORDER BY position", (attempt,)
        )
        assessment = Assessment(
            run.lab,
            mode,
            tuple(Verdict.from_json(json.loads(whole)) for (whole,) in verdicts),
        )
        return Result(student, assessment, seconds, trouble)

    def graded(self, run: Run) -> set[str]:
        """Who is done: has a latest attempt that the grader itself did not break down in."""
        rows = self._book.execute(
            "SELECT student FROM attempt a WHERE run = ? AND trouble = '' AND id ="
            " (SELECT max(id) FROM attempt b WHERE b.run = a.run AND b.student = a.student)",
            (run.id,),
        )
        return {student for (student,) in rows}

    def attempts(self, student: str) -> int:
        """How often the student was graded, over all runs."""
        (count,) = self._book.execute(
            "SELECT count(*) FROM attempt WHERE student = ?", (student,)
        ).fetchone()
        return int(count)

    def _prepare(self) -> None:
        (version,) = self._book.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise CommandError(
                f"{self.path} was written by a later version of this program: its tables have version"
                f" {version}, this program knows up to {VERSION}.\n  Update the program, or give another --out."
            )
        if version == 0:
            with self._transaction():
                for statement in _TABLES.split(";\n"):
                    self._book.execute(statement)
                self._book.execute(f"PRAGMA user_version = {VERSION}")

    def _ask(self, run: int, scenarios: Sequence[Asked]) -> None:
        self._book.executemany(
            "INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?)",
            [
                (run, position, asked.name, asked.title, asked.points, asked.why)
                for position, asked in enumerate(scenarios)
            ],
        )

    def _enrol(self, run: int, students: Sequence[str]) -> None:
        self._book.executemany(
            "INSERT OR IGNORE INTO enrolled VALUES (?, ?)", [(run, student) for student in students]
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._book.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._book.execute("ROLLBACK")
                raise
            self._book.execute("COMMIT")
        except (
            sqlite3.Error
        ) as error:  # the disk is full, somebody else holds the lock for too long
            raise CommandError(f"{self.path} cannot be written: {error}.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
