"""The SQLite file of a gradebook: opened, brought to today's tables, and written in transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.errors import CommandError
from autograder.grading.migrations import VERSION, migrate, version_of


class Book:
    """An open file, for one thread.

    Raises CommandError if the file is not a gradebook, is of a later version, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            # WAL: readers never wait for the grader. With NORMAL what is committed survives SIGKILL at any moment; only
            # a power cut could take the last verdicts, and then --resume finds them again.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except sqlite3.Error as error:
            raise CommandError(
                f"{path} cannot be used as a gradebook: {error}.\n"
                "  Is the folder writable, and is this really a gradebook? Else give another --out."
            ) from error

    def close(self) -> None:
        self._connection.close()

    def execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        return self._connection.execute(query, values)

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(query, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within, or nothing of it. Raises CommandError if it cannot be written."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            # The disk is full, or somebody else holds the lock for too long.
            raise CommandError(f"{self.path} cannot be written: {error}.") from error

    def _prepare(self) -> None:
        if version_of(self._connection) > VERSION:
            raise CommandError(
                f"{self.path} was written by a later version of this program: its tables have version"
                f" {version_of(self._connection)}, this program knows up to {VERSION}.\n"
                "  Update the program, or give another --out."
            )
        if version_of(self._connection) < VERSION:
            with self.transaction():
                migrate(self._connection)
