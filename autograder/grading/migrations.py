"""The gradebook's tables: how they are made, and how those of an earlier version become today's."""

from __future__ import annotations

import sqlite3

# Version 1. What later versions need is in _MIGRATIONS: a new gradebook goes the same way as an old one.
FIRST = """
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
) STRICT
"""

# Version 2: an attempt is opened before its first verdict, and `finished` is empty as long as it is open.
# `files` and `terms` tell whether it may be continued: the submission, and what it was asked, as they were then.
_SECOND = """
ALTER TABLE asked ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asked ADD COLUMN extra INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN files TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN terms TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN seed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN late REAL NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN penalty REAL NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN unenforced TEXT NOT NULL DEFAULT '[]';
ALTER TABLE verdict ADD COLUMN seconds REAL NOT NULL DEFAULT 0
"""

# Version 3: `plays` has a digest of each scenario as it was played, by name (JSON), so that what is still the same
# need not be played again; `anew` are the names of those that were, since they had changed (JSON). `hindrance` is why
# nothing could be played at all, `remarks` what there is to say about the build.
_THIRD = """
ALTER TABLE attempt ADD COLUMN plays TEXT NOT NULL DEFAULT '{}';
ALTER TABLE attempt ADD COLUMN anew TEXT NOT NULL DEFAULT '[]';
ALTER TABLE attempt ADD COLUMN hindrance TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN remarks TEXT NOT NULL DEFAULT ''
"""

_MIGRATIONS = (FIRST, _SECOND, _THIRD)
VERSION = len(_MIGRATIONS)  # kept in SQLite's user_version


def version_of(book: sqlite3.Connection) -> int:
    """The version of a gradebook's tables; 0 if it has none yet."""
    return int(book.execute("PRAGMA user_version").fetchone()[0])


def migrate(book: sqlite3.Connection) -> None:
    """Brings the tables to VERSION, in the transaction that is open: all of it happens or nothing."""
    for script in _MIGRATIONS[version_of(book) :]:
        for statement in script.split(";\n"):
            book.execute(statement)
    book.execute(f"PRAGMA user_version = {VERSION}")
